"""The dry run names every missing permission and everything that could not be checked, and changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from commissioner.lambdas import surveyor
from commissioner.lambdas.surveyor import Wanted
from commissioner.target_gateway.sessions import Sessions
from tests import aws
from tests.functional.commissioner.lobby_with_targets import PROFILES, A, LobbyWithTargets
from tests.functional.commissioner.survey_runs import (
    ABSENT,
    AT_ENDPOINT,
    LISTS,
    REPORTS,
    STEPS,
    error,
    missing,
    surveyed,
)


def test_in_a_ready_target_every_step_is_found_and_nothing_is_changed(target: LobbyWithTargets) -> None:
    before = aws.registry(A)
    findings, endpoint = surveyed()
    assert list(findings) == STEPS
    assert missing(findings) == []
    assert endpoint == "a1b2c3d4-ats.iot.eu-west-1.amazonaws.com"
    assert aws.registry(A) == before
    assert findings["iot:DescribeEndpoint"] == (True, endpoint)


@pytest.mark.parametrize("operation", [*ABSENT, *LISTS, "Publish"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ForbiddenException"])
def test_a_missing_permission_is_named(target: LobbyWithTargets, operation: str, code: str) -> None:
    target.calls.fails[operation] = error(code, operation)
    findings, endpoint = surveyed()
    assert missing(findings) == [f"iot:{operation}"]
    assert findings[f"iot:{operation}"][1].startswith("missing")
    assert endpoint is not None


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (error("AccessDeniedException", "DescribeEndpoint"), "missing"),
        (EndpointConnectionError(endpoint_url="https://iot.mars-1.amazonaws.com"), "could not be checked"),
    ],
)
def test_without_the_endpoint_the_calls_that_need_it_could_not_be_checked(
    target: LobbyWithTargets, fault: Exception, reason: str
) -> None:
    target.calls.fails["DescribeEndpoint"] = fault
    findings, endpoint = surveyed()
    assert endpoint is None
    assert missing(findings) == ["iot:DescribeEndpoint", *AT_ENDPOINT, "iot:Publish"]
    assert findings["iot:DescribeEndpoint"][1].startswith(reason)
    for step in (*AT_ENDPOINT, "iot:Publish"):
        assert findings[step][1] == "could not be checked: it needs iot:DescribeEndpoint; check again"


def test_all_missing_permissions_are_named_together(target: LobbyWithTargets) -> None:
    more = ("Publish", "GetPolicy", "DescribeEndpoint", "GetTopicRule", "ListSubscriptionsByTopic")
    for operation in (*ABSENT, *LISTS, *more):
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
    *((operation, BUSY) for operation in (*ABSENT, "Publish", "GetPolicy", "AssumeRole")),
    *((operation, ConnectTimeoutError(endpoint_url="x")) for operation in ("AssumeRole", "GetPolicy", "Publish")),
    ("CreateThing", error("ServiceUnavailableException", "X")),
    ("CreateThing", error("UnrecognizedClientException", "X")),
]


@pytest.mark.parametrize(("operation", "fault"), UNCHECKED)
def test_a_failed_check_is_not_reported_as_missing(target: LobbyWithTargets, operation: str, fault: Exception) -> None:
    target.calls.fails[operation] = fault
    findings, _ = surveyed()
    [step] = missing(findings)
    assert findings[step][1].startswith("could not be checked")
    assert "again" in findings[step][1]


def test_the_console_recognizes_steps_that_could_not_be_checked() -> None:
    """The console counts these steps separately, by the start of their message."""
    source = (Path(__file__).parents[3] / "admin_api/console/src/pages/targets/check_summary.ts").read_text()
    assert 'const INCONCLUSIVE = "could not be checked";' in source


def test_the_permissions_of_a_removal_are_checked_if_the_lobby_is_to_remove(target: LobbyWithTargets) -> None:
    operations = ["DetachThingPrincipal", "DeleteCertificate", "DeleteThing"]
    for operation in operations:
        target.calls.fails[operation] = error("AccessDeniedException", operation)
    assert missing(surveyed()[0]) == []
    assert missing(surveyed(removal=True)[0]) == [f"iot:{operation}" for operation in operations]


def test_an_unregistered_target_is_unknown(target: LobbyWithTargets) -> None:
    with pytest.raises(Exception, match="UNKNOWN_TARGET"):
        surveyed("3" * 12)


@pytest.mark.parametrize("event", [{}, {"account": "1"}, {"account": A.account, "region": "../x"}])
def test_an_invalid_target_is_rejected(target: LobbyWithTargets, event: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="INVALID_"):
        surveyor.handler(event, None, Sessions(aws.client("sts")), Wanted(PROFILES, REPORTS))
    assert target.calls.names() == []
