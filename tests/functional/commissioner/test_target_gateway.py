"""The target gateway: which error each failure becomes, and when work is repeated with a new session."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.iot.models import iot_backends

from commissioner.errors import NoAnswer, StaleSession, TargetRefusal
from commissioner.target_gateway.gateway import TargetGateway
from commissioner.target_gateway.sessions import Sessions
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import ThingName, parse_target
from tests import aws
from tests.functional.commissioner.lobby_with_targets import (
    KEY,
    ONE,
    PEMS,
    PROFILES,
    RESET,
    A,
    B,
    LobbyWithTargets,
    client_error,
    statuses,
    wall_clock,
)

NAME = ThingName("sensor-1")
UNREACHABLE = EndpointConnectionError(endpoint_url="https://iot.eu-west-1")


@pytest.fixture
def gateway(lobby: LobbyWithTargets) -> TargetGateway:
    lobby.start_placed()
    targets = RecentTargets(Targets.read_only(), lobby.clock)
    return TargetGateway(targets, Sessions(aws.client("sts"), wall_clock), PROFILES, KEY)


def test_a_registration_returns_the_targets_endpoint(lobby: LobbyWithTargets, gateway: TargetGateway) -> None:
    device = replace(lobby.device(), target=B, devicecert=PEMS[NAME])
    assert gateway.register(device) == "a1b2c3d4-ats.iot.us-east-1.amazonaws.com"
    assert statuses() == ("ACTIVE", "ACTIVE", "ACTIVE")


def test_clearing_sends_the_reset_message_before_it_deactivates(
    lobby: LobbyWithTargets, gateway: TargetGateway
) -> None:
    gateway.clear(A, lobby.device())
    expected = ["Publish", "UpdateCertificate", "DeleteConnection", "DescribeThing", "UpdateThing"]
    assert lobby.calls.names()[-5:] == expected
    assert aws.published(A)[-1:] == [RESET]
    assert statuses()[1] == "INACTIVE"


def test_clearing_without_a_reset_message_ends_the_connection(lobby: LobbyWithTargets, gateway: TargetGateway) -> None:
    before = list(aws.published(A))
    gateway.clear(A, lobby.device(), reset=False)
    assert (aws.published(A), statuses()[1]) == (before, "INACTIVE")
    [call] = lobby.calls.of("DeleteConnection")
    assert (call.region, call.params) == (A.region, {"clientId": NAME, "cleanSession": True})


@pytest.mark.parametrize(
    "failure",
    [
        client_error("ResourceNotFoundException", "DeleteConnection"),
        client_error("ForbiddenException", "DeleteConnection"),
        client_error("ThrottlingException", "DeleteConnection"),
        UNREACHABLE,
    ],
    ids=str,
)
def test_a_connection_that_cannot_be_ended_does_not_fail_the_clearing(
    lobby: LobbyWithTargets, gateway: TargetGateway, failure: Exception
) -> None:
    lobby.calls.fails["DeleteConnection"] = failure
    gateway.clear(A, lobby.device())
    assert statuses()[1] == "INACTIVE"
    assert lobby.calls.names().count("AssumeRole") == 1


def test_clearing_without_a_name_sends_no_reset_message(lobby: LobbyWithTargets, gateway: TargetGateway) -> None:
    before = list(aws.published(A))
    gateway.clear(A, replace(lobby.device(), devicename=None))
    assert aws.published(A) == before
    assert statuses()[1] == "INACTIVE"


def test_an_activation_needs_a_registered_certificate_that_its_owner_has_not_revoked(
    lobby: LobbyWithTargets, gateway: TargetGateway
) -> None:
    gateway.deactivate(A, [ONE])
    gateway.activate(A, [ONE])
    gateway.activate(B, [ONE])
    assert statuses()[1:] == ("ACTIVE", None)
    iot_backends[A.account][A.region].certificates[ONE].status = "REVOKED"
    with pytest.raises(TargetRefusal) as refusal:
        gateway.activate(A, [ONE])
    assert (refusal.value.code, statuses()[1]) == ("TARGET_REVOKED_CERTIFICATE", "REVOKED")


def test_an_unregistered_target_is_a_refusal_without_a_call(lobby: LobbyWithTargets, gateway: TargetGateway) -> None:
    with pytest.raises(TargetRefusal) as refusal:
        gateway.deactivate(parse_target("3" * 12, "eu-west-1"), [ONE])
    assert refusal.value.code == "UNKNOWN_TARGET"
    assert "AssumeRole" not in lobby.calls.names()


def test_a_role_that_cannot_be_assumed_is_a_refusal(lobby: LobbyWithTargets, gateway: TargetGateway) -> None:
    lobby.calls.fails["AssumeRole"] = client_error("AccessDenied", "AssumeRole")
    with pytest.raises(TargetRefusal) as refusal:
        gateway.deactivate(A, [ONE])
    assert refusal.value.code == "TARGET_ROLE_DENIED"


def test_a_temporary_failure_is_raised_unchanged(lobby: LobbyWithTargets, gateway: TargetGateway) -> None:
    lobby.calls.fails["UpdateCertificate"] = throttled = client_error("ThrottlingException", "UpdateCertificate")
    with pytest.raises(ClientError) as raised:
        gateway.deactivate(A, [ONE])
    assert raised.value is throttled


SERVER_ERROR = ClientError(
    {"Error": {"Code": "InternalFailure"}, "ResponseMetadata": {"HTTPStatusCode": 500}},  # type: ignore[typeddict-item]
    "UpdateCertificate",
)


@pytest.mark.parametrize("error", [UNREACHABLE, SERVER_ERROR], ids=["no connection", "server error"])
def test_a_target_that_does_not_answer_is_distinguished_from_one_that_refuses(
    lobby: LobbyWithTargets, gateway: TargetGateway, error: Exception
) -> None:
    lobby.calls.fails["UpdateCertificate"] = error
    with pytest.raises(NoAnswer, match=f"NO_ANSWER.*{A}"):
        gateway.deactivate(A, [ONE])


def test_work_is_repeated_with_a_new_session_if_an_old_one_is_refused(
    lobby: LobbyWithTargets, gateway: TargetGateway
) -> None:
    gateway.run(lambda: gateway.deactivate(A, [ONE]))
    lobby.calls.fails["UpdateCertificate"] = client_error("AccessDeniedException", "UpdateCertificate")
    lobby.calls.forget()
    with pytest.raises(TargetRefusal) as refusal:
        gateway.run(lambda: gateway.deactivate(A, [ONE]))
    assert refusal.value.code == "TARGET_PERMISSION_MISSING"
    assert lobby.calls.names() == ["UpdateCertificate", "AssumeRole", "UpdateCertificate"]


def test_a_stale_session_is_reported_to_work_outside_run(lobby: LobbyWithTargets, gateway: TargetGateway) -> None:
    gateway.run(lambda: gateway.deactivate(A, [ONE]))
    gateway.run(lambda: None)
    lobby.calls.fails["UpdateCertificate"] = client_error("AccessDeniedException", "UpdateCertificate")
    with pytest.raises(StaleSession, match="STALE_SESSION"):
        gateway.deactivate(A, [ONE])
