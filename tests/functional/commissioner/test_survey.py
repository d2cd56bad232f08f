"""The dry run: every missing permission is named, what could not be told is said to be so, and nothing changes."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

from commissioner.lambdas import surveyor
from commissioner.target_gateway.sessions import Sessions
from tests import aws
from tests.functional.commissioner.workshop import A, Workshop, wall_clock

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
"""What AWS answers who may do it, to a call that names what does not exist."""
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
def target(shop: Workshop) -> Workshop:
    shop.calls.fails = {operation: error(code, operation) for operation, code in ABSENT.items()}
    return shop


def surveyed(account: str = A.account) -> tuple[dict[str, tuple[bool, str]], str | None]:
    sessions = Sessions(aws.client("sts"), wall_clock)
    answer = surveyor.handler({"account": account, "region": A.region}, None, sessions)
    return {found["step"]: (found["ok"], found["message"]) for found in answer["findings"]}, answer["endpoint"]


def missing(found: dict[str, tuple[bool, str]]) -> list[str]:
    return [step for step, (ok, _) in found.items() if not ok]


def test_a_target_that_is_ready_has_every_step_found_and_nothing_changed(target: Workshop) -> None:
    before = aws.registry(A)
    found, endpoint = surveyed()
    assert list(found) == STEPS
    assert missing(found) == []
    assert endpoint == "a1b2c3d4-ats.iot.eu-west-1.amazonaws.com"
    assert aws.registry(A) == before
    assert found["iot:DescribeEndpoint"] == (True, endpoint)


@pytest.mark.parametrize("operation", [*ABSENT, "ListThings", "Publish", "DescribeEndpoint"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ForbiddenException"])
def test_a_missing_permission_is_named(target: Workshop, operation: str, code: str) -> None:
    target.calls.fails[operation] = error(code, operation)
    found, endpoint = surveyed()
    assert missing(found) == [f"iot:{operation}"]
    assert found[f"iot:{operation}"][1].startswith("missing")
    assert (endpoint is None) == (operation == "DescribeEndpoint")


def test_all_that_is_missing_is_named_together(target: Workshop) -> None:
    for operation in (*ABSENT, "ListThings", "Publish", "GetPolicy", "DescribeEndpoint"):
        target.calls.fails[operation] = error("AccessDeniedException", operation)
    found, _ = surveyed()
    assert missing(found) == STEPS[1:]


def test_a_role_that_cannot_be_assumed_ends_the_survey_with_what_to_do(target: Workshop) -> None:
    target.calls.fails["AssumeRole"] = error("AccessDenied", "AssumeRole")
    found, endpoint = surveyed()
    assert missing(found) == list(found) == ["sts:AssumeRole"]
    assert "ExternalId" in found["sts:AssumeRole"][1]
    assert endpoint is None


def test_every_profiles_policy_is_looked_for(target: Workshop) -> None:
    with target.calls.uncounted():
        target.targets.register(A, "name", ("default", "camera"), "user:ann")
    found, _ = surveyed()
    assert missing(found) == ["policy device-lobby-camera"]
    assert "deploy" in found["policy device-lobby-camera"][1]


BUSY = error("ThrottlingException", "X")
UNTOLD: list[tuple[str, Exception]] = [
    *((operation, BUSY) for operation in (*ABSENT, "Publish", "GetPolicy", "DescribeEndpoint", "AssumeRole")),
    *((operation, ConnectTimeoutError(endpoint_url="x")) for operation in ("AssumeRole", "GetPolicy", "Publish")),
    ("DescribeEndpoint", EndpointConnectionError(endpoint_url="https://iot.mars-1.amazonaws.com")),
    ("CreateThing", error("ServiceUnavailableException", "X")),
    ("CreateThing", error("UnrecognizedClientException", "X")),
]


@pytest.mark.parametrize(("operation", "fault"), UNTOLD)
def test_what_could_not_be_told_is_not_said_to_be_missing(target: Workshop, operation: str, fault: Exception) -> None:
    target.calls.fails[operation] = fault
    found, _ = surveyed()
    [step] = missing(found)
    assert found[step][1].startswith("could not be told")
    assert "again" in found[step][1]


def test_an_unregistered_target_is_said_to_be_one(target: Workshop) -> None:
    with pytest.raises(Exception, match="UNKNOWN_TARGET"):
        surveyed("3" * 12)


@pytest.mark.parametrize("event", [{}, {"account": "1"}, {"account": A.account, "region": "../x"}])
def test_a_target_that_is_none_is_refused(target: Workshop, event: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="INVALID_"):
        surveyor.handler(event, None, Sessions(aws.client("sts")))
    assert target.calls.names() == []
