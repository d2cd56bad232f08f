"""The ledger's methods: entries, conflicts with other events, names, and rows that are removed."""

from collections.abc import Callable

import pytest
from pynamodb.exceptions import PutError

from lobby.domain.device import Device
from lobby.domain.identity import Identity
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, NotFound
from lobby.ledger.models import HistoryRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target, ThingName
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.lobby.ledger.ledger_devices import (
    ANN,
    ONE,
    TWO,
    WHO,
    A,
    B,
    admitted,
    arrived,
    in_lobby,
    verified_events,
)


def test_a_device_has_a_valid_history_from_admission_to_arrival(ledger: Ledger) -> None:
    device = arrived(ledger)
    assert ledger.get(ONE) == device
    assert (device.devstate, device.version, device.generation) == (State.ARRIVED, 5, 1)
    assert verified_events(ledger) == [Event.ADMIT, Event.HELLO, Event.CLAIM, Event.COMMISSION, Event.ARRIVE]
    assert [entry.actor for entry in ledger.history(ONE)][2] == ANN
    assert ledger.history(ONE)[2].target == str(A)


@pytest.mark.parametrize(
    ("change", "state", "event", "lane"),
    [
        (lambda ledger: ledger.move(ONE, ClaimRequest(B), ANN), State.CLAIMED, Event.MOVE, B),
        (lambda ledger: ledger.release(ONE, ANN), State.INLOBBY, Event.RELEASE, A),
        (lambda ledger: ledger.revoke(ONE, "stolen", ANN), State.REVOKED, Event.REVOKE, A),
    ],
    ids=["move", "release", "revoke"],
)
def test_an_operator_s_action_is_one_entry_and_needs_the_commissioner(
    ledger: Ledger, change: Callable[[Ledger], Device], state: State, event: Event, lane: Target
) -> None:
    arrived(ledger)
    after = change(ledger)
    assert (after.devstate, after.needs_commissioner, after.targets_to_clear) == (state, True, (A,))
    assert verified_events(ledger)[5:] == [event]
    assert (aws.item(ONE) or {})["turn"] == {"S": f"commissioner#{lane}#1"}


def test_a_failure_and_its_retry_are_entries_with_their_reason(ledger: Ledger) -> None:
    in_lobby(ledger)
    failed = ledger.fail(ledger.claim(ONE, ClaimRequest(A), ANN), "TARGET_LIMIT", "full", "service:commissioner")
    assert (failed.devstate, failed.reason) == (State.FAILED, "TARGET_LIMIT")
    assert ledger.retry(ONE, ANN).devstate is State.CLAIMED
    assert verified_events(ledger)[-2:] == [Event.FAIL, Event.RETRY]
    assert ledger.history(ONE)[-2].reason == "TARGET_LIMIT"


def test_a_refusal_is_written_with_its_reason_and_once(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.refuse(ONE, ThingName("sensor-1"), "EXPIRED", "too old", "service:bouncer")
    device = ledger.get(ONE)
    assert device is not None
    assert (device.devstate, device.reason, device.message, device.devicename) == (
        State.REFUSED,
        "EXPIRED",
        "too old",
        "sensor-1",
    )
    assert verified_events(ledger) == [Event.REFUSE]


def test_a_cleared_target_is_an_entry_that_names_it(ledger: Ledger) -> None:
    arrived(ledger)
    released = ledger.release(ONE, ANN)
    assert released is not None
    after = ledger.retire(released, A, "service:commissioner")
    assert (after.targets_to_clear, after.needs_commissioner) == ((), False)
    assert ledger.history(ONE)[-1].target == str(A)
    assert "turn" not in (aws.item(ONE) or {})


def test_an_event_that_changes_nothing_writes_nothing(ledger: Ledger, calls: Calls) -> None:
    in_lobby(ledger)
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    calls.forget()
    assert ledger.claim(ONE, ClaimRequest(A), "user:bob") == claimed
    assert calls.names() == ["GetItem"]


def test_an_unknown_device_is_not_found_and_no_row_appears(ledger: Ledger) -> None:
    events: list[Callable[[], object]] = [
        lambda: ledger.move(ONE, ClaimRequest(A), ANN),
        lambda: ledger.release(ONE, ANN),
        lambda: ledger.retry(ONE, ANN),
    ]
    for call in events:
        with pytest.raises(NotFound, match="UNKNOWN_DEVICE"):
            call()
    assert ledger.get(ONE) is None
    assert aws.tables()["device-lobby-history"] == []


def test_a_refused_event_writes_nothing(ledger: Ledger, calls: Calls) -> None:
    arrived(ledger)
    before = aws.tables()
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        ledger.claim(ONE, ClaimRequest(B), ANN)
    assert aws.tables() == before


def test_a_second_certificate_with_the_same_name_is_refused(ledger: Ledger) -> None:
    admitted(ledger)
    before = aws.tables()
    with pytest.raises(Conflict, match="NAME_TAKEN") as taken:
        admitted(ledger, Identity(TWO, WHO.name, "PEM 2"))
    assert ONE in taken.value.message
    assert aws.tables() == before


def test_the_name_of_a_revoked_certificate_is_free(ledger: Ledger) -> None:
    admitted(ledger)
    ledger.revoke(ONE, "replaced", ANN)
    assert admitted(ledger, Identity(TWO, WHO.name, "PEM 2")).devstate is State.KNOCKING
    with pytest.raises(Conflict, match="NAME_TAKEN"):
        admitted(ledger)
    with pytest.raises(Conflict, match="NAME_TAKEN"):
        admitted(ledger, Identity(Fingerprint("3c" * 32), WHO.name, "PEM 3"))


def test_of_two_concurrent_admissions_with_one_name_one_wins(ledger: Ledger, calls: Calls) -> None:
    calls.meanwhile["TransactWriteItems"] = lambda: admitted(ledger, Identity(TWO, WHO.name, "PEM 2"))
    with pytest.raises(Conflict, match="NAME_TAKEN"):
        admitted(ledger)
    assert ledger.get(ONE) is None
    assert ledger.get(TWO) is not None


def test_an_expected_device_holds_no_name(ledger: Ledger) -> None:
    ledger.claim(TWO, ClaimRequest(A), ANN)
    admitted(ledger)
    assert aws.tables()["device-lobby-names"] == [{"devicename": {"S": "sensor-1"}, "certid": {"S": ONE}}]


def test_a_repeated_release_has_the_same_result(ledger: Ledger) -> None:
    ledger.claim(ONE, ClaimRequest(A), ANN)
    assert ledger.release(ONE, ANN) is None
    assert ledger.release(ONE, ANN) is None
    assert [entry.event for entry in ledger.history(ONE)] == [Event.CLAIM, Event.RELEASE]
    with pytest.raises(NotFound, match="UNKNOWN_DEVICE"):
        ledger.release(TWO, ANN)


def test_a_released_expected_device_keeps_its_history_and_a_later_claim_continues_it(
    ledger: Ledger, calls: Calls
) -> None:
    ledger.claim(ONE, ClaimRequest(A), ANN)
    assert ledger.release(ONE, ANN) is None
    assert aws.item(ONE) is None
    assert verified_events(ledger) == [Event.CLAIM, Event.RELEASE]
    ledger.claim(ONE, ClaimRequest(B), ANN)
    assert verified_events(ledger) == [Event.CLAIM, Event.RELEASE, Event.CLAIM]
    assert admitted(ledger).devstate is State.CLAIMED
    assert verified_events(ledger)[-1] is Event.ADMIT


def test_an_entry_of_the_history_cannot_be_overwritten(ledger: Ledger) -> None:
    admitted(ledger)
    entry = next(iter(HistoryRow.query(ONE)))
    entry.actor = "user:mallory"
    with pytest.raises(PutError):
        entry.save(condition=HistoryRow.certid.does_not_exist())


def test_times_are_read_for_each_write(ledger: Ledger, clock: Clock) -> None:
    device = admitted(ledger)
    clock.advance(hours=3)
    ledger.hello(device, None, "service:receptionist")
    assert [entry.at for entry in ledger.history(ONE)] == ["2026-11-22T12:00:00.000Z", "2026-11-22T15:00:00.000Z"]
