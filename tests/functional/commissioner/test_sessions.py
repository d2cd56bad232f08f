"""The assumed roles: kept while they last, renewed in time, one per target and secret."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from commissioner.target_gateway.sessions import Sessions, session_policy
from lobby.names import parse_target
from tests import aws
from tests.aws import Clock
from tests.functional.commissioner.workshop import A, B, Workshop


@pytest.fixture
def wall() -> Clock:
    return Clock(datetime.now(UTC))


def test_a_session_is_kept_until_shortly_before_its_end(shop: Workshop, wall: Clock) -> None:
    sessions, target = Sessions(aws.client("sts"), wall), shop.targets.get(A)
    shop.calls.forget()
    first = sessions.of(target)
    wall.advance(minutes=50)
    assert sessions.of(target) is first
    wall.advance(minutes=6)
    assert sessions.of(target) is not first
    assert shop.calls.names() == ["AssumeRole", "AssumeRole"]
    assert {call.params["DurationSeconds"] for call in shop.calls.made} == {3600}


def test_every_target_and_every_secret_has_a_session_of_its_own(shop: Workshop, wall: Clock) -> None:
    sessions = Sessions(aws.client("sts"), wall)
    a, b = shop.targets.get(A), shop.targets.get(B)
    shop.calls.forget()
    renewed = replace(a, externalid="another")
    assert len({id(sessions.of(target)) for target in (a, b, renewed, a)}) == 3
    assert [call.params["ExternalId"] for call in shop.calls.made] == ["secret of A", "secret of B", "another"]


def test_a_forgotten_session_is_asked_for_anew(shop: Workshop, wall: Clock) -> None:
    sessions, target = Sessions(aws.client("sts"), wall), shop.targets.get(A)
    first = sessions.of(target)
    sessions.forget(target)
    sessions.forget(target)
    assert sessions.of(target) is not first


def test_a_session_speaks_for_its_account_and_region(shop: Workshop, wall: Clock) -> None:
    session = Sessions(aws.client("sts"), wall).of(shop.targets.get(B))
    session.iot.create_thing(thingName="x")
    assert session.iot.meta.region_name == session.iot_data.meta.region_name == "us-east-1"
    assert list(aws.registry(B)["things"]) == ["x"]
    assert aws.registry(A)["things"] == {}
    assert session.endpoint == session.endpoint == "a1b2c3d4-ats.iot.us-east-1.amazonaws.com"
    assert shop.calls.count()["DescribeEndpoint"] == 1


def test_a_session_allows_no_more_than_commissioning_takes() -> None:
    target = parse_target("4" * 12, "ap-south-1")
    for statement in session_policy(target)["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all(action.startswith("iot:") and "*" not in action for action in actions)
        assert "Delete" not in str(actions)
        assert "CreatePolicy" not in str(actions)
        bounded = statement["Resource"].startswith("arn:aws:iot:ap-south-1:444444444444:")
        here = {"aws:RequestedRegion": "ap-south-1", "aws:PrincipalAccount": "444444444444"}
        assert bounded or statement["Condition"] == {"StringEquals": here}
