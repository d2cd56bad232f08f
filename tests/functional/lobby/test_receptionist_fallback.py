"""Hellos of devices that have arrived: a fallback is recorded, rarely, and only if the hello is newer."""

import pytest

from lobby.contracts.targets import ArrivalMark
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.names import parse_target
from tests import aws
from tests.aws import Clock
from tests.functional.lobby.reception import CERTID, NAME, TARGET, Reception, device, starts_the_commissioner


def ms(clock: Clock) -> int:
    return int(clock().timestamp() * 1000)


@pytest.fixture
def arrived(reception: Reception, clock: Clock) -> Reception:
    """The device has just arrived."""
    reception.hello()
    device = reception.commission()
    clock.advance(minutes=5)
    with reception.calls.uncounted():
        reception.ledger.arrive(device, "service:arrivals")
    reception.calls.forget()
    return reception


def test_a_hello_of_an_arrived_device_is_answered_and_recorded(arrived: Reception, clock: Clock) -> None:
    clock.advance(minutes=2)
    assert arrived.hello(receivedat=ms(clock)) == "fell back"
    assert arrived.calls.names() == ["GetItem", "Publish", "TransactWriteItems"]
    row = device()
    assert row["devstate"]["S"] == State.COMMISSIONED
    assert not starts_the_commissioner(row)
    with arrived.calls.uncounted():
        last = arrived.ledger.history(CERTID)[-1]
    assert (last.event, last.before, last.after) == (Event.HELLO, State.ARRIVED, State.COMMISSIONED)
    arrived.calls.forget()
    clock.advance(minutes=2)
    assert arrived.hello(receivedat=ms(clock)) == "routed"
    assert arrived.calls.names() == ["GetItem", "Publish"]


def test_the_target_is_to_report_a_device_that_has_fallen_back_again(arrived: Reception, clock: Clock) -> None:
    """Otherwise its rule ignores a device whose thing is marked as arrived, and the row stays as it is."""
    clock.advance(minutes=2)
    arrived.hello(receivedat=ms(clock))
    assert arrived.marks == [ArrivalMark(TARGET, CERTID, NAME, 1, "default", awaited=True)]
    clock.advance(minutes=2)
    arrived.hello(receivedat=ms(clock))
    assert len(arrived.marks) == 1


def test_a_fallback_whose_mark_is_not_sent_is_not_recorded_yet(
    arrived: Reception, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(minutes=2)
    received = ms(clock)

    def fail(_mark: ArrivalMark) -> None:
        raise ConnectionError("no answer from the queue")

    with monkeypatch.context() as patched:
        patched.setattr(arrived.receptionist, "_mark", fail)
        with pytest.raises(ConnectionError):
            arrived.hello(receivedat=received)
    assert arrived.hello(receivedat=received) == "fell back"
    assert len(arrived.marks) == 1


@pytest.mark.parametrize("seconds", [-300, -1, 0, 59])
def test_a_hello_from_before_the_arrival_processed_late_changes_nothing(
    arrived: Reception, clock: Clock, seconds: int
) -> None:
    """At most one hello per minute writes."""
    sent_at, before = ms(clock) + seconds * 1000, aws.tables()
    clock.advance(minutes=10)
    assert arrived.hello(receivedat=sent_at) == "routed"
    assert (arrived.calls.names(), aws.tables()) == (["GetItem", "Publish"], before)


def test_a_second_fallback_is_recorded_only_after_twice_the_time(arrived: Reception, clock: Clock) -> None:
    """A device that alternates between lobby and target would add two history entries per minute without end."""
    clock.advance(seconds=61)
    assert arrived.hello(receivedat=ms(clock)) == "fell back"
    with arrived.calls.uncounted():
        returned = arrived.ledger.get(CERTID)
        assert returned is not None
        arrived.ledger.arrive(returned, "service:arrivals")
    clock.advance(seconds=61)
    assert arrived.hello(receivedat=ms(clock)) == "routed"
    clock.advance(seconds=60)
    assert arrived.hello(receivedat=ms(clock)) == "fell back"


@pytest.mark.parametrize("at", [None, "1795348800000", True, 1.5e12, [], {}])
def test_a_hello_without_a_time_is_not_recorded(arrived: Reception, clock: Clock, at: object) -> None:
    clock.advance(minutes=10)
    assert arrived.hello(receivedat=at) == "routed"
    assert device()["devstate"]["S"] == State.ARRIVED


def test_a_move_during_a_fallback_wins(arrived: Reception, clock: Clock) -> None:
    clock.advance(minutes=2)

    def move() -> None:
        arrived.ledger.move(CERTID, ClaimRequest(parse_target("2" * 12, "eu-west-1")), "user:ann")

    arrived.calls.meanwhile["TransactWriteItems"] = move
    assert arrived.hello(receivedat=ms(clock)) == "fell back"
    assert device()["devstate"]["S"] == State.CLAIMED
