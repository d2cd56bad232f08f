"""The ledger on its tables: every method, its history, lost races, the names, and presence."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import PutError, TransactWriteError, UpdateError

from lobby.domain.device import Device
from lobby.domain.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, NotFound
from lobby.ledger.models import HistoryRow, LedgerRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target
from tests import aws
from tests.aws import REGION, Calls, Clock

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
ONE, TWO = Fingerprint("1a" * 32), Fingerprint("2b" * 32)
ANN = "user:ann"
WHO = Identity(ONE, ThingName("sensor-1"), "PEM 1")


def admitted(ledger: Ledger, identity: Identity = WHO) -> Device:
    return ledger.admit(identity, "service:bouncer")


def in_lobby(ledger: Ledger) -> Device:
    return ledger.hello(admitted(ledger), "1.0", "service:receptionist")


def at_home(ledger: Ledger) -> Device:
    in_lobby(ledger)
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    return ledger.arrive(ledger.commission(claimed, "a.example", "service:commissioner"), "service:arrivals")


def whole(ledger: Ledger, certid: Fingerprint = ONE) -> list[Event]:
    """The events of a device's history, after a check that it is whole and that the row agrees."""
    device, entries = ledger.get(certid), ledger.history(certid)
    if device is None:
        assert first_broken_entry(entries) is None
    else:
        assert first_broken_entry(entries, version=device.version, head=device.head) is None
    return [entry.event for entry in entries]


def test_a_device_has_a_valid_history_from_admission_to_arrival(ledger: Ledger) -> None:
    device = at_home(ledger)
    assert ledger.get(ONE) == device
    assert (device.devstate, device.version, device.generation) == (State.ARRIVED, 5, 1)
    assert whole(ledger) == [Event.ADMIT, Event.HELLO, Event.CLAIM, Event.COMMISSION, Event.ARRIVE]
    assert [entry.actor for entry in ledger.history(ONE)][2] == ANN
    assert ledger.history(ONE)[2].target == str(A)


@pytest.mark.parametrize(
    ("change", "state", "event"),
    [
        (lambda ledger: ledger.move(ONE, ClaimRequest(B), ANN), State.CLAIMED, Event.MOVE),
        (lambda ledger: ledger.release(ONE, ANN), State.INLOBBY, Event.RELEASE),
        (lambda ledger: ledger.revoke(ONE, "stolen", ANN), State.REVOKED, Event.REVOKE),
    ],
    ids=["move", "release", "revoke"],
)
def test_an_operator_s_action_is_one_entry_and_needs_the_commissioner(
    ledger: Ledger, change: Callable[[Ledger], Device], state: State, event: Event
) -> None:
    at_home(ledger)
    after = change(ledger)
    assert (after.devstate, after.needs_commissioner, after.targets_to_clear) == (state, True, (A,))
    assert whole(ledger)[5:] == [event]
    assert (aws.item(ONE) or {})["turn"] == {"S": "commissioner"}


def test_a_failure_and_its_retry_are_entries_with_their_reason(ledger: Ledger) -> None:
    in_lobby(ledger)
    failed = ledger.fail(ledger.claim(ONE, ClaimRequest(A), ANN), "TARGET_LIMIT", "full", "service:commissioner")
    assert (failed.devstate, failed.reason) == (State.FAILED, "TARGET_LIMIT")
    assert ledger.retry(ONE, ANN).devstate is State.CLAIMED
    assert whole(ledger)[-2:] == [Event.FAIL, Event.RETRY]
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
    assert whole(ledger) == [Event.REFUSE]


def test_a_cleared_target_is_an_entry_that_names_it(ledger: Ledger) -> None:
    at_home(ledger)
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
    at_home(ledger)
    before = aws.tables()
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        ledger.claim(ONE, ClaimRequest(B), ANN)
    assert aws.tables() == before


def cancelled(*codes: str) -> ClientError:
    """A transaction that DynamoDB cancelled for its last writes."""
    reasons = [{"Code": "None"}, {"Code": "None"}, *({"Code": code} for code in codes)]
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": reasons,
    }
    return ClientError(response, "TransactWriteItems")


# Races: what happens between our read and our write.


def test_after_a_conflict_the_event_is_decided_again_with_the_new_row(ledger: Ledger, calls: Calls) -> None:
    device = admitted(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.hello(device, None, "service:receptionist")
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    assert claimed.devstate is State.CLAIMED
    assert whole(ledger) == [Event.ADMIT, Event.HELLO, Event.CLAIM]


def test_of_two_concurrent_claims_one_wins_and_the_other_is_a_conflict(ledger: Ledger, calls: Calls) -> None:
    in_lobby(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.claim(ONE, ClaimRequest(B), "user:bob")
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        ledger.claim(ONE, ClaimRequest(A), ANN)
    device = ledger.get(ONE)
    assert device is not None
    assert (device.target, device.claimedby, device.generation) == (B, "user:bob", 1)
    assert whole(ledger) == [Event.ADMIT, Event.HELLO, Event.CLAIM]


def test_a_concurrent_admission_and_claim_complete_in_either_order(ledger: Ledger, calls: Calls) -> None:
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.claim(ONE, ClaimRequest(A), ANN)
    assert admitted(ledger).devstate is State.CLAIMED
    calls.meanwhile["TransactWriteItems"] = lambda: admitted(ledger, Identity(TWO, ThingName("sensor-2"), "PEM 2"))
    assert ledger.claim(TWO, ClaimRequest(A), ANN).devstate is State.CLAIMED
    assert whole(ledger) == [Event.CLAIM, Event.ADMIT]
    assert whole(ledger, TWO) == [Event.ADMIT, Event.CLAIM]


@pytest.mark.parametrize("word", ["commission", "fail"])
def test_a_commissioner_s_result_for_a_changed_claim_is_rejected(ledger: Ledger, calls: Calls, word: str) -> None:
    in_lobby(ledger)
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.move(ONE, ClaimRequest(B), "user:bob")
    words = {
        "commission": lambda: ledger.commission(claimed, "a.example", "service:commissioner"),
        "fail": lambda: ledger.fail(claimed, "TARGET_LIMIT", "full", "service:commissioner"),
    }
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        words[word]()
    device = ledger.get(ONE)
    assert device is not None
    assert (device.devstate, device.target, device.iotep, device.reason) == (State.CLAIMED, B, None, None)


def test_a_device_that_keeps_changing_is_a_conflict(ledger: Ledger, calls: Calls) -> None:
    admitted(ledger)
    others = iter(range(100))

    def again() -> None:
        calls.meanwhile["TransactWriteItems"] = again
        ledger.record_heartbeat(ledger.get(ONE) or pytest.fail("gone"), None)
        row = LedgerRow.get(ONE)
        row.update(actions=[LedgerRow.version.set(1000 + next(others))])

    calls.meanwhile["TransactWriteItems"] = again
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        ledger.claim(ONE, ClaimRequest(A), ANN)
    assert len(ledger.history(ONE)) == 1


def test_after_a_busy_row_the_event_is_tried_again(calls: Calls, clock: Clock) -> None:
    waits: list[int] = []

    def waited(attempt: int) -> None:
        waits.append(attempt)
        calls.fails.clear()

    ledger = Ledger(REGION, clock, waited)
    calls.fails["TransactWriteItems"] = cancelled("TransactionConflict")
    assert admitted(ledger).devstate is State.KNOCKING
    assert waits == [0]
    assert whole(ledger) == [Event.ADMIT]


def test_an_error_of_dynamodb_is_raised_and_is_not_a_conflict(ledger: Ledger, calls: Calls) -> None:
    calls.fails["TransactWriteItems"] = cancelled("ValidationError")
    with pytest.raises(TransactWriteError):
        admitted(ledger)
    assert calls.count()["TransactWriteItems"] == 1


def test_a_timeout_is_raised(ledger: Ledger, calls: Calls) -> None:
    device = in_lobby(ledger)
    calls.fails |= dict.fromkeys(("TransactWriteItems", "UpdateItem"), ReadTimeoutError(endpoint_url="https://there"))
    with pytest.raises(TransactWriteError):
        ledger.claim(ONE, ClaimRequest(A), ANN)
    with pytest.raises(UpdateError):
        ledger.record_heartbeat(replace(device, lastseen=None), None)


# Too many at once: DynamoDB has no capacity for the transaction, and it is sent again, as the same one.


TOO_MANY = {
    "ThrottlingError": cancelled("ThrottlingError"),
    "ProvisionedThroughputExceeded": cancelled("ProvisionedThroughputExceeded", "None"),
    "ThrottlingException": ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems"),
}


@pytest.mark.parametrize("refusal", TOO_MANY.values(), ids=TOO_MANY)
def test_a_throttled_transaction_is_sent_again_unchanged(calls: Calls, clock: Clock, refusal: ClientError) -> None:
    waits: list[int] = []

    def waited(attempt: int) -> None:
        waits.append(attempt)
        if len(waits) == 2:
            calls.fails.clear()

    ledger = Ledger(REGION, clock, waited)
    calls.fails["TransactWriteItems"] = refusal
    assert admitted(ledger).devstate is State.KNOCKING
    assert waits == [3, 4]
    sent = calls.of("TransactWriteItems")
    assert [call.params for call in sent] == [sent[0].params] * 3
    assert whole(ledger) == [Event.ADMIT]


def test_a_transaction_that_stays_throttled_is_raised(ledger: Ledger, calls: Calls) -> None:
    calls.fails["TransactWriteItems"] = TOO_MANY["ThrottlingError"]
    with pytest.raises(TransactWriteError):
        admitted(ledger)
    assert calls.count()["TransactWriteItems"] == 4
    assert ledger.get(ONE) is None


def test_a_changed_row_is_a_conflict_even_after_throttling(ledger: Ledger, calls: Calls) -> None:
    in_lobby(ledger)

    def meanwhile(_params: dict[str, Any], _call: Callable[[], Any]) -> Any:
        calls.instead.clear()
        with calls.uncounted():
            ledger.claim(ONE, ClaimRequest(B), "user:bob")
        raise cancelled("ThrottlingError", "ConditionalCheckFailed")

    calls.instead["TransactWriteItems"] = meanwhile
    with pytest.raises(Conflict, match="ALREADY_CLAIMED"):
        ledger.claim(ONE, ClaimRequest(A), ANN)


def test_a_transaction_whose_response_was_lost_is_no_conflict(ledger: Ledger, calls: Calls) -> None:
    """The first hello is the event that cannot be decided upon again. DynamoDB knows the transaction by its token."""
    device = admitted(ledger)
    carried_out: set[str] = set()

    def once(params: dict[str, Any], call: Callable[[], Any]) -> Any:
        if params["ClientRequestToken"] in carried_out:
            return {}
        carried_out.add(params["ClientRequestToken"])
        call()
        raise TOO_MANY["ThrottlingException"]

    calls.instead["TransactWriteItems"] = once
    assert ledger.hello(device, None, "service:receptionist").devstate is State.INLOBBY
    assert whole(ledger) == [Event.ADMIT, Event.HELLO]


# Names.


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


# A row that goes, and comes again.


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
    assert whole(ledger) == [Event.CLAIM, Event.RELEASE]
    ledger.claim(ONE, ClaimRequest(B), ANN)
    assert whole(ledger) == [Event.CLAIM, Event.RELEASE, Event.CLAIM]
    assert admitted(ledger).devstate is State.CLAIMED
    assert whole(ledger)[-1] is Event.ADMIT


def test_an_entry_of_the_history_cannot_be_overwritten(ledger: Ledger) -> None:
    admitted(ledger)
    entry = next(iter(HistoryRow.query(ONE)))
    entry.actor = "user:mallory"
    with pytest.raises(PutError):
        entry.save(condition=HistoryRow.certid.does_not_exist())


# Presence.


def test_a_heartbeat_is_written_at_most_once_a_minute(ledger: Ledger, calls: Calls, clock: Clock) -> None:
    device = in_lobby(ledger)
    calls.forget()
    for _ in range(10):
        clock.advance(seconds=5)
        assert not ledger.record_heartbeat(device, "1.0")
    assert calls.names() == []
    clock.advance(seconds=10)
    assert ledger.record_heartbeat(device, "1.0")
    assert calls.names() == ["UpdateItem"]
    after = ledger.get(ONE)
    assert after is not None
    assert after.lastseen == "2026-11-22T12:01:00.000Z"


def test_a_heartbeat_changes_no_index_and_no_history(ledger: Ledger, clock: Clock) -> None:
    device = in_lobby(ledger)
    before = aws.tables()
    clock.advance(minutes=2)
    assert ledger.record_heartbeat(device, "1.0")
    after = aws.tables()
    old, new = before.pop("device-lobby-ledger"), after.pop("device-lobby-ledger")
    assert before == after
    assert {key for key in new[0] if new[0][key] != old[0].get(key)} == {"lastseen"}
    indexes = (LedgerRow.by_state, LedgerRow.by_target, LedgerRow.by_name, LedgerRow.by_print, LedgerRow.by_time)
    assert all("lastseen" not in index.Meta.projection.non_key_attributes for index in indexes)


@pytest.mark.parametrize("state", ["knocking", "claimed", "commissioned", "arrived", "released"])
def test_a_heartbeat_is_written_for_waiting_devices_only(ledger: Ledger, clock: Clock, state: str) -> None:
    device: Device | None = admitted(ledger)
    if state != "knocking":
        device = at_home(ledger)
    if state in ("claimed", "commissioned"):
        device = ledger.move(ONE, ClaimRequest(B), ANN)
    if state == "commissioned" and device:
        device = ledger.commission(device, "b.example", "service:commissioner")
    if state == "released":
        device = ledger.release(ONE, ANN)
    clock.advance(minutes=5)
    before = aws.tables()
    assert device is not None
    assert not ledger.record_heartbeat(device, None)
    assert aws.tables() == before


def test_a_heartbeat_yields_to_a_change_of_the_claim(ledger: Ledger, calls: Calls, clock: Clock) -> None:
    device = in_lobby(ledger)
    clock.advance(minutes=5)
    calls.meanwhile["UpdateItem"] = lambda: ledger.claim(ONE, ClaimRequest(A), ANN)
    assert not ledger.record_heartbeat(device, None)
    assert (aws.item(ONE) or {})["lastseen"] == {"S": "2026-11-22T12:00:00.000Z"}


def test_a_heartbeat_records_the_client_version(ledger: Ledger, clock: Clock) -> None:
    device = in_lobby(ledger)
    clock.advance(minutes=5)
    assert ledger.record_heartbeat(device, "2.0")
    after = ledger.get(ONE)
    assert after is not None
    assert (after.clientversion, after.version) == ("2.0", device.version)


def test_times_are_read_for_each_write(ledger: Ledger, clock: Clock) -> None:
    device = admitted(ledger)
    clock.advance(hours=3)
    ledger.hello(device, None, "service:receptionist")
    assert [entry.at for entry in ledger.history(ONE)] == ["2026-11-22T12:00:00.000Z", "2026-11-22T15:00:00.000Z"]
