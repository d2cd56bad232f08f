"""Assumed roles: cached while they are valid, renewed in time, one for each target and ExternalId."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from commissioner.target_gateway.session_policies import commissioning_policy
from commissioner.target_gateway.sessions import Sessions
from lobby.names import parse_target
from tests import aws
from tests.aws import Clock
from tests.functional.commissioner.lobby_with_targets import A, B, LobbyWithTargets


@pytest.fixture
def wall_clock() -> Clock:
    return Clock(datetime.now(UTC))


def test_a_session_is_cached_until_shortly_before_it_expires(lobby: LobbyWithTargets, wall_clock: Clock) -> None:
    sessions, target = Sessions(aws.client("sts"), wall_clock), lobby.targets.get(A)
    lobby.calls.forget()
    first = sessions.of(target)
    wall_clock.advance(minutes=50)
    assert sessions.of(target) is first
    wall_clock.advance(minutes=6)
    assert sessions.of(target) is not first
    assert lobby.calls.names() == ["AssumeRole", "AssumeRole"]
    assert {call.params["DurationSeconds"] for call in lobby.calls.made} == {3600}


def test_every_target_and_every_external_id_has_its_own_session(lobby: LobbyWithTargets, wall_clock: Clock) -> None:
    sessions = Sessions(aws.client("sts"), wall_clock)
    a, b = lobby.targets.get(A), lobby.targets.get(B)
    lobby.calls.forget()
    renewed = replace(a, externalid="another")
    assert len({id(sessions.of(target)) for target in (a, b, renewed, a)}) == 3
    assert [call.params["ExternalId"] for call in lobby.calls.made] == [
        "external id of A",
        "external id of B",
        "another",
    ]


def test_a_dropped_session_is_assumed_again(lobby: LobbyWithTargets, wall_clock: Clock) -> None:
    sessions, target = Sessions(aws.client("sts"), wall_clock), lobby.targets.get(A)
    first = sessions.of(target)
    sessions.discard(target)
    sessions.discard(target)
    assert sessions.of(target) is not first


def test_a_session_acts_in_its_account_and_region(lobby: LobbyWithTargets, wall_clock: Clock) -> None:
    session = Sessions(aws.client("sts"), wall_clock).of(lobby.targets.get(B))
    session.iot.create_thing(thingName="x")
    assert session.iot.meta.region_name == session.iot_data.meta.region_name == "us-east-1"
    assert list(aws.registry(B)["things"]) == ["x"]
    assert aws.registry(A)["things"] == {}
    assert session.endpoint == session.endpoint == "a1b2c3d4-ats.iot.us-east-1.amazonaws.com"
    assert lobby.calls.count()["DescribeEndpoint"] == 1


def test_a_session_allows_no_more_than_commissioning_needs() -> None:
    target = parse_target("4" * 12, "ap-south-1")
    for statement in commissioning_policy(target)["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all(action.startswith("iot:") and "*" not in action for action in actions)
        deletes = [action for action in actions if "Delete" in action]
        assert deletes in ([], ["iot:DeleteConnection"], ["iot:DeleteThingShadow"])
        assert "CreatePolicy" not in str(actions)
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        limited = all(each.startswith("arn:aws:iot:ap-south-1:444444444444:") for each in resources)
        condition = {"aws:RequestedRegion": "ap-south-1", "aws:PrincipalAccount": "444444444444"}
        assert limited or statement["Condition"] == {"StringEquals": condition}
