"""`lobbyctl` as a separate process, against the running local lobby with real devices."""

import csv
import html
import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lobby.names import Target
from lobby.text.label import encode_label
from pki.devices.credentials import DevicePaths
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event
from tests.e2e.lobbyctl_process import Lobbyctl


@pytest.fixture
def lobbyctl(deployed: Deployment, tmp_path: Path) -> Lobbyctl:
    return Lobbyctl(deployed, tmp_path)


def waiting(fleet: Fleet, deployed: Deployment) -> DevicePaths:
    paths = fleet.make()
    fleet.power_on(paths)
    deployed.wait(certid_of(paths), "inlobby")
    return paths


def test_a_device_is_claimed_moved_released_and_revoked(
    lobbyctl: Lobbyctl, deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = waiting(fleet, deployed)
    certid, name = certid_of(paths), name_of(paths)
    assert certid in [each["certid"] for each in lobbyctl.records("devices", "list", "--state", "inlobby", "--all")]

    claimed = lobbyctl.records("claim", "--qr", str(paths.label), "--target", str(first), "--wait")
    assert (claimed[0]["ok"], claimed[0]["certid"]) == (True, certid)
    assert (claimed[-1]["devstate"], claimed[-1]["reached"], claimed[-1]["seconds"] > 0) == ("arrived", True, True)
    assert lobbyctl("claim", name, "--target", str(first)).returncode == 0

    unconfirmed = lobbyctl("--json", "move", name, "--target", str(second))
    assert (unconfirmed.returncode, json.loads(unconfirmed.stderr.splitlines()[-1])["error"]["code"]) == (
        2,
        "CONFIRMATION_NEEDED",
    )
    moved = lobbyctl.records("move", name, "--target", str(second), "--wait", "--yes")
    assert moved[-1]["devstate"] == "arrived"
    wait_for_event(fleet.powered[0], "arrived_at_target", generation=2)

    (released,) = lobbyctl.records("release", certid[:12], "--yes")
    assert released["device"]["devstate"] == "inlobby"
    until(lambda: not deployed.existing(certid)["previousTargets"], lambda: deployed.device(certid))
    (revoked,) = lobbyctl.records("revoke", encode_label(certid), "--why", "sold", "--yes")
    assert revoked["device"]["devstate"] == "revoked"
    until(lambda: deployed.status(certid, deployed.lobby) != "ACTIVE")

    (shown,) = lobbyctl.records("devices", "show", certid)
    assert (shown["historyIntact"], shown["certificate"]["subject"]) == (True, f"CN={name}")
    history = [each["event"] for each in lobbyctl.records("history", certid)]
    assert history == events(deployed.existing(certid))
    assert [event for event in history if event != "retire"] == [
        "admit",
        "hello",
        "claim",
        "commission",
        "arrive",
        "move",
        "commission",
        "arrive",
        "release",
        "revoke",
    ]


@pytest.mark.full
def test_a_target_that_is_not_set_up_fails_its_check_and_its_device(
    lobbyctl: Lobbyctl, deployed: Deployment, fleet: Fleet
) -> None:
    bare = "500000000005/eu-north-1"
    refused = lobbyctl("targets", "add", bare, "--name", "Bare")
    assert (refused.returncode, "FORBIDDEN" in refused.stderr) == (1, True)
    added = lobbyctl("targets", "add", bare, "--name", "Bare", "--as", "admin")
    assert added.returncode == 0
    assert re.fullmatch(
        r"\./deploy\.sh target --account 500000000005 --region eu-north-1 --external-id \S+ .*\n", added.stdout
    )
    check = lobbyctl("targets", "check", "bare", "--as", "admin")
    assert check.returncode == 1
    assert "✗  sts:AssumeRole" in check.stdout
    assert added.stdout.strip() in check.stdout
    assert lobbyctl("targets", "check", str(deployed.targets[0])).returncode == 0

    certid = certid_of(waiting(fleet, deployed))
    failed = lobbyctl("claim", certid, "--target", "Bare", "--wait")
    assert failed.returncode == 1
    assert "failed  TARGET_ROLE_DENIED: " in failed.stdout
    assert "DEVICE_FAILED" in failed.stderr
    stuck = lobbyctl.records("devices", "list", "--state", "failed", "--reason", "TARGET_ROLE_DENIED", "--all")
    assert certid in [each["certid"] for each in stuck]
    (overview,) = lobbyctl.records("overview")
    assert "TARGET_ROLE_DENIED" in [each["reason"] for each in overview["reasons"]]
    moved = lobbyctl.records("move", certid, "--target", str(deployed.targets[0]), "--yes", "--wait")
    assert moved[-1]["devstate"] == "arrived"


@pytest.mark.full
def test_a_list_is_claimed_before_its_devices_connect_and_they_arrive_directly(
    lobbyctl: Lobbyctl, deployed: Deployment, fleet: Fleet, first: Target, second: Target, tmp_path: Path
) -> None:
    paths = fleet.make()
    device = certid_of(paths)
    not_connected = [secrets.token_hex(32) for _ in range(230)]
    rows = [(device, str(first)), *((certid, str(second)) for certid in not_connected)]
    path, out = tmp_path / "claims.csv", tmp_path / "results.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("fingerprint", "target"), *rows])
    result = lobbyctl("claim", "--file", str(path), "--out", str(out))
    assert result.returncode == 0, result.stderr
    assert "231 succeeded (231 expected)" in result.stdout
    assert lobbyctl("claim", "--file", str(path)).returncode == 0
    with out.open() as file:
        assert [(row["certid"], row["target"], row["ok"]) for row in csv.DictReader(file)] == [
            (*row, "yes") for row in rows
        ]

    following = lobbyctl.start("--json", "devices", "watch", device)
    with following:
        assert following.stdout
        assert json.loads(following.stdout.readline())["devstate"] == "expected"
        fleet.power_on(paths)
        records = [json.loads(line) for line in following.stdout]
        assert following.wait(TIMEOUT_SECONDS) == 0
    assert records[-1]["devstate"] == "arrived"
    for certid in not_connected:
        deployed.release(certid)


def test_a_role_limits_what_a_user_sees_and_may_claim(
    lobbyctl: Lobbyctl, deployed: Deployment, first: Target, second: Target
) -> None:
    (me,) = lobbyctl.records("whoami", "--as", "technician")
    assert me["role"] == "technician"
    assert [each["account"] for each in lobbyctl.records("targets", "list", "--as", "technician")] == [first.account]
    certid = secrets.token_hex(32)
    refused = lobbyctl("claim", certid, "--target", str(second), "--as", "technician")
    assert (refused.returncode, "UNKNOWN_TARGET" in refused.stderr) == (1, True)
    assert deployed.device(certid) is None
    (claimed,) = lobbyctl.records("claim", certid, "--as", "technician")
    assert (claimed["ok"], claimed["target"]) == (True, str(first))
    deployed.release(certid)


@pytest.fixture
def signing_in(lobbyctl: Lobbyctl, deployed: Deployment) -> Iterator[subprocess.Popen[str]]:
    """A `lobbyctl login` that waits for a browser."""
    del lobbyctl.environment["LOBBYCTL_LOBBY"]
    lobbyctl.environment["LOBBYCTL_URL"] = str(deployed.file.console_url)
    with lobbyctl.start("login", "--no-browser") as process:
        yield process
        process.kill()


def test_a_user_signs_in_at_the_pools_own_page_and_signs_out(
    lobbyctl: Lobbyctl, deployed: Deployment, signing_in: subprocess.Popen[str]
) -> None:
    assert signing_in.stderr
    address = next(line.strip() for line in signing_in.stderr if line.startswith("http"))
    viewer = deployed.file.operator("viewer")
    with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as browser:
        page = browser.get(address)
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        form = {name: html.unescape(value) for name, value in fields.items()}
        redirect = browser.post(
            page.url.join("/login"), data=form | {"username": viewer.user, "password": viewer.password}
        )
        end = browser.get(redirect.headers["location"])
    assert "Signed in" in end.text
    assert signing_in.wait(TIMEOUT_SECONDS) == 0
    assert signing_in.stdout
    assert "as viewer (viewer)" in signing_in.stdout.read()
    (me,) = lobbyctl.records("whoami")
    assert (me["role"], me["signedIn"]) == ("viewer", "by lobbyctl login")
    assert lobbyctl("overview").returncode == 0
    assert lobbyctl("logout").returncode == 0
    assert lobbyctl("overview").returncode == 3
