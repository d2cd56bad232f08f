"""Permanent refusals become the device's reason; temporary failures are handed back and complete later."""

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from moto.iot.models import iot_backends

from lobby.domain.states import State
from lobby.names import parse_target
from tests import aws
from tests.functional.commissioner.lobby_with_targets import (
    COLD,
    ONE,
    TWO,
    A,
    B,
    LobbyWithTargets,
    client_error,
    statuses,
)

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
    "not accepted": ("RegisterCertificateWithoutCA", "CertificateValidationException", "TARGET_REFUSED_CERTIFICATE"),
    "invalid": ("RegisterCertificateWithoutCA", "InvalidRequestException", "TARGET_REFUSED_CERTIFICATE"),
}


@pytest.mark.parametrize(("operation", "code", "reason"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_permanent_refusal_becomes_the_reason_with_advice(
    lobby: LobbyWithTargets, operation: str, code: str, reason: str
) -> None:
    lobby.calls.fails[operation] = client_error(code, operation)
    assert lobby.deliver(lobby.claim()) == []
    device = lobby.device()
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
    assert lobby.events()[-1] == ("fail", reason, str(A))


@pytest.mark.parametrize("operation", sorted({operation for operation, _, _ in REFUSALS.values()}))
def test_a_retry_completes_once_the_cause_is_repaired(lobby: LobbyWithTargets, operation: str) -> None:
    code = "ResourceNotFoundException" if operation == "AttachPolicy" else "AccessDenied"
    lobby.calls.fails[operation] = client_error(code, operation)
    lobby.deliver(lobby.claim())
    lobby.calls.fails.clear()
    assert lobby.deliver(lobby.retry()) == []
    device = lobby.device()
    assert (device.devstate, device.reason, device.message) == (State.COMMISSIONED, None, None)


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "AccessDeniedException"])
def test_an_old_session_that_is_refused_is_replaced_by_a_new_one(lobby: LobbyWithTargets, code: str) -> None:
    """A role that was created again refuses the sessions of the old one; new permissions reach old sessions late."""
    lobby.place()
    with lobby.calls.uncounted():
        lobby.admit("sensor-2")

    def refused(_params: dict[str, Any], _call: Any) -> Any:
        lobby.calls.instead.clear()
        raise client_error(code, "CreateThing")

    lobby.calls.instead["CreateThing"] = refused
    assert lobby.deliver(lobby.claim(TWO)) == []
    assert lobby.calls.names()[:4] == ["BatchGetItem", "CreateThing", "AssumeRole", "CreateThing"]
    assert lobby.device(TWO).devstate is State.COMMISSIONED


def test_a_new_session_that_is_refused_is_not_cached(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.calls.fails["CreateThing"] = client_error("UnrecognizedClientException", "CreateThing")
    with lobby.calls.uncounted():
        lobby.admit("sensor-2")
    assert lobby.deliver(lobby.claim(TWO)) == []
    assert lobby.calls.names() == ["BatchGetItem", "CreateThing", "AssumeRole", "CreateThing", "TransactWriteItems"]
    assert lobby.device(TWO).reason == "TARGET_REGION_DISABLED"
    lobby.calls.fails.clear()
    lobby.calls.forget()
    assert lobby.deliver(lobby.retry(TWO)) == []
    assert "AssumeRole" in lobby.calls.names()
    assert lobby.device(TWO).devstate is State.COMMISSIONED


def test_an_unregistered_target_is_the_reason(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(lobby.claim(target=parse_target("3" * 12, "eu-west-1"))) == []
    assert (lobby.device().devstate, lobby.device().reason) == (State.FAILED, "UNKNOWN_TARGET")
    assert "AssumeRole" not in lobby.calls.names()


def test_a_profile_that_the_target_does_not_have_is_the_reason(lobby: LobbyWithTargets) -> None:
    assert lobby.deliver(lobby.claim(profile="camera")) == []
    assert (lobby.device().devstate, lobby.device().reason) == (State.FAILED, "UNKNOWN_PROFILE")
    assert aws.registry(A)["certificates"] == {}


def test_a_name_taken_by_another_certificate_is_refused_and_nothing_is_registered(lobby: LobbyWithTargets) -> None:
    with lobby.calls.uncounted():
        iot_backends[A.account][A.region].create_thing(
            thing_name="sensor-1", thing_type_name="", attribute_payload={"attributes": {"certid": TWO}}
        )
    assert lobby.deliver(lobby.claim()) == []
    device = lobby.device()
    assert (device.devstate, device.reason) == (State.FAILED, "TARGET_NAME_TAKEN")
    assert TWO in (device.message or "")
    assert aws.registry(A)["certificates"] == {}


def test_a_failed_move_leaves_the_old_target_unchanged(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.calls.fails["AssumeRole"] = client_error("AccessDenied", "AssumeRole")
    record = lobby.move()
    assert lobby.deliver(record) == []
    for seconds in (0, 10):
        lobby.clock.advance(seconds=seconds)
        assert lobby.deliver(record) == []
        assert statuses() == ("ACTIVE", "ACTIVE", None)
        assert (lobby.device().devstate, lobby.device().targets_to_clear) == (State.FAILED, (A,))
        assert aws.published(A) == []


def test_an_old_target_that_cannot_be_cleared_is_reported_and_the_move_stays(lobby: LobbyWithTargets) -> None:
    lobby.place()
    record = lobby.move()
    lobby.calls.fails["UpdateCertificate"] = client_error("AccessDeniedException", "UpdateCertificate")
    assert lobby.deliver(record) == []
    device = lobby.device()
    assert (device.devstate, device.target, device.targets_to_clear) == (State.COMMISSIONED, B, (A,))
    assert (device.reason, device.needs_commissioner) == ("TARGET_PERMISSION_MISSING", False)


# Temporary failures.


TEMPORARY = [
    "ThrottlingException",
    "InternalFailureException",
    "ServiceUnavailableException",
    "ExpiredTokenException",
    "?",
]


@pytest.mark.parametrize(
    ("operation", "code"),
    [*((operation, "ThrottlingException") for operation in COLD), *(("AttachPolicy", code) for code in TEMPORARY)],
)
def test_a_temporary_failure_is_handed_back_and_completes_later(
    lobby: LobbyWithTargets, operation: str, code: str
) -> None:
    record = lobby.claim()
    before = aws.item(ONE)
    lobby.calls.fails[operation] = client_error(code, operation)
    assert lobby.deliver(record) == [0]
    if operation != "Publish":
        assert aws.item(ONE) == before
    lobby.calls.fails.clear()
    lobby.clock.advance(seconds=30)
    assert lobby.deliver(record) == []
    assert lobby.device().devstate is State.COMMISSIONED
    assert len(aws.published()) == 1
    assert [event for event, _, _ in lobby.events()] == ["admit", "hello", "claim", "commission"]


def test_an_unreachable_endpoint_is_handed_back(lobby: LobbyWithTargets) -> None:
    lobby.calls.fails["CreateThing"] = EndpointConnectionError(endpoint_url="https://iot.eu-west-1.amazonaws.com")
    assert lobby.deliver(lobby.claim()) == [0]
    assert lobby.device().devstate is State.CLAIMED
