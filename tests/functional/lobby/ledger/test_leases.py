"""Leases of registrations: which run may take one, which must wait, and which messages are complete."""

import pytest

from lobby.ledger.leases import KEPT, LEASE, Registration, RegistrationLeases, RunResult, TakeResult
from lobby.names import Fingerprint
from tests import aws
from tests.aws import Calls, Clock

ONE, TWO = Fingerprint("1a" * 32), Fingerprint("2b" * 32)


class Messages:
    """Messages of one clock: `new` is sent now."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.count = clock, 0

    def new(self, certid: Fingerprint = ONE) -> Registration:
        self.count += 1
        return Registration(certid, f"message-{self.count}", int(self.clock().timestamp() * 1000))


@pytest.fixture
def messages(calls: Calls, clock: Clock) -> Messages:
    return Messages(clock)


@pytest.fixture
def leases(messages: Messages) -> RegistrationLeases:
    return RegistrationLeases(messages.clock)


def test_a_message_that_was_sent_before_the_run_began_is_a_duplicate(
    leases: RegistrationLeases, messages: Messages
) -> None:
    first, second = messages.new(), messages.new()
    messages.clock.advance(seconds=1)
    assert leases.take(first) is TakeResult.TAKEN
    assert leases.take(second) is TakeResult.DUPLICATE
    leases.end(first, RunResult.DECIDED)
    assert leases.take(second) is TakeResult.DUPLICATE
    assert leases.take(first) is TakeResult.DUPLICATE


@pytest.mark.parametrize(
    ("result", "following"),
    [
        (RunResult.DECIDED, TakeResult.DUPLICATE),
        (RunResult.UNCHANGED, TakeResult.TAKEN),
        (RunResult.FAILED, TakeResult.TAKEN),
    ],
)
def test_a_message_that_was_sent_during_a_run_needs_another_run_unless_that_run_has_decided(
    leases: RegistrationLeases, messages: Messages, result: RunResult, following: TakeResult
) -> None:
    first = messages.new()
    assert leases.take(first) is TakeResult.TAKEN
    messages.clock.advance(seconds=1)
    during = messages.new()
    assert leases.take(during) is TakeResult.BUSY
    messages.clock.advance(seconds=1)
    leases.end(first, result)
    assert leases.take(during) is following


def test_a_message_that_was_sent_after_the_decision_is_processed(
    leases: RegistrationLeases, messages: Messages
) -> None:
    """The certificate was deleted, and the device has connected again."""
    first = messages.new()
    leases.take(first)
    leases.end(first, RunResult.DECIDED)
    messages.clock.advance(days=1)
    assert leases.take(messages.new()) is TakeResult.TAKEN


def test_the_lease_of_a_crashed_run_ends_and_its_own_message_need_not_wait(
    leases: RegistrationLeases, messages: Messages
) -> None:
    crashed, other = messages.new(), messages.new()
    leases.take(crashed)
    messages.clock.advance(seconds=LEASE.seconds - 1)
    later = messages.new()
    assert leases.take(later) is TakeResult.BUSY
    assert leases.take(crashed) is TakeResult.TAKEN
    messages.clock.advance(seconds=LEASE.seconds)
    assert leases.take(other) is TakeResult.TAKEN


def test_a_failed_run_gives_the_lease_back_without_a_decision(leases: RegistrationLeases, messages: Messages) -> None:
    failed, other = messages.new(), messages.new()
    messages.clock.advance(seconds=1)
    leases.take(failed)
    leases.end(failed, RunResult.FAILED)
    assert leases.completed([other]) == frozenset()
    assert leases.take(other) is TakeResult.TAKEN


def test_a_run_that_lost_its_lease_does_not_end_that_of_its_successor(
    leases: RegistrationLeases, messages: Messages
) -> None:
    slow = messages.new()
    leases.take(slow)
    messages.clock.advance(seconds=LEASE.seconds)
    successor = messages.new()
    assert leases.take(successor) is TakeResult.TAKEN
    leases.end(slow, RunResult.DECIDED)
    messages.clock.advance(seconds=1)
    assert leases.take(messages.new()) is TakeResult.BUSY


def test_completed_registrations_are_read_for_a_whole_batch(
    leases: RegistrationLeases, messages: Messages, calls: Calls
) -> None:
    before, of_two = messages.new(), messages.new(TWO)
    messages.clock.advance(seconds=1)
    for message in (before, of_two):
        leases.take(message)
        leases.end(message, RunResult.DECIDED)
    messages.clock.advance(seconds=1)
    calls.forget()
    assert leases.completed([before, messages.new(TWO), messages.new(Fingerprint("3c" * 32))]) == {ONE}
    assert calls.names() == ["BatchGetItem"]


def test_a_lease_expires_after_the_queue_has_dropped_every_message(
    leases: RegistrationLeases, messages: Messages
) -> None:
    leases.take(messages.new())
    [row] = aws.items("device-lobby-registrations")
    assert int(row["expires"]["N"]) == int(messages.clock().timestamp()) + KEPT.total_seconds()
