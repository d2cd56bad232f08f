"""The dry run names every missing permission and everything that could not be checked, and changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from commissioner.lambdas import surveyor
from commissioner.target_gateway.sessions import Sessions
from tests import aws
from tests.functional.commissioner.lobby_with_targets import A, LobbyWithTargets, wall_clock

ABSENT = {
    "CreateThing": "ResourceNotFoundException",
    "DescribeThing": "ResourceNotFoundException",
    "RegisterCertificateWithoutCA": "CertificateValidationException",
    "DescribeCertificate": "ResourceNotFoundException",
    "UpdateCertificate": "ResourceNotFoundException",
    "AttachThingPrincipal": "ResourceNotFoundException",
    "AttachPolicy": "ResourceNotFoundException",
    "ListAttachedPolicies": "ResourceNotFoundException",
    "DetachPolicy": "ResourceNotFoundException",
    "ListPrincipalThings": "ResourceNotFoundException",
}
"""AWS's answers to permitted calls that name resources that do not exist."""
STEPS = [
    "sts:AssumeRole",
    *(f"iot:{operation}" for operation in ABSENT),
    "iot:ListThings",
    "iot:Publish",
    "policy device-lobby-default",
    "iot:DescribeEndpoint",
]


def error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{operation}: {code}"}}, operation)


@pytest.fixture
def target(lobby: LobbyWithTargets) -> LobbyWithTargets:
    lobby.calls.fails = {operation: error(code, operation) for operation, code in ABSENT.items()}
    return lobby


def surveyed(account: str = A.account) -> tuple[dict[str, tuple[bool, str]], str | None]:
    sessions = Sessions(aws.client("sts"), wall_clock)
    answer = surveyor.handler({"account": account, "region": A.region}, None, sessions)
    return {each["step"]: (each["ok"], each["message"]) for each in answer["findings"]}, answer["endpoint"]


def missing(findings: dict[str, tuple[bool, str]]) -> list[str]:
    return [step for step, (ok, _) in findings.items() if not ok]


def test_in_a_ready_target_every_step_is_found_and_nothing_is_changed(target: LobbyWithTargets) -> None:
    before = aws.registry(A)
    findings, endpoint = surveyed()
    assert list(findings) == STEPS
    assert missing(findings) == []
    assert endpoint == "a1b2c3d4-ats.iot.eu-west-1.amazonaws.com"
    assert aws.registry(A) == before
    assert findings["iot:DescribeEndpoint"] == (True, endpoint)


@pytest.mark.parametrize("operation", [*ABSENT, "ListThings", "Publish", "DescribeEndpoint"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ForbiddenException"])
def test_a_missing_permission_is_named(target: LobbyWithTargets, operation: str, code: str) -> None:
    target.calls.fails[operation] = error(code, operation)
    findings, endpoint = surveyed()
    assert missing(findings) == [f"iot:{operation}"]
    assert findings[f"iot:{operation}"][1].startswith("missing")
    assert (endpoint is None) == (operation == "DescribeEndpoint")


def test_all_missing_permissions_are_named_together(target: LobbyWithTargets) -> None:
    for operation in (*ABSENT, "ListThings", "Publish", "GetPolicy", "DescribeEndpoint"):
        target.calls.fails[operation] = error("AccessDeniedException", operation)
    findings, _ = surveyed()
    assert missing(findings) == STEPS[1:]


def test_a_role_that_cannot_be_assumed_ends_the_survey_with_advice(target: LobbyWithTargets) -> None:
    target.calls.fails["AssumeRole"] = error("AccessDenied", "AssumeRole")
    findings, endpoint = surveyed()
    assert missing(findings) == list(findings) == ["sts:AssumeRole"]
    assert "ExternalId" in findings["sts:AssumeRole"][1]
    assert endpoint is None


def test_the_policy_of_every_profile_is_checked(target: LobbyWithTargets) -> None:
    with target.calls.uncounted():
        target.targets.register(A, "name", ("default", "camera"), "user:ann")
    findings, _ = surveyed()
    assert missing(findings) == ["policy device-lobby-camera"]
    assert "deploy" in findings["policy device-lobby-camera"][1]


BUSY = error("ThrottlingException", "X")
UNCHECKED: list[tuple[str, Exception]] = [
    *((operation, BUSY) for operation in (*ABSENT, "Publish", "GetPolicy", "DescribeEndpoint", "AssumeRole")),
    *((operation, ConnectTimeoutError(endpoint_url="x")) for operation in ("AssumeRole", "GetPolicy", "Publish")),
    ("DescribeEndpoint", EndpointConnectionError(endpoint_url="https://iot.mars-1.amazonaws.com")),
    ("CreateThing", error("ServiceUnavailableException", "X")),
    ("CreateThing", error("UnrecognizedClientException", "X")),
]


@pytest.mark.parametrize(("operation", "fault"), UNCHECKED)
def test_what_could_not_be_checked_is_not_reported_as_missing(
    target: LobbyWithTargets, operation: str, fault: Exception
) -> None:
    target.calls.fails[operation] = fault
    findings, _ = surveyed()
    [step] = missing(findings)
    assert findings[step][1].startswith("could not be checked")
    assert "again" in findings[step][1]


def test_the_console_recognizes_steps_that_could_not_be_checked() -> None:
    """The console counts these steps separately, by the start of their message."""
    source = (Path(__file__).parents[3] / "admin_api/console/src/pages/targets/check_summary.ts").read_text()
    assert 'const INCONCLUSIVE = "could not be checked";' in source


def test_an_unregistered_target_is_unknown(target: LobbyWithTargets) -> None:
    with pytest.raises(Exception, match="UNKNOWN_TARGET"):
        surveyed("3" * 12)


@pytest.mark.parametrize("event", [{}, {"account": "1"}, {"account": A.account, "region": "../x"}])
def test_an_invalid_target_is_rejected(target: LobbyWithTargets, event: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="INVALID_"):
        surveyor.handler(event, None, Sessions(aws.client("sts")))
    assert target.calls.names() == []
