"""The commissioner's work for a claim, move, release, revocation and retry, and its AWS calls."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from moto.iot.models import iot_backends

from commissioner.target_gateway.registry import certificate_arn
from lobby.domain.identity import Identity
from lobby.domain.lanes.lane import LOBBY
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.items import device_of_image
from lobby.names import ThingName
from tests import aws
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    COLD,
    GOLDEN,
    KEY,
    ONE,
    PEMS,
    RESET,
    TWO,
    WARM,
    A,
    B,
    LobbyWithTargets,
    client_error,
    statuses,
)


def test_a_stream_record_as_aws_sends_it_is_read_completely() -> None:
    device = device_of_image(json.loads(GOLDEN.read_text())["Records"][0]["dynamodb"]["NewImage"])
    assert device.devstate is State.CLAIMED
    assert (device.target, device.targets_to_clear, device.generation, device.version) == (A, (B,), 2, 6)
    assert device.config == {"site": "north", "rate": 5}
    assert device.needs_commissioner


def test_a_claimed_device_is_registered_in_its_target_and_gets_its_route(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(lobby.claim()) == []
    device = lobby.device()
    assert (device.devstate, device.iotep, device.needs_commissioner) == (
        State.COMMISSIONED,
        "a1b2c3d4-ats.iot.eu-west-1.amazonaws.com",
        False,
    )
    arn = f"arn:aws:iot:eu-west-1:{A.account}:cert/{ONE}"
    assert aws.registry(A) == {
        "certificates": {ONE: "ACTIVE"},
        "things": {"sensor-1": {"certid": ONE, "claim": f"1:default:awaited:{KEY}:{ONE}"}},
        "principals": [(arn, "sensor-1")],
        "policies": [(arn, "device-lobby-default")],
    }
    assert aws.registry(B)["certificates"] == {}
    [(topic, payload)] = aws.published()
    assert topic == "lobby/sensor-1"
    assert json.loads(payload) == {"iotep": device.iotep, "config": "default", "generation": 1}


def test_the_calls_of_a_cold_start_and_of_a_warm_one(lobby: LobbyWithTargets) -> None:
    lobby.deliver(lobby.claim())
    assert lobby.calls.names() == COLD
    with lobby.calls.uncounted():
        lobby.admit("sensor-2")
    lobby.calls.forget()
    lobby.deliver(lobby.claim(TWO))
    assert lobby.calls.names() == WARM
    assert lobby.device(TWO).devstate is State.COMMISSIONED


def test_the_role_is_assumed_with_the_targets_external_id_and_for_that_target_alone(lobby: LobbyWithTargets) -> None:
    lobby.deliver(lobby.claim())
    [call] = lobby.calls.of("AssumeRole")
    assert call.params["RoleArn"] == f"arn:aws:iam::{A.account}:role/lobby_commissioner_role"
    assert call.params["ExternalId"] == "external id of A"
    policy = json.loads(call.params["Policy"])
    assert len(call.params["Policy"]) <= 2048
    for statement in policy["Statement"]:
        if statement["Resource"] == "*":
            assert statement["Condition"] == {
                "StringEquals": {"aws:RequestedRegion": A.region, "aws:PrincipalAccount": A.account}
            }
        else:
            resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            assert all(each.startswith(f"arn:aws:iot:{A.region}:{A.account}:") for each in resources)
    lobby.deliver(lobby.move())
    assert lobby.calls.of("AssumeRole")[1].params["ExternalId"] == "external id of B"
    assert B.account in lobby.calls.of("AssumeRole")[1].params["Policy"]
    assert A.account not in lobby.calls.of("AssumeRole")[1].params["Policy"]


def test_a_device_claimed_before_its_first_connection_is_commissioned_after_it(lobby: LobbyWithTargets) -> None:

    with lobby.calls.uncounted():
        lobby.ledger.claim(TWO, ClaimRequest(A), ANN)
        assert "turn" not in (aws.item(TWO) or {})
        lobby.ledger.admit(Identity(TWO, ThingName("sensor-2"), PEMS["sensor-2"]), "service:bouncer")
    assert lobby.deliver(lobby.record(TWO)) == []
    assert lobby.device(TWO).devstate is State.COMMISSIONED


def test_a_move_registers_in_the_new_target_before_it_clears_the_old(lobby: LobbyWithTargets) -> None:
    lobby.place()
    assert lobby.deliver(lobby.move()) == []
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    device = lobby.device()
    assert (device.devstate, device.target, device.targets_to_clear, device.needs_commissioner) == (
        State.COMMISSIONED,
        B,
        (),
        False,
    )
    assert device.iotep == "a1b2c3d4-ats.iot.us-east-1.amazonaws.com"
    assert aws.published(A) == [RESET]
    assert [json.loads(payload)["iotep"] for _, payload in aws.published()] == [device.iotep]
    regions = [(call.operation, call.region) for call in lobby.calls.made]
    order = [
        ("RegisterCertificateWithoutCA", "us-east-1"),
        ("TransactWriteItems", "eu-west-1"),
        ("Publish", "eu-west-1"),
        ("Publish", "eu-west-1"),
        ("UpdateCertificate", "eu-west-1"),
    ]
    positions = [regions.index(step) for step in order]
    assert positions == sorted(positions)
    assert [event for event, _, _ in lobby.events()][-3:] == ["move", "commission", "retire"]


def test_a_move_back_activates_the_certificate_in_the_first_target(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.deliver(lobby.move())
    assert lobby.deliver(lobby.move(target=A)) == []
    assert statuses() == ("ACTIVE", "ACTIVE", "INACTIVE")
    assert lobby.device().targets_to_clear == ()


def test_a_release_sends_the_device_back_to_the_lobby(lobby: LobbyWithTargets) -> None:
    lobby.place()
    assert lobby.deliver(lobby.release()) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)
    device = lobby.device()
    assert (device.devstate, device.target, device.targets_to_clear, device.needs_commissioner) == (
        State.INLOBBY,
        None,
        (),
        False,
    )
    assert aws.published(A) == [RESET]
    assert aws.published() == []


def test_a_claim_of_the_target_just_left_is_commissioned_there(lobby: LobbyWithTargets) -> None:
    lobby.place()
    released, claimed = lobby.release(), lobby.claim()
    assert lobby.deliver(released, claimed) == []
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    assert (lobby.device().devstate, lobby.device().targets_to_clear) == (State.COMMISSIONED, ())


def test_a_revocation_deactivates_the_device_everywhere_without_a_reset_message(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.deliver(lobby.move())
    aws.published(A).clear()
    aws.published(B).clear()
    assert lobby.deliver(lobby.revoke()) == []
    assert statuses() == ("INACTIVE", "INACTIVE", "INACTIVE")
    device = lobby.device()
    assert (device.devstate, device.reason, device.targets_to_clear, device.needs_commissioner) == (
        State.REVOKED,
        "REVOKED",
        (),
        False,
    )
    assert aws.published(A) == aws.published(B) == []
    ended = [call.region for call in lobby.calls.of("DeleteConnection")]
    assert ended == [A.region, aws.REGION, B.region]  # the move's, then the revocation's in the lobby and in B


def test_a_revoked_device_that_could_not_be_deactivated_shows_the_reason_until_it_is(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.server = lobby.new_server()
    lobby.calls.fails["AssumeRole"] = client_error("AccessDenied", "AssumeRole")
    assert lobby.deliver(lobby.revoke()) == []
    assert statuses() == ("INACTIVE", "ACTIVE", None)
    device = lobby.device()
    assert (device.devstate, device.reason, device.targets_to_clear) == (State.REVOKED, "TARGET_ROLE_DENIED", (A,))
    assert (device.message or "").startswith("stolen; TARGET_ROLE_DENIED: ")
    lobby.calls.fails.clear()
    assert lobby.deliver(lobby.retry()) == []
    assert statuses() == ("INACTIVE", "INACTIVE", None)
    assert (lobby.device().reason, lobby.device().message, lobby.device().targets_to_clear) == ("REVOKED", "stolen", ())


def test_a_new_claim_in_the_same_target_is_pushed_there_and_detaches_the_old_policy(lobby: LobbyWithTargets) -> None:
    lobby.targets.register(A, "name", ("default", "camera"), "user:ann")
    lobby.deploy_policy(A, "camera")
    lobby.place()
    registry, arn = iot_backends[A.account][A.region], certificate_arn(A, ONE)
    registry.create_policy("not-ours", {})
    registry.attach_policy("not-ours", arn)
    with lobby.calls.uncounted():
        lobby.ledger.move(ONE, ClaimRequest(A, "camera", {"led": 1}), "user:ann")
    assert lobby.deliver(lobby.record(ONE)) == []
    assert aws.registry(A)["policies"] == [(arn, "device-lobby-camera"), (arn, "not-ours")]
    assert [(topic, json.loads(body)["config"]) for topic, body in aws.published(A)] == [("lobby/sensor-1", {"led": 1})]


def test_a_certificate_that_the_targets_owner_revoked_is_not_activated_again(lobby: LobbyWithTargets) -> None:
    lobby.place()
    iot_backends[A.account][A.region].certificates[ONE].status = "REVOKED"
    with lobby.calls.uncounted():
        lobby.ledger.retry(ONE, ANN)
    assert lobby.deliver(lobby.record(ONE)) == []
    assert statuses()[1] == "REVOKED"
    assert (lobby.device().devstate, lobby.device().reason) == (State.FAILED, "TARGET_REVOKED_CERTIFICATE")


def test_a_target_that_refuses_the_reset_message_does_not_keep_the_certificate_active(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.calls.fails = {"Publish": client_error("ForbiddenException", "Publish")}
    assert lobby.deliver(lobby.release()) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)
    assert (lobby.device().devstate, lobby.device().targets_to_clear) == (State.INLOBBY, ())


def test_a_refused_certificate_with_a_thing_attached_can_connect_again(lobby: LobbyWithTargets) -> None:
    iot, arn = aws.client("iot"), f"arn:aws:iot:{aws.HOME.region}:{aws.HOME.account}:cert/{ONE}"
    with lobby.calls.uncounted():
        iot.create_thing(thingName="sensor-1")
        iot.attach_thing_principal(thingName="sensor-1", principal=arn)
        iot.update_certificate(certificateId=ONE, newStatus="INACTIVE")
        device = replace(lobby.device(), devstate=State.REFUSED)
    lobby.calls.fails = {"DeleteCertificate": client_error("DeleteConflictException", "DeleteCertificate")}
    with pytest.raises(ClientError):
        lobby.server._commissioner.process(device, LOBBY)
    assert aws.registry()["principals"] == []


def test_a_revocation_of_an_unregistered_certificate_leaves_no_work(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(lobby.revoke(TWO)) == []
    assert not lobby.device(TWO).needs_commissioner


def test_a_refused_device_can_connect_again(lobby: LobbyWithTargets) -> None:
    with lobby.calls.uncounted():
        aws.client("iot").register_certificate_without_ca(certificatePem=PEMS["sensor-2"], status="INACTIVE")
        lobby.ledger.refuse(TWO, None, "CRL_STALE", "old", "service:bouncer")
    assert lobby.deliver(lobby.retry(TWO)) == []
    assert aws.status(TWO) is None
    device = lobby.device(TWO)
    assert (device.devstate, device.reason, device.needs_commissioner) == (State.REFUSED, "CRL_STALE", False)


def test_another_profile_in_the_same_target_gets_its_policy(lobby: LobbyWithTargets) -> None:

    lobby.place()
    with lobby.calls.uncounted():
        lobby.targets.register(A, "name", ("default", "camera"), ANN)
        lobby.deploy_policy(A, "camera")
        lobby.ledger.move(ONE, ClaimRequest(A, "camera"), ANN)
    assert lobby.deliver(lobby.record()) == []
    assert "device-lobby-camera" in {policy for _, policy in aws.registry(A)["policies"]}
    assert (lobby.device().devstate, statuses()) == (State.COMMISSIONED, ("ACTIVE", "ACTIVE", None))
