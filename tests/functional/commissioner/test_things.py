"""Things in targets are marked when their device arrives or leaves, and removed if the lobby is configured to remove
them."""

import json
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from moto.iot.models import iot_backends

from commissioner.lambdas import marker as module
from commissioner.lambdas.marker import Marker
from commissioner.target_gateway.session_policies import commissioning_policy, marking_policy, survey_policy
from commissioner.target_gateway.sessions import Sessions
from commissioner.target_gateway.things import mark_left
from lobby.contracts.targets import ArrivalMark
from lobby.domain.targets.thing_claim import Progress, ThingClaim
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import ThingName, parse_target
from tests import aws
from tests.functional.commissioner.lobby_with_targets import (
    KEY,
    ONE,
    A,
    B,
    LobbyWithTargets,
    client_error,
    statuses,
    wall_clock,
)

NAME = ThingName("sensor-1")


def claim(target: Any = A) -> str | None:
    found: str | None = aws.registry(target)["things"]["sensor-1"].get("claim")
    return found


def text(generation: int, progress: str, lobby: str = KEY) -> str:
    return f"{generation}:default:{progress}:{lobby}:{ONE}"


def iot_of_a(lobby: LobbyWithTargets) -> Any:
    return Sessions(aws.client("sts"), wall_clock).of(lobby.targets.get(A)).iot


def set_attribute(name: str, value: str) -> None:
    iot_backends[A.account][A.region].describe_thing("sensor-1").attributes[name] = value


def test_a_thing_names_the_claim_and_the_one_that_its_device_has_left_says_so(lobby: LobbyWithTargets) -> None:
    lobby.place()
    assert claim() == text(1, "awaited")
    assert lobby.deliver(lobby.move()) == []
    assert (claim(), claim(B)) == (text(1, "left"), text(2, "awaited"))
    assert lobby.deliver(lobby.move(target=A)) == []
    assert (claim(), claim(B)) == (text(3, "awaited"), text(2, "left"))
    assert lobby.deliver(lobby.revoke()) == []
    assert claim() == text(3, "left")


def test_the_thing_of_an_earlier_version_is_marked_as_left(lobby: LobbyWithTargets) -> None:
    lobby.place()
    del iot_backends[A.account][A.region].describe_thing("sensor-1").attributes["claim"]
    assert lobby.deliver(lobby.release()) == []
    assert claim() == f"0:unknown:left:{KEY}:{ONE}"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("certid", "ef" * 32), ("claim", text(1, "awaited", f"{KEY}/staging")), ("claim", text(3, "awaited"))],
    ids=["another device's", "another lobby's", "a newer claim's"],
)
def test_a_thing_that_is_not_of_this_claim_is_not_marked(lobby: LobbyWithTargets, attribute: str, value: str) -> None:
    lobby.place()
    set_attribute(attribute, value)
    before = aws.registry(A)["things"]
    assert mark_left(iot_of_a(lobby), ONE, NAME, KEY, 2) is None
    assert aws.registry(A)["things"] == before


def test_a_thing_that_changed_since_it_was_read_is_not_marked(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.calls.fails["UpdateThing"] = client_error("VersionConflictException", "UpdateThing")
    assert mark_left(iot_of_a(lobby), ONE, NAME, KEY, 2) is None


def test_the_registration_of_a_device_that_has_left_is_removed_if_the_lobby_is_to_do_that(
    lobby: LobbyWithTargets,
) -> None:
    lobby.place()
    lobby.removes_left = True
    lobby.server = lobby.new_server()
    assert lobby.deliver(lobby.move()) == []
    assert aws.registry(A) == {"certificates": {}, "things": {}, "principals": [], "policies": []}
    assert statuses() == ("ACTIVE", None, "ACTIVE")
    assert lobby.deliver(lobby.move(target=A)) == []
    assert (statuses(), claim()) == (("ACTIVE", "ACTIVE", None), text(3, "awaited"))


@pytest.mark.parametrize("operation", ["DetachPolicy", "DetachThingPrincipal", "DeleteCertificate", "DeleteThing"])
def test_a_removal_that_was_interrupted_is_completed(lobby: LobbyWithTargets, operation: str) -> None:
    lobby.place()
    lobby.removes_left = True
    lobby.server = lobby.new_server()
    lobby.calls.fails[operation] = client_error("InternalFailureException", operation)
    record = lobby.release()
    assert lobby.deliver(record) == [0]
    del lobby.calls.fails[operation]
    assert lobby.deliver(record, number=2) == []
    assert aws.registry(A) == {"certificates": {}, "things": {}, "principals": [], "policies": []}
    assert lobby.device().targets_to_clear == ()


def test_a_registration_is_removed_if_the_response_to_its_mark_was_lost(lobby: LobbyWithTargets) -> None:
    lobby.place()
    lobby.removes_left = True
    lobby.server = lobby.new_server()
    lobby.calls.instead["UpdateThing"] = lose_response
    assert lobby.deliver(lobby.release()) == []
    assert aws.registry(A) == {"certificates": {}, "things": {}, "principals": [], "policies": []}


def lose_response(_params: Any, call: Any) -> Any:
    """Lose the response. The client's own retry then finds the new version of the thing."""
    call()
    raise client_error("VersionConflictException", "UpdateThing")


@pytest.mark.parametrize("code", ["InvalidRequestException", "DeleteConflictException", "VersionConflictException"])
def test_a_thing_that_still_counts_as_attached_or_has_changed_is_tried_again(
    lobby: LobbyWithTargets, code: str
) -> None:
    lobby.place()
    lobby.removes_left = True
    lobby.server = lobby.new_server()
    lobby.calls.fails["DeleteThing"] = client_error(code, "DeleteThing")
    assert lobby.deliver(lobby.release()) == [0]
    assert lobby.device().reason is None


@pytest.fixture
def marker(lobby: LobbyWithTargets) -> Marker:
    lobby.start_placed()
    sessions = Sessions(aws.client("sts"), wall_clock, policy=marking_policy)
    return Marker(RecentTargets(Targets.read_only(), lobby.clock), sessions, KEY)


def deliver(marker: Marker, *bodies: str) -> list[str]:
    records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    answer = module.handler({"Records": records}, None, marker)
    return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]


def mark(generation: int = 1, target: Any = A, name: str = NAME) -> str:
    return json.dumps(ArrivalMark(target, ONE, ThingName(name), generation, "default").encode())


def test_an_arrived_device_is_marked_once_for_all_copies(lobby: LobbyWithTargets, marker: Marker) -> None:
    assert deliver(marker, mark(), mark(), mark()) == []
    assert claim() == text(1, "arrived")
    assert lobby.calls.names() == ["GetItem", "AssumeRole", "DescribeThing", "UpdateThing"]
    assert deliver(marker, mark()) == []
    assert lobby.calls.names()[4:] == ["DescribeThing"]


def test_a_device_that_has_left_without_an_operation_is_awaited_again(lobby: LobbyWithTargets, marker: Marker) -> None:
    awaited = json.dumps(ArrivalMark(A, ONE, NAME, 1, "default", awaited=True).encode())
    assert deliver(marker, awaited) == []
    assert claim() == text(1, "awaited")
    deliver(marker, mark())
    assert claim() == text(1, "arrived")
    assert deliver(marker, awaited, awaited) == []
    assert claim() == text(1, "awaited")


def test_an_outdated_mark_changes_nothing(lobby: LobbyWithTargets, marker: Marker) -> None:
    before = aws.registry(A)
    assert deliver(marker, mark(generation=2), mark(name="sensor-2")) == []
    assert aws.registry(A) == before


def test_an_invalid_mark_and_one_for_an_unknown_target_are_dropped(marker: Marker) -> None:
    foreign = mark(target=parse_target("3" * 12, "eu-west-1"))
    bodies = ["", "[]", "{}", "7", mark().replace("sensor-1", "a/b"), mark(generation=-1), foreign]
    assert deliver(marker, *bodies, mark()) == []
    assert claim() == text(1, "arrived")


@pytest.mark.parametrize(
    ("operation", "code", "failed"),
    [("UpdateThing", "ThrottlingException", ["m0", "m1"]), ("AssumeRole", "AccessDenied", ["m0", "m1", "m2"])],
)
def test_marks_that_a_target_refuses_are_retried(
    lobby: LobbyWithTargets, marker: Marker, operation: str, code: str, failed: list[str]
) -> None:
    lobby.calls.fails[operation] = client_error(code, operation)
    assert deliver(marker, mark(), mark(), mark(generation=2)) == failed
    assert claim() == text(1, "awaited")


def test_a_target_that_does_not_answer_is_called_once_for_all_marks(lobby: LobbyWithTargets, marker: Marker) -> None:
    """Otherwise the run would end before it marks the things in the other targets."""
    lobby.calls.fails["DescribeThing"] = EndpointConnectionError(endpoint_url="https://iot.example")
    assert deliver(marker, mark(), mark(generation=2), mark(generation=3), mark(target=B)) == ["m0", "m1", "m2", "m3"]
    assert lobby.calls.count()["DescribeThing"] == 2


def test_the_marks_of_a_claim_are_those_of_its_registration() -> None:
    awaited = ThingClaim(1, "default", KEY, ONE)
    assert str(awaited.with_progress(Progress.ARRIVED)) == text(1, "arrived")


@pytest.mark.parametrize("removal", [False, True])
def test_session_policies_have_at_most_2048_characters(removal: bool) -> None:
    """IAM and STS quotas, session policies."""
    target = parse_target("1" * 12, "ap-northeast-1")
    for policy in (commissioning_policy, survey_policy):
        assert len(json.dumps(policy(target, removal=removal), separators=(",", ":"))) <= 2048
