"""What the commissioner does for a device: claim, move, release, revoke, retry; what it costs; what it refuses."""

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.iot.models import iot_backends

from commissioner.target_gateway.registry import certificate_arn
from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.models import device_of_image
from lobby.names import ThingName, parse_target
from tests import aws
from tests.functional.commissioner.workshop import ANN, GOLDEN, ONE, PEMS, TWO, A, B, Workshop, statuses

WARM = [
    "CreateThing",
    "RegisterCertificateWithoutCA",
    "AttachThingPrincipal",
    "AttachPolicy",
    "TransactWriteItems",
    "Publish",
]
COLD = ["GetItem", "AssumeRole", *WARM[:4], "DescribeEndpoint", *WARM[4:]]
RESET = ("lobby/sensor-1", b'{"config": "factory reset"}')


def error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"because of {code}"}}, operation)


def test_a_stream_record_as_aws_sends_it_is_read_whole() -> None:
    device = device_of_image(json.loads(GOLDEN.read_text())["Records"][0]["dynamodb"]["NewImage"])
    assert device.devstate is State.CLAIMED
    assert (device.target, device.targets_to_clear, device.generation, device.version) == (A, (B,), 2, 6)
    assert device.config == {"site": "north", "rate": 5}
    assert device.needs_commissioner


def test_a_claimed_device_is_registered_in_its_target_and_told_its_route(shop: Workshop) -> None:
    assert shop.deliver(shop.claim()) == []
    device = shop.device()
    assert (device.devstate, device.iotep, device.needs_commissioner) == (
        State.COMMISSIONED,
        "a1b2c3d4-ats.iot.eu-west-1.amazonaws.com",
        False,
    )
    arn = f"arn:aws:iot:eu-west-1:{A.account}:cert/{ONE}"
    assert aws.registry(A) == {
        "certificates": {ONE: "ACTIVE"},
        "things": {"sensor-1": {"certid": ONE}},
        "principals": [(arn, "sensor-1")],
        "policies": [(arn, "device-lobby-default")],
    }
    assert aws.registry(B)["certificates"] == {}
    [(topic, payload)] = aws.published()
    assert topic == "lobby/sensor-1"
    assert json.loads(payload) == {"iotep": device.iotep, "config": "default", "generation": 1}


def test_the_calls_of_a_cold_start_and_of_a_warm_one(shop: Workshop) -> None:
    shop.deliver(shop.claim())
    assert shop.calls.names() == COLD
    with shop.calls.uncounted():
        shop.let_in("sensor-2")
    shop.calls.forget()
    shop.deliver(shop.claim(TWO))
    assert shop.calls.names() == WARM
    assert shop.device(TWO).devstate is State.COMMISSIONED


def test_the_role_is_assumed_with_the_targets_secret_and_for_that_target_alone(shop: Workshop) -> None:
    shop.deliver(shop.claim())
    [call] = shop.calls.of("AssumeRole")
    assert call.params["RoleArn"] == f"arn:aws:iam::{A.account}:role/lobby_commissioner_role"
    assert call.params["ExternalId"] == "secret of A"
    policy = json.loads(call.params["Policy"])
    assert len(call.params["Policy"]) <= 2048
    for statement in policy["Statement"]:
        if statement["Resource"] == "*":
            assert statement["Condition"] == {
                "StringEquals": {"aws:RequestedRegion": A.region, "aws:PrincipalAccount": A.account}
            }
        else:
            assert statement["Resource"].startswith(f"arn:aws:iot:{A.region}:{A.account}:")
    shop.deliver(shop.move())
    assert shop.calls.of("AssumeRole")[1].params["ExternalId"] == "secret of B"
    assert B.account in shop.calls.of("AssumeRole")[1].params["Policy"]
    assert A.account not in shop.calls.of("AssumeRole")[1].params["Policy"]


def test_a_device_claimed_before_it_came_is_commissioned_when_it_does(shop: Workshop) -> None:

    with shop.calls.uncounted():
        shop.ledger.claim(TWO, ClaimRequest(A), ANN)
        assert "turn" not in (aws.item(TWO) or {})
        shop.ledger.admit(Identity(TWO, ThingName("sensor-2"), PEMS["sensor-2"]), "service:bouncer")
    assert shop.deliver(shop.record(TWO)) == []
    assert shop.device(TWO).devstate is State.COMMISSIONED


def test_a_move_makes_the_new_place_ready_before_the_old_is_taken_away(shop: Workshop) -> None:
    shop.settle()
    assert shop.deliver(shop.move()) == []
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    device = shop.device()
    assert (device.devstate, device.target, device.targets_to_clear, device.needs_commissioner) == (
        State.COMMISSIONED,
        B,
        (),
        False,
    )
    assert device.iotep == "a1b2c3d4-ats.iot.us-east-1.amazonaws.com"
    assert aws.published(A) == [RESET]
    assert [json.loads(payload)["iotep"] for _, payload in aws.published()] == [device.iotep]
    regions = [(call.operation, call.region) for call in shop.calls.made]
    order = [
        ("RegisterCertificateWithoutCA", "us-east-1"),
        ("TransactWriteItems", "eu-west-1"),
        ("Publish", "eu-west-1"),
        ("Publish", "eu-west-1"),
        ("UpdateCertificate", "eu-west-1"),
    ]
    places = [regions.index(step) for step in order]
    assert places == sorted(places)
    assert [event for event, _, _ in shop.events()][-3:] == ["move", "commission", "retire"]


def test_a_move_back_makes_the_first_place_good_again(shop: Workshop) -> None:
    shop.settle()
    shop.deliver(shop.move())
    assert shop.deliver(shop.move(target=A)) == []
    assert statuses() == ("ACTIVE", "ACTIVE", "INACTIVE")
    assert shop.device().targets_to_clear == ()


def test_a_release_sends_the_device_back_to_the_lobby(shop: Workshop) -> None:
    shop.settle()
    assert shop.deliver(shop.release()) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)
    device = shop.device()
    assert (device.devstate, device.target, device.targets_to_clear, device.needs_commissioner) == (
        State.INLOBBY,
        None,
        (),
        False,
    )
    assert aws.published(A) == [RESET]
    assert aws.published() == []


def test_a_claim_of_the_target_just_left_is_commissioned_there(shop: Workshop) -> None:
    shop.settle()
    left, claimed = shop.release(), shop.claim()
    assert shop.deliver(left, claimed) == []
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    assert (shop.device().devstate, shop.device().targets_to_clear) == (State.COMMISSIONED, ())


def test_a_revocation_cuts_the_device_off_everywhere_and_says_no_goodbye(shop: Workshop) -> None:
    shop.settle()
    shop.deliver(shop.move())
    aws.published(A).clear()
    aws.published(B).clear()
    assert shop.deliver(shop.revoke()) == []
    assert statuses() == ("INACTIVE", "INACTIVE", "INACTIVE")
    device = shop.device()
    assert (device.devstate, device.reason, device.targets_to_clear, device.needs_commissioner) == (
        State.REVOKED,
        "REVOKED",
        (),
        False,
    )
    assert aws.published(A) == aws.published(B) == []


def test_a_banned_device_that_could_not_be_shut_out_says_so_until_it_is(shop: Workshop) -> None:
    shop.settle()
    shop.desk = shop.another_desk()
    shop.calls.fails["AssumeRole"] = error("AccessDenied", "AssumeRole")
    assert shop.deliver(shop.revoke()) == []
    assert statuses() == ("INACTIVE", "ACTIVE", None)
    device = shop.device()
    assert (device.devstate, device.reason, device.targets_to_clear) == (State.REVOKED, "TARGET_ROLE_DENIED", (A,))
    assert (device.message or "").startswith("stolen; TARGET_ROLE_DENIED: ")
    shop.calls.fails.clear()
    assert shop.deliver(shop.retry()) == []
    assert statuses() == ("INACTIVE", "INACTIVE", None)
    assert (shop.device().reason, shop.device().message, shop.device().targets_to_clear) == ("REVOKED", "stolen", ())


def test_a_new_claim_in_the_same_target_is_told_there_and_drops_what_the_old_profile_allowed(shop: Workshop) -> None:
    shop.targets.register(A, "name", ("default", "camera"), "user:ann")
    shop.deploy_policy(A, "camera")
    shop.settle()
    registry, arn = iot_backends[A.account][A.region], certificate_arn(A, ONE)
    registry.create_policy("not-ours", {})
    registry.attach_policy("not-ours", arn)
    with shop.calls.uncounted():
        shop.ledger.move(ONE, ClaimRequest(A, "camera", {"led": 1}), "user:ann")
    assert shop.deliver(shop.record(ONE)) == []
    assert aws.registry(A)["policies"] == [(arn, "device-lobby-camera"), (arn, "not-ours")]
    assert [(topic, json.loads(body)["config"]) for topic, body in aws.published(A)] == [("lobby/sensor-1", {"led": 1})]


def test_a_certificate_that_the_targets_owner_revoked_is_not_switched_on_again(shop: Workshop) -> None:
    shop.settle()
    iot_backends[A.account][A.region].certificates[ONE].status = "REVOKED"
    with shop.calls.uncounted():
        shop.ledger.retry(ONE, ANN)
    assert shop.deliver(shop.record(ONE)) == []
    assert statuses()[1] == "REVOKED"
    assert (shop.device().devstate, shop.device().reason) == (State.FAILED, "TARGET_REVOKED_CERTIFICATE")


def test_a_target_that_lets_nobody_say_goodbye_does_not_keep_the_certificate_active(shop: Workshop) -> None:
    shop.settle()
    shop.calls.fails = {"Publish": error("ForbiddenException", "Publish")}
    assert shop.deliver(shop.release()) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)
    assert (shop.device().devstate, shop.device().targets_to_clear) == (State.INLOBBY, ())


def test_a_refused_device_whose_thing_was_attached_may_knock_again(shop: Workshop) -> None:
    iot, arn = aws.client("iot"), f"arn:aws:iot:{aws.HOME.region}:{aws.HOME.account}:cert/{ONE}"
    with shop.calls.uncounted():
        iot.create_thing(thingName="sensor-1")
        iot.attach_thing_principal(thingName="sensor-1", principal=arn)
        iot.update_certificate(certificateId=ONE, newStatus="INACTIVE")
        device = replace(shop.device(), devstate=State.REFUSED)
    shop.calls.fails = {"DeleteCertificate": error("DeleteConflictException", "DeleteCertificate")}
    with pytest.raises(ClientError):
        shop.desk._commissioner.serve(device)
    assert aws.registry()["principals"] == []


def test_a_revocation_of_a_certificate_never_seen_leaves_no_work(shop: Workshop) -> None:
    assert shop.deliver(shop.revoke(TWO)) == []
    assert not shop.device(TWO).needs_commissioner


def test_a_refused_device_may_knock_again(shop: Workshop) -> None:
    with shop.calls.uncounted():
        aws.client("iot").register_certificate_without_ca(certificatePem=PEMS["sensor-2"], status="INACTIVE")
        shop.ledger.refuse(TWO, None, "CRL_STALE", "old", "service:bouncer")
    assert shop.deliver(shop.retry(TWO)) == []
    assert aws.status(TWO) is None
    device = shop.device(TWO)
    assert (device.devstate, device.reason, device.needs_commissioner) == (State.REFUSED, "CRL_STALE", False)


def test_another_profile_in_the_same_target_gets_its_policy(shop: Workshop) -> None:

    shop.settle()
    with shop.calls.uncounted():
        shop.targets.register(A, "name", ("default", "camera"), ANN)
        shop.deploy_policy(A, "camera")
        shop.ledger.move(ONE, ClaimRequest(A, "camera"), ANN)
    assert shop.deliver(shop.record()) == []
    assert "device-lobby-camera" in {policy for _, policy in aws.registry(A)["policies"]}
    assert (shop.device().devstate, statuses()) == (State.COMMISSIONED, ("ACTIVE", "ACTIVE", None))


# What is refused for good.

REFUSALS = {
    "AssumeRole denied": ("AssumeRole", "AccessDenied", "TARGET_ROLE_DENIED"),
    "register denied": ("RegisterCertificateWithoutCA", "AccessDeniedException", "TARGET_PERMISSION_MISSING"),
    "create thing denied": ("CreateThing", "AccessDeniedException", "TARGET_PERMISSION_MISSING"),
    "attach denied": ("AttachThingPrincipal", "UnauthorizedException", "TARGET_PERMISSION_MISSING"),
    "endpoint denied": ("DescribeEndpoint", "AccessDeniedException", "TARGET_PERMISSION_MISSING"),
    "no policy": ("AttachPolicy", "ResourceNotFoundException", "TARGET_POLICY_MISSING"),
    "quota": ("AttachPolicy", "LimitExceededException", "TARGET_LIMIT"),
    "Region off": ("CreateThing", "UnrecognizedClientException", "TARGET_REGION_DISABLED"),
    "Region off in STS": ("AssumeRole", "RegionDisabledException", "TARGET_REGION_DISABLED"),
    "not taken": ("RegisterCertificateWithoutCA", "CertificateValidationException", "TARGET_REFUSED_CERTIFICATE"),
    "invalid": ("RegisterCertificateWithoutCA", "InvalidRequestException", "TARGET_REFUSED_CERTIFICATE"),
}


@pytest.mark.parametrize(("operation", "code", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_for_good_becomes_the_reason_with_what_to_do(
    shop: Workshop, operation: str, code: str, reason: str
) -> None:
    shop.calls.fails[operation] = error(code, operation)
    assert shop.deliver(shop.claim()) == []
    device = shop.device()
    assert (device.devstate, device.reason, device.needs_commissioner, device.target) == (
        State.FAILED,
        reason,
        False,
        A,
    )
    assert device.message is not None
    for part in (str(A), code, operation, f"because of {code}", "; "):
        assert part in device.message
    assert aws.published() == []
    assert shop.events()[-1] == ("fail", reason, str(A))


@pytest.mark.parametrize("operation", sorted({operation for operation, _, _ in REFUSALS.values()}))
def test_once_mended_a_retry_completes(shop: Workshop, operation: str) -> None:
    code = "ResourceNotFoundException" if operation == "AttachPolicy" else "AccessDenied"
    shop.calls.fails[operation] = error(code, operation)
    shop.deliver(shop.claim())
    shop.calls.fails.clear()
    assert shop.deliver(shop.retry()) == []
    device = shop.device()
    assert (device.devstate, device.reason, device.message) == (State.COMMISSIONED, None, None)


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "AccessDeniedException"])
def test_an_old_session_that_is_refused_is_given_up_for_a_new_one(shop: Workshop, code: str) -> None:
    """A role that was made anew refuses the sessions of the one before it; one that was mended heeds old ones late."""
    shop.settle()
    with shop.calls.uncounted():
        shop.let_in("sensor-2")

    def refused(_params: dict[str, Any], _call: Any) -> Any:
        shop.calls.instead.clear()
        raise error(code, "CreateThing")

    shop.calls.instead["CreateThing"] = refused
    assert shop.deliver(shop.claim(TWO)) == []
    assert shop.calls.names()[:3] == ["CreateThing", "AssumeRole", "CreateThing"]
    assert shop.device(TWO).devstate is State.COMMISSIONED


def test_a_new_session_that_is_refused_is_not_kept(shop: Workshop) -> None:
    shop.settle()
    shop.calls.fails["CreateThing"] = error("UnrecognizedClientException", "CreateThing")
    with shop.calls.uncounted():
        shop.let_in("sensor-2")
    assert shop.deliver(shop.claim(TWO)) == []
    assert shop.calls.names() == ["CreateThing", "AssumeRole", "CreateThing", "TransactWriteItems"]
    assert shop.device(TWO).reason == "TARGET_REGION_DISABLED"
    shop.calls.fails.clear()
    shop.calls.forget()
    assert shop.deliver(shop.retry(TWO)) == []
    assert "AssumeRole" in shop.calls.names()
    assert shop.device(TWO).devstate is State.COMMISSIONED


def test_an_unregistered_target_is_said_to_be_one(shop: Workshop) -> None:
    assert shop.deliver(shop.claim(target=parse_target("3" * 12, "eu-west-1"))) == []
    assert (shop.device().devstate, shop.device().reason) == (State.FAILED, "UNKNOWN_TARGET")
    assert "AssumeRole" not in shop.calls.names()


def test_a_profile_that_the_target_lacks_is_said_to_be_one(shop: Workshop) -> None:
    assert shop.deliver(shop.claim(profile="camera")) == []
    assert (shop.device().devstate, shop.device().reason) == (State.FAILED, "UNKNOWN_PROFILE")
    assert aws.registry(A)["certificates"] == {}


def test_a_name_that_another_certificate_has_in_the_target_is_refused_and_registers_nothing(shop: Workshop) -> None:
    with shop.calls.uncounted():
        iot_backends[A.account][A.region].create_thing(
            thing_name="sensor-1", thing_type_name="", attribute_payload={"attributes": {"certid": TWO}}
        )
    assert shop.deliver(shop.claim()) == []
    device = shop.device()
    assert (device.devstate, device.reason) == (State.FAILED, "TARGET_NAME_TAKEN")
    assert TWO in (device.message or "")
    assert aws.registry(A)["certificates"] == {}


def test_a_failed_move_leaves_the_old_place_as_it_was(shop: Workshop) -> None:
    shop.settle()
    shop.calls.fails["AssumeRole"] = error("AccessDenied", "AssumeRole")
    record = shop.move()
    assert shop.deliver(record) == []
    for seconds in (0, 10):
        shop.clock.advance(seconds=seconds)
        assert shop.deliver(record) == []
        assert statuses() == ("ACTIVE", "ACTIVE", None)
        assert (shop.device().devstate, shop.device().targets_to_clear) == (State.FAILED, (A,))
        assert aws.published(A) == []


def test_an_old_place_that_cannot_be_cleared_is_said_and_does_not_undo_the_new_one(shop: Workshop) -> None:
    shop.settle()
    record = shop.move()
    shop.calls.fails["UpdateCertificate"] = error("AccessDeniedException", "UpdateCertificate")
    assert shop.deliver(record) == []
    device = shop.device()
    assert (device.devstate, device.target, device.targets_to_clear) == (State.COMMISSIONED, B, (A,))
    assert (device.reason, device.needs_commissioner) == ("TARGET_PERMISSION_MISSING", False)


# What will pass.


PASSING = [
    "ThrottlingException",
    "InternalFailureException",
    "ServiceUnavailableException",
    "ExpiredTokenException",
    "?",
]


@pytest.mark.parametrize(
    ("operation", "code"),
    [*((operation, "ThrottlingException") for operation in COLD), *(("AttachPolicy", code) for code in PASSING)],
)
def test_what_will_pass_goes_back_to_the_stream_and_completes_later(shop: Workshop, operation: str, code: str) -> None:
    record = shop.claim()
    before = aws.item(ONE)
    shop.calls.fails[operation] = error(code, operation)
    assert shop.deliver(record) == [0]
    if operation != "Publish":
        assert aws.item(ONE) == before
    shop.calls.fails.clear()
    shop.clock.advance(seconds=30)
    assert shop.deliver(record) == []
    assert shop.device().devstate is State.COMMISSIONED
    assert len(aws.published()) == 1
    assert [event for event, _, _ in shop.events()] == ["admit", "hello", "claim", "commission"]


def test_an_unreachable_endpoint_goes_back_to_the_stream(shop: Workshop) -> None:
    shop.calls.fails["CreateThing"] = EndpointConnectionError(endpoint_url="https://iot.eu-west-1.amazonaws.com")
    assert shop.deliver(shop.claim()) == [0]
    assert shop.device().devstate is State.CLAIMED


# What changed meanwhile.


@pytest.mark.parametrize("change", ["move", "release", "revoke"])
@pytest.mark.parametrize("operation", ["RegisterCertificateWithoutCA", "TransactWriteItems"])
def test_a_claim_that_changed_meanwhile_is_never_overwritten_and_nothing_stays_active(
    shop: Workshop, change: str, operation: str
) -> None:
    record = shop.claim()
    later: list[Any] = []
    shop.calls.meanwhile[operation] = lambda: later.append(getattr(shop, change)())
    assert shop.deliver(record) == []
    state = {"move": State.CLAIMED, "release": State.INLOBBY, "revoke": State.REVOKED}[change]
    assert (shop.device().devstate, shop.device().generation, shop.device().iotep) == (state, 2, None)
    assert shop.deliver(*later) == []
    lobby, in_a, in_b = statuses()
    assert (lobby == "ACTIVE", in_a, in_b) == (
        change != "revoke",
        "INACTIVE",
        "ACTIVE" if change == "move" else None,
    )
    assert (shop.device().targets_to_clear, shop.device().needs_commissioner) == ((), False)


def test_clearing_what_was_left_does_not_take_the_turn_of_a_claim_made_meanwhile(shop: Workshop) -> None:
    shop.settle()
    record = shop.release()
    later: list[Any] = []
    shop.calls.meanwhile["TransactWriteItems"] = lambda: later.append(shop.claim(target=B))
    assert shop.deliver(record) == []
    assert (shop.device().devstate, shop.device().needs_commissioner, shop.device().targets_to_clear) == (
        State.CLAIMED,
        True,
        (),
    )
    assert shop.deliver(*later) == []
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")


def test_a_finished_device_stays_as_it_is_when_its_record_comes_again(shop: Workshop) -> None:
    record = shop.claim()
    shop.deliver(record)
    with shop.calls.uncounted():
        shop.ledger.arrive(shop.device(), "service:arrivals")
    before: tuple[Device, Any] = shop.device(), aws.registry(A)
    for seconds in (1, 60):
        shop.clock.advance(seconds=seconds)
        assert shop.deliver(record) == []
        assert (shop.device(), aws.registry(A)) == before
