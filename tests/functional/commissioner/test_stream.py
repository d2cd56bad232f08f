"""The ledger's stream: batches, order, unreadable records and unreachable targets."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from pynamodb.exceptions import TransactWriteError

from commissioner.commissioning import Commissioner
from commissioner.lambdas import stream
from lobby.domain.states import State
from lobby.ledger.store import Ledger
from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import (
    ONE,
    PROFILES,
    THREE,
    TWO,
    A,
    B,
    LobbyWithTargets,
    Record,
    statuses,
    throttle_next,
)


@pytest.fixture
def three(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock, "sensor-1", "sensor-2", "sensor-3")


def states(lobby: LobbyWithTargets) -> list[State]:
    return [lobby.device(certid).devstate for certid in (ONE, TWO, THREE)]


def test_a_batch_of_devices_is_processed_completely(three: LobbyWithTargets) -> None:
    assert three.deliver(three.claim(ONE), three.claim(TWO, B), three.claim(THREE)) == []
    assert states(three) == [State.COMMISSIONED] * 3
    assert three.calls.count()["AssumeRole"] == 2
    assert three.calls.count()["DescribeEndpoint"] == 2


def test_a_failed_record_is_reported_and_the_others_are_processed(three: LobbyWithTargets) -> None:
    records = [three.claim(ONE), three.claim(TWO), three.claim(THREE)]
    throttle_next(three, "CreateThing")
    assert three.deliver(*records) == [0]
    assert states(three) == [State.CLAIMED, State.COMMISSIONED, State.COMMISSIONED]
    assert three.deliver(*records) == []
    assert states(three) == [State.COMMISSIONED] * 3


def test_later_records_of_a_device_wait_behind_its_failed_one(three: LobbyWithTargets) -> None:
    records = [three.claim(ONE), three.claim(TWO), three.move(ONE)]
    throttle_next(three, "CreateThing")
    assert three.deliver(*records) == [0, 2]
    assert states(three)[:2] == [State.CLAIMED, State.COMMISSIONED]
    assert statuses(ONE) == ("ACTIVE", None, None)
    assert three.deliver(*records) == []
    assert statuses(ONE) == ("ACTIVE", "INACTIVE", "ACTIVE")
    assert three.device(ONE).target == B


UNREADABLE: dict[str, Callable[[Record], object]] = {
    "no image": lambda change: change.pop("NewImage"),
    "no such state": lambda change: change["NewImage"].update(devstate={"S": "unheard of"}),
    "no target": lambda change: change["NewImage"].update(target={"S": "nowhere"}),
    "no number": lambda change: change["NewImage"].update(version={"S": "one"}),
    "no time": lambda change: change.update(ApproximateCreationDateTime="yesterday"),
}


@pytest.mark.parametrize("damage", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_record_is_sent_to_the_queue_and_delays_no_other(
    three: LobbyWithTargets, damage: Callable[[Record], object]
) -> None:
    bad = three.claim(ONE)
    damage(bad["dynamodb"])
    assert three.deliver(bad, three.claim(TWO)) == []
    assert states(three)[:2] == [State.CLAIMED, State.COMMISSIONED]
    assert [certid for certid, _ in three.queued] == [ONE]


def test_a_record_that_fails_by_a_defect_is_sent_to_the_queue_after_minutes(
    three: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = three.claim(ONE)
    monkeypatch.setattr(Commissioner, "process", _defect)
    assert three.deliver(claimed) == [0]
    assert three.queued == []
    three.clock.advance(seconds=200)
    assert three.deliver(claimed) == []
    assert three.queued == [(ONE, "AttributeError: a defect")]


def _defect(_self: Commissioner, _device: object) -> str:
    raise AttributeError("a defect")


def test_a_record_that_cannot_be_sent_to_the_queue_is_handed_back(
    three: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_keys: object, _reason: str) -> None:
        raise EndpointConnectionError(endpoint_url="sqs")

    monkeypatch.setattr(three.processor, "_send_to_queue", refused)
    bad = three.claim(ONE)
    del bad["dynamodb"]["NewImage"]
    assert three.deliver(bad, three.claim(TWO)) == [0]
    assert states(three)[1] is State.COMMISSIONED


def test_errors_of_the_ledger_are_never_sent_to_the_queue(
    three: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise TransactWriteError("busy", EndpointConnectionError(endpoint_url="dynamodb"))

    claimed = three.claim(ONE)
    monkeypatch.setattr(Ledger, "commission", busy)
    three.clock.advance(seconds=3600)
    assert three.deliver(claimed) == [0]
    assert three.queued == []


# A target that does not answer delays no other target.


def make_a_unreachable(lobby: LobbyWithTargets) -> None:
    lobby.calls.instead["CreateThing"] = _answers_in_b_only(lobby)


def _answers_in_b_only(lobby: LobbyWithTargets) -> Callable[[dict[str, Any], Callable[[], Any]], Any]:
    def call(_params: dict[str, Any], make: Callable[[], Any]) -> Any:
        if lobby.calls.made[-1].region == A.region:
            raise EndpointConnectionError(endpoint_url="https://iot.eu-west-1")
        return make()

    return call


def test_after_one_call_without_an_answer_the_targets_other_devices_are_not_tried(three: LobbyWithTargets) -> None:
    make_a_unreachable(three)
    records = [three.claim(ONE), three.claim(TWO), three.claim(THREE, B)]
    assert three.deliver(*records) == [0, 1]
    assert three.calls.count()["CreateThing"] == 2
    assert states(three) == [State.CLAIMED, State.CLAIMED, State.COMMISSIONED]
    three.clock.advance(seconds=6)
    three.calls.instead.clear()
    assert three.deliver(*records[:2]) == []
    assert states(three) == [State.COMMISSIONED] * 3


def test_devices_of_a_target_unreachable_for_a_minute_fail_and_later_ones_at_once(three: LobbyWithTargets) -> None:
    make_a_unreachable(three)
    first = three.claim(ONE)
    assert three.deliver(first) == [0]
    three.clock.advance(seconds=61)
    assert three.deliver(first) == []
    assert (three.device(ONE).devstate, three.device(ONE).reason) == (State.FAILED, "TARGET_UNREACHABLE")
    three.calls.forget()
    three.clock.advance(seconds=20)
    assert three.deliver(three.claim(TWO), three.claim(THREE, B)) == []
    assert three.calls.count()["CreateThing"] == 1
    assert [device.reason for device in map(three.device, (TWO, THREE))] == ["TARGET_UNREACHABLE", None]
    three.clock.advance(seconds=31)
    three.calls.instead.clear()
    assert three.deliver(three.retry(ONE)) == []
    assert three.deliver(three.retry(TWO)) == []
    assert states(three) == [State.COMMISSIONED] * 3


def test_records_without_time_left_are_handed_back(three: LobbyWithTargets) -> None:
    records = [three.claim(ONE), three.claim(TWO)]
    left = iter([60.0, 5.0])
    answer = three.processor.process({"Records": records}, lambda: next(left))
    assert answer == {"batchItemFailures": [{"itemIdentifier": records[1]["dynamodb"]["SequenceNumber"]}]}


def test_a_target_that_stays_unreachable_becomes_the_reason(lobby: LobbyWithTargets) -> None:
    claimed = lobby.claim()
    lobby.calls.fails = {"CreateThing": EndpointConnectionError(endpoint_url="eu-west-1")}
    assert lobby.deliver(claimed) != []
    lobby.clock.advance(seconds=200)
    assert lobby.deliver(claimed) == []
    assert (lobby.device().devstate, lobby.device().reason) == (State.FAILED, "TARGET_UNREACHABLE")


def test_a_throttled_target_is_retried_however_old_the_record_is(lobby: LobbyWithTargets) -> None:
    claimed = lobby.claim()
    lobby.clock.advance(seconds=3600)
    throttle_next(lobby, "CreateThing")
    assert lobby.deliver(claimed) != []
    assert lobby.device().devstate is State.CLAIMED


class Context:
    """The part of Lambda's context object that is used."""

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


def test_the_handler_creates_its_processor_from_the_environment(
    lobby: LobbyWithTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "bundled_profiles", lambda: PROFILES)
    stream._processor.cache_clear()
    try:
        assert stream.handler({"Records": [lobby.claim()]}, Context()) == {"batchItemFailures": []}
    finally:
        stream._processor.cache_clear()
    assert lobby.device().devstate is State.COMMISSIONED
