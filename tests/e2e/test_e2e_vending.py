"""The vending door on the deployed lobby, with its authorizer and roles: onboarding, renewal, and attacks."""

import re
import stat
from pathlib import Path
from typing import Any

import pytest

from lobby.names import Target
from tests import certificates as make
from tests.e2e.deployment import Deployment, events
from tests.e2e.fleet import Fleet, certid_of, wait_for_event
from tests.e2e.vending_requests import VendingDoor, files_of

DEVICE = "query($id: ID!) { device(certid: $id) { devicename enrolment token claimedBy } }"


def door(deployed: Deployment, name: str, **more: Any) -> VendingDoor:
    opened = VendingDoor(deployed, name)
    opened.open(**more)
    return opened


def test_a_device_with_curl_and_openssl_only_is_onboarded(
    deployed: Deployment, fleet: Fleet, second: Target, tmp_path: Path
) -> None:
    target = {"account": second.account, "region": second.region}
    vending = door(deployed, "taps", allocation={"targets": [{"target": target}]})
    token, folder = vending.token(), tmp_path / "device"
    first, again = (vending.run_example(token, "taps-1", folder) for _ in range(2))
    assert (first.returncode, first.stderr) == (0, "")
    assert again.stdout == first.stdout
    assert stat.S_IMODE((folder / "device.key.pem").stat().st_mode) == 0o600

    paths = files_of(folder, "taps-1")
    device = fleet.power_on(paths)
    wait_for_event(device, "arrived_at_target")
    arrived = deployed.wait(certid_of(paths), "arrived")
    assert arrived["targetaccount"] == second.account
    assert [event for event in events(arrived) if event != "hello"] == ["admit", "claim", "commission", "arrive"]
    assert arrived["historyIntact"]
    row = deployed.api().ask(DEVICE, id=certid_of(paths))["device"]
    assert row == {
        "devicename": "taps-1",
        "enrolment": "taps",
        "token": token.split()[0],
        "claimedBy": "rule:taps",
    }


def test_the_example_reports_why_it_was_refused(deployed: Deployment, tmp_path: Path) -> None:
    vending = door(deployed, "fans")
    refused = vending.run_example(vending.token(), "valve-1", tmp_path / "device")
    assert refused.returncode == 1
    assert "status 403: SERIAL_UNMATCHED" in refused.stderr
    forbidden = vending.run_example("fans.aaaaaaaaaa " + "x" * 43, "fans-1", tmp_path / "other")
    assert "status 403: " in forbidden.stderr
    assert "Forbidden" in forbidden.stderr


@pytest.mark.slow
def test_a_renewal_replaces_the_certificate_in_target_and_lobby(
    deployed: Deployment, fleet: Fleet, first: Target, tmp_path: Path
) -> None:
    target = {"account": first.account, "region": first.region}
    vending = door(deployed, "meters", allocation={"targets": [{"target": target}]}, limit=1)
    token = vending.token(uses=2)
    before, after = tmp_path / "before", tmp_path / "after"
    assert vending.run_example(token, "meters-1", before).returncode == 0
    old = files_of(before, "meters-1")
    device = fleet.power_on(old)
    wait_for_event(device, "arrived_at_target")
    deployed.wait(certid_of(old), "arrived")

    assert vending.run_example(token, "meters-1", after).returncode == 0
    new = files_of(after, "meters-1")
    assert certid_of(new) != certid_of(old)
    deployed.wait(certid_of(old), "revoked")
    fleet.powered.pop().stop()
    again = Fleet(deployed, tmp_path / "again")
    try:
        wait_for_event(again.power_on(new), "arrived_at_target")
        assert deployed.wait(certid_of(new), "arrived")["targetaccount"] == first.account
    finally:
        again.power_off()
    third = vending.post(token, "meters-1", key=7)
    assert (third.status_code, third.json()["code"]) == (403, "TOKEN_USED_UP")


def test_without_a_csr_the_answer_has_the_key_and_the_certificate_connects(
    deployed: Deployment, fleet: Fleet, tmp_path: Path
) -> None:
    vending = door(deployed, "lamps")
    body = vending.post(vending.token(), "lamps-1").json()
    keys = body["certificateData"]["key_pair"]
    assert keys["private_key"].startswith("-----BEGIN")
    assert body["rootCa"] == Path(deployed.file.server_ca_path).read_text()
    assert (body["endpoint"], body["port"]) == (deployed.file.lobby_endpoint, deployed.file.mqtt_port)
    assert deployed.wait(body["certificateId"], "knocking")["devicename"] == "lamps-1"


def test_the_header_is_required_and_must_be_right(deployed: Deployment) -> None:
    vending = door(deployed, "doors")
    token = vending.token()
    assert vending.post(None, "doors-1").status_code == 401
    identifier, secret = token.split()
    wrong = {
        "another secret": f"{identifier} {'A' * 43}",
        "an unknown token": f"doors.aaaaaaaaaa {secret}",
        "no identifier": secret,
        "a bearer token": f"Bearer {secret}",
        "two spaces": f"{identifier}  {secret}",
        "lower case": token.lower(),
    }
    assert {name: vending.post(value, "doors-1").status_code for name, value in wrong.items()} == dict.fromkeys(
        wrong, 403
    )
    assert vending.refusals()["TOKEN_WRONG"] >= 1
    assert vending.post(token, "doors-1", key=1).status_code == 200


def test_a_stolen_token_has_only_its_remaining_uses(deployed: Deployment) -> None:
    vending = door(deployed, "stolen")
    token = vending.token(uses=2)
    answers = [vending.post(token, f"stolen-{number}", key=number) for number in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 403, 403]
    assert vending.refusals() == {"TOKEN_USED_UP": 2}


def test_a_revoked_token_is_refused_immediately(deployed: Deployment) -> None:
    vending = door(deployed, "revoked")
    token = vending.token(uses=5)
    assert vending.post(token, "revoked-1", key=1).status_code == 200
    vending.revoke(token)
    assert vending.post(token, "revoked-1", key=1).status_code == 403
    assert vending.post(token, "revoked-2", key=2).status_code == 403
    assert vending.refusals() == {"TOKEN_REVOKED": 2}


def test_a_token_for_one_thing_permits_only_it_and_no_other_token_does(deployed: Deployment) -> None:
    vending = door(deployed, "bound")
    token = vending.token(uses=5, name="bound-1")
    assert vending.post(token, "bound-2", key=2).json()["code"] == "TOKEN_OTHER_NAME"
    assert vending.post(token, "bound-1", key=1).status_code == 200
    for key in (1, 2, None):  # the replayed CSR, too
        answer = vending.post(vending.token(), "bound-1", key)
        assert (answer.status_code, answer.json()["code"]) == (409, "NAME_TAKEN")


def test_hostile_requests_are_refused_with_their_codes(deployed: Deployment) -> None:
    vending = door(deployed, "hostile")
    token = vending.token()
    csr = make.signing_request("hostile-2")
    wrong: dict[str, tuple[dict[str, Any], int, str]] = {
        "a CSR with another CN": ({"json": _body(csr=csr)}, 400, "CSR_OTHER_NAME"),
        "a CSR with a weak key": (
            {"json": _body(csr=make.signing_request("hostile-1", kind="rsa-1024"))},
            400,
            "CSR_WEAK_KEY",
        ),
        "a member twice": (
            {"content": '{"thingName": "a", "thingName": "hostile-1", "version": "1"}'},
            400,
            "INVALID_BODY",
        ),
        "a wrong name": ({"json": _body(thingName="hostile-1/#")}, 400, "INVALID_THING_NAME"),
        "too large": ({"json": _body(version="1" * 20_000)}, 400, "INVALID_BODY"),
        "no JSON": ({"content": "thingName=a"}, 400, "INVALID_BODY"),
        "a form": (
            {"content": "a=b", "headers": {"content-type": "application/x-www-form-urlencoded"}},
            415,
            "WRONG_CONTENT_TYPE",
        ),
    }
    for name, (request, status, code) in wrong.items():
        request.setdefault("headers", {"content-type": "application/json"})
        answer = vending.send("POST", token, **request)
        assert (answer.status_code, answer.json()["code"]) == (status, code), name
    assert vending.post(token, "hostile-1", key=1).status_code == 200


def _body(**changed: Any) -> dict[str, Any]:
    return {"thingName": "hostile-1", "version": "1.0", **changed}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_no_other_method_reaches_the_door(deployed: Deployment, method: str) -> None:
    answer = VendingDoor(deployed, "none").send(method, "none.aaaaaaaaaa " + "A" * 43)
    assert answer.status_code == 404


def test_no_secret_is_in_the_logs(deployed: Deployment) -> None:
    vending = door(deployed, "silent")
    token = vending.token(uses=3)
    body = vending.post(token, "silent-1").json()
    vending.post(token, "silent-2", csr=body["certificateData"]["key_pair"]["private_key"])
    vending.post(f"{token.split()[0]} {'B' * 43}", "silent-1")
    private = re.sub(r"-----[^-]*-----", "", body["certificateData"]["key_pair"]["private_key"]).split()
    logged = deployed.layout.log_path.read_text(errors="replace")
    logs = deployed.client(deployed.lobby, "logs")
    for group in ("vending", "vending-authorizer", "admin-api"):
        for stream in logs.describe_log_streams(logGroupName=f"/aws/lambda/device-lobby-{group}")["logStreams"]:
            events_of = logs.get_log_events(
                logGroupName=f"/aws/lambda/device-lobby-{group}", logStreamName=stream["logStreamName"]
            )
            logged += "\n".join(each["message"] for each in events_of["events"])
    assert "vended" in logged
    assert "refused" in logged
    for secret in (token.split()[1], "B" * 43, *private[:3]):
        assert secret not in logged
