"""The ledger's stream: batches, order, what waited too long, and being cut off anywhere and called again."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from pynamodb.exceptions import TransactWriteError

from commissioner.commissioning import Commissioner
from commissioner.lambdas import stream
from lobby.domain.states import State
from lobby.errors import Conflict
from lobby.ledger.store import Ledger
from tests import aws
from tests.aws import Calls, Clock, CutOff
from tests.functional.commissioner.workshop import ONE, THREE, TWO, A, B, Record, Workshop, statuses


@pytest.fixture
def three(calls: Calls, clock: Clock) -> Workshop:
    return Workshop(calls, clock, "sensor-1", "sensor-2", "sensor-3")


def states(shop: Workshop) -> list[State]:
    return [shop.device(certid).devstate for certid in (ONE, TWO, THREE)]


def throttled(shop: Workshop, on: str) -> None:
    """The next call of this operation, and no later one, is one too many."""

    def once() -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, on)

    shop.calls.meanwhile[on] = once


def test_a_batch_of_devices_is_served_whole(three: Workshop) -> None:
    assert three.deliver(three.claim(ONE), three.claim(TWO, B), three.claim(THREE)) == []
    assert states(three) == [State.COMMISSIONED] * 3
    assert three.calls.count()["AssumeRole"] == 2
    assert three.calls.count()["DescribeEndpoint"] == 2


def test_one_that_fails_is_reported_and_the_others_go_on(three: Workshop) -> None:
    records = [three.claim(ONE), three.claim(TWO), three.claim(THREE)]
    throttled(three, "CreateThing")
    assert three.deliver(*records) == [0]
    assert states(three) == [State.CLAIMED, State.COMMISSIONED, State.COMMISSIONED]
    assert three.deliver(*records) == []
    assert states(three) == [State.COMMISSIONED] * 3


def test_later_records_of_a_device_wait_behind_its_failed_one(three: Workshop) -> None:
    records = [three.claim(ONE), three.claim(TWO), three.move(ONE)]
    throttled(three, "CreateThing")
    assert three.deliver(*records) == [0, 2]
    assert states(three)[:2] == [State.CLAIMED, State.COMMISSIONED]
    assert statuses(ONE) == ("ACTIVE", None, None)
    assert three.deliver(*records) == []
    assert statuses(ONE) == ("ACTIVE", "INACTIVE", "ACTIVE")
    assert three.device(ONE).target == B


POISON: dict[str, Callable[[Record], object]] = {
    "no image": lambda change: change.pop("NewImage"),
    "no such state": lambda change: change["NewImage"].update(devstate={"S": "resting"}),
    "no target": lambda change: change["NewImage"].update(target={"S": "nowhere"}),
    "no number": lambda change: change["NewImage"].update(version={"S": "one"}),
    "no time": lambda change: change.update(ApproximateCreationDateTime="yesterday"),
}


@pytest.mark.parametrize("spoil", POISON.values(), ids=POISON)
def test_a_record_that_cannot_be_read_is_handed_over_and_holds_nobody_up(
    three: Workshop, spoil: Callable[[Record], object]
) -> None:
    bad = three.claim(ONE)
    spoil(bad["dynamodb"])
    assert three.deliver(bad, three.claim(TWO)) == []
    assert states(three)[:2] == [State.CLAIMED, State.COMMISSIONED]
    assert [certid for certid, _ in three.handed_over] == [ONE]


def test_what_we_keep_failing_at_ourselves_is_handed_over_when_it_has_been_tried_for_minutes(
    three: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed = three.claim(ONE)
    monkeypatch.setattr(Commissioner, "serve", _fault_of_ours)
    assert three.deliver(claimed) == [0]
    assert three.handed_over == []
    three.clock.advance(seconds=200)
    assert three.deliver(claimed) == []
    assert three.handed_over == [(ONE, "AttributeError: a fault of ours")]


def _fault_of_ours(_self: Commissioner, _device: object) -> str:
    raise AttributeError("a fault of ours")


def test_what_cannot_be_handed_over_comes_again(three: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_keys: object, _why: str) -> None:
        raise EndpointConnectionError(endpoint_url="sqs")

    monkeypatch.setattr(three.desk, "_hand_over", refused)
    bad = three.claim(ONE)
    del bad["dynamodb"]["NewImage"]
    assert three.deliver(bad, three.claim(TWO)) == [0]
    assert states(three)[1] is State.COMMISSIONED


def test_the_ledger_s_own_troubles_are_never_handed_over(three: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> None:
        raise TransactWriteError("busy", EndpointConnectionError(endpoint_url="dynamodb"))

    claimed = three.claim(ONE)
    monkeypatch.setattr(Ledger, "commission", busy)
    three.clock.advance(seconds=3600)
    assert three.deliver(claimed) == [0]
    assert three.handed_over == []


# A target that does not answer holds up nobody else.


def gone(shop: Workshop) -> None:
    """Target A answers no more."""
    shop.calls.instead["CreateThing"] = _answers_in_b_only(shop)


def _answers_in_b_only(shop: Workshop) -> Callable[[dict[str, Any], Callable[[], Any]], Any]:
    def call(_params: dict[str, Any], make: Callable[[], Any]) -> Any:
        if shop.calls.made[-1].region == A.region:
            raise EndpointConnectionError(endpoint_url="https://iot.eu-west-1")
        return make()

    return call


def test_after_one_call_without_an_answer_the_target_s_other_devices_are_not_tried(three: Workshop) -> None:
    gone(three)
    records = [three.claim(ONE), three.claim(TWO), three.claim(THREE, B)]
    assert three.deliver(*records) == [0, 1]
    assert three.calls.count()["CreateThing"] == 2
    assert states(three) == [State.CLAIMED, State.CLAIMED, State.COMMISSIONED]
    three.clock.advance(seconds=6)
    three.calls.instead.clear()
    assert three.deliver(*records[:2]) == []
    assert states(three) == [State.COMMISSIONED] * 3


def test_devices_of_a_target_that_was_silent_for_a_minute_say_so_and_later_ones_at_once(three: Workshop) -> None:
    gone(three)
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


def test_a_record_that_waited_is_checked_against_the_ledger_first(shop: Workshop) -> None:
    record = shop.claim()
    shop.clock.advance(seconds=10)
    assert shop.deliver(record) == []
    assert shop.calls.names()[0] == "GetItem"
    assert shop.device().devstate is State.COMMISSIONED


@pytest.mark.parametrize("change", ["move", "release", "revoke"])
def test_a_record_that_was_overtaken_while_it_waited_registers_nothing(shop: Workshop, change: str) -> None:
    record = shop.claim()
    later = getattr(shop, change)()
    shop.clock.advance(seconds=10)
    assert shop.deliver(record) == []
    assert aws.registry(A)["certificates"] == {}
    assert shop.deliver(later) == []
    assert statuses()[1:] == (None, "ACTIVE" if change == "move" else None)


def test_a_record_whose_device_is_gone_is_passed_over(shop: Workshop) -> None:
    record = shop.claim()
    record["dynamodb"]["NewImage"]["certid"] = {"S": TWO}
    shop.clock.advance(seconds=10)
    assert shop.deliver(record) == []


@pytest.mark.parametrize("fault", ["throttled", "cut off"])
def test_a_claim_that_comes_again_after_its_release_leaves_nothing_active(shop: Workshop, fault: str) -> None:
    """Both records were done; the batch came again for another's sake, and the first failed on its way."""
    records = [shop.claim(), shop.release()]
    assert shop.deliver(*records) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)
    if fault == "throttled":
        throttled(shop, "AttachPolicy")
        assert shop.deliver(*records) == [0, 1]
    else:
        shop.calls.forget()
        did = ["CreateThing", "RegisterCertificateWithoutCA", "DescribeCertificate", "UpdateCertificate"]
        shop.calls.cut_after = len(did)
        with pytest.raises(CutOff):
            shop.deliver(*records)
        shop.calls.cut_after = None
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    shop.clock.advance(seconds=10)
    assert shop.deliver(*records) == []
    assert statuses() == ("ACTIVE", "INACTIVE", None)


def test_a_claim_that_comes_again_after_its_release_and_is_refused_midway_leaves_nothing_active(
    shop: Workshop,
) -> None:
    records = [shop.claim(), shop.release()]
    assert shop.deliver(*records) == []
    shop.calls.fails["AttachPolicy"] = ClientError({"Error": {"Code": "LimitExceededException"}}, "AttachPolicy")
    shop.calls.forget()
    assert shop.deliver(records[0]) == []
    assert shop.calls.count()["UpdateCertificate"] == 2
    assert statuses() == ("ACTIVE", "INACTIVE", None)


def test_what_was_cut_off_after_its_word_is_brought_to_its_end_even_where_the_target_now_refuses(
    shop: Workshop,
) -> None:
    """A device that is in its target already hears of its new config by this push alone."""
    shop.settle()
    with shop.calls.uncounted():
        shop.ledger.move(ONE, _claim_of_a_again(), "user:ann")
    record = shop.record()
    shop.calls.cut_after = len(CLAIM_IN_THE_SAME_TARGET)
    with pytest.raises(CutOff):
        shop.deliver(record)
    assert shop.calls.names() == CLAIM_IN_THE_SAME_TARGET
    shop.calls.cut_after = None
    shop.desk = shop.another_desk()
    shop.calls.fails["CreateThing"] = ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateThing")
    assert shop.deliver(record) == []
    assert shop.device().devstate is State.COMMISSIONED
    assert [topic for topic, _ in aws.published(A)] == ["lobby/sensor-1"]


CLAIM_IN_THE_SAME_TARGET = [
    "CreateThing",
    "RegisterCertificateWithoutCA",
    "DescribeCertificate",
    "AttachThingPrincipal",
    "AttachPolicy",
    "ListAttachedPolicies",
    "TransactWriteItems",
]


@pytest.mark.parametrize("word", ["commission", "fail"])
def test_a_row_that_is_too_busy_for_the_commissioners_word_is_tried_again(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    def busy(*_: Any) -> None:
        raise Conflict("CHANGED_MEANWHILE", "got a device that keeps changing, want it at rest: try again")

    record = shop.claim()
    if word == "fail":
        shop.calls.fails["AssumeRole"] = ClientError({"Error": {"Code": "AccessDenied"}}, "AssumeRole")
    with monkeypatch.context() as patched:
        patched.setattr(Ledger, word, busy)
        assert shop.deliver(record) == [0]
    assert shop.device().devstate is State.CLAIMED
    assert shop.deliver(record) == []
    assert shop.device().devstate is (State.FAILED if word == "fail" else State.COMMISSIONED)


def test_an_overtaken_claim_does_not_put_out_of_use_what_the_present_one_holds(shop: Workshop) -> None:
    first = shop.claim()
    with shop.calls.uncounted():
        shop.ledger.move(ONE, _claim_of_a_again(), "user:ann")
    assert shop.deliver(shop.record()) == []
    shop.clock.advance(seconds=10)
    assert shop.deliver(first) == []
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    assert shop.device().devstate is State.COMMISSIONED


def _claim_of_a_again() -> Any:
    from lobby.domain.transitions import ClaimRequest  # noqa: PLC0415

    return ClaimRequest(A, "default", "another config")


def test_an_overtaken_claim_leaves_what_is_to_be_cleared_to_the_claim_that_clears_it(shop: Workshop) -> None:
    """The device still works in A, and is told to leave when B is ready, not before."""
    shop.settle()
    with shop.calls.uncounted():
        shop.ledger.move(ONE, _claim_of_a_again(), "user:ann")
    again = shop.record()
    moved = shop.move()
    shop.clock.advance(seconds=10)
    assert shop.deliver(again) == []
    assert statuses() == ("ACTIVE", "ACTIVE", None)
    assert shop.deliver(moved) == []
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    assert aws.published(A) == [("lobby/sensor-1", b'{"config": "factory reset"}')]


# Cut off after any call, and called again: at once, with the record still fresh, or later.


def claim(shop: Workshop) -> Record:
    return shop.claim()


def move(shop: Workshop) -> Record:
    shop.begin_settled()
    return shop.move()


def release(shop: Workshop) -> Record:
    shop.begin_settled()
    return shop.release()


def revoke(shop: Workshop) -> Record:
    shop.begin_settled()
    return shop.revoke()


LENGTHS: dict[Callable[[Workshop], Record], int] = {claim: 9, move: 17, release: 6, revoke: 6}


@cache
def end(story: Callable[[Workshop], Record], cut_after: int | None, wait: int) -> tuple[Any, ...]:
    with aws.aws() as calls:
        shop = Workshop(calls, Clock())
        record = story(shop)
        calls.cut_after = cut_after
        if cut_after is None:
            assert shop.deliver(record) == []
            assert len(calls.made) == LENGTHS[story]
        else:
            with pytest.raises(CutOff):
                shop.deliver(record)
            calls.cut_after = None
            shop.clock.advance(seconds=wait)
            shop.desk = shop.another_desk()
            assert shop.deliver(record) == []
        device = shop.device()
        kept = (
            device.devstate,
            device.target,
            device.targets_to_clear,
            device.needs_commissioner,
            device.iotep,
            device.reason,
        )
        told = {target: {*aws.published(target)} for target in (aws.HOME, A, B)}
        return kept, shop.events(), told, [aws.registry(target) for target in (aws.HOME, A, B)]


CUTS = [(story, number) for story, length in LENGTHS.items() for number in range(1, length + 1)]


@pytest.mark.parametrize("wait", [0, 10], ids=["at once", "later"])
@pytest.mark.parametrize(("story", "number"), CUTS, ids=[f"{story.__name__}-{number}" for story, number in CUTS])
def test_being_cut_off_anywhere_ends_as_if_it_had_not_been(
    story: Callable[[Workshop], Record], number: int, wait: int
) -> None:
    assert end(story, number, wait) == end(story, None, 0)


def test_what_there_is_no_time_for_is_handed_back_before_the_lambda_is_cut_off(three: Workshop) -> None:
    records = [three.claim(ONE), three.claim(TWO)]
    left = iter([60.0, 5.0])
    answer = three.desk.take({"Records": records}, lambda: next(left))
    assert answer == {"batchItemFailures": [{"itemIdentifier": records[1]["dynamodb"]["SequenceNumber"]}]}


def test_a_target_that_stays_unreachable_becomes_the_reason_and_holds_nobody_up(shop: Workshop) -> None:
    claimed = shop.claim()
    shop.calls.fails = {"CreateThing": EndpointConnectionError(endpoint_url="eu-west-1")}
    assert shop.deliver(claimed) != []
    shop.clock.advance(seconds=200)
    assert shop.deliver(claimed) == []
    assert (shop.device().devstate, shop.device().reason) == (State.FAILED, "TARGET_UNREACHABLE")


def test_a_throttled_target_is_tried_again_however_long_the_record_has_waited(shop: Workshop) -> None:
    claimed = shop.claim()
    shop.clock.advance(seconds=3600)
    throttled(shop, "CreateThing")
    assert shop.deliver(claimed) != []
    assert shop.device().devstate is State.CLAIMED


def test_a_release_delivered_again_takes_nothing_away_from_the_claim_that_came_after_it(shop: Workshop) -> None:
    shop.settle()
    released, claimed = shop.release(), shop.claim()
    assert shop.deliver(released, claimed) == []
    assert shop.deliver(released) == []
    assert statuses()[1] == "ACTIVE"


class Context:
    """As much of Lambda's context object as is looked at."""

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


def test_the_handler_makes_its_own_desk_from_the_environment(shop: Workshop) -> None:
    stream._desk.cache_clear()
    try:
        assert stream.handler({"Records": [shop.claim()]}, Context()) == {"batchItemFailures": []}
    finally:
        stream._desk.cache_clear()
    assert shop.device().devstate is State.COMMISSIONED
