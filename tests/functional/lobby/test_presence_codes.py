"""Claims that require proof of presence: codes in the ledger, at the receptionist, and in races."""

import json
from typing import Any

import pytest

from lobby.domain.device import Device
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.presence import MAX_WRONG_CODES
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger.recount import _uncounted
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, PresenceCode, ThingName, parse_target
from lobby.receptionist import Receptionist, handler
from tests import aws
from tests.aws import REGION, Calls, Clock

ONE, TWO, NAME = Fingerprint("1a" * 32), Fingerprint("2b" * 32), ThingName("sensor-1")
A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
ANN = "user:ann"
REQUEST = ClaimRequest(A, presence=True)
WHO = Identity(ONE, NAME, "PEM 1")
RIGHT, WRONG = PresenceCode("00000001"), PresenceCode("99999999")


@pytest.fixture
def ledger(calls: Calls, clock: Clock) -> Ledger:
    """A ledger whose codes count from 00000001."""
    codes = (PresenceCode(f"{number:08}") for number in range(1, 1000))
    return Ledger(REGION, clock, pause=lambda _attempt: None, new_code=lambda: next(codes))


@pytest.fixture
def receptionist(calls: Calls, ledger: Ledger) -> Receptionist:
    return Receptionist(aws.client("iot-data"), ledger)


def hello(receptionist: Receptionist, **fields: Any) -> str:
    event = {"certid": ONE, "devicename": NAME, "receivedat": 1, "clientversion": "1.0"} | fields
    return handler(event, None, receptionist)["outcome"]


def proving(ledger: Ledger, *, shows: bool = True) -> Device:
    ledger.hello(ledger.admit(WHO, "service:bouncer"), "1.0", "service:receptionist", shows)
    return ledger.claim(ONE, REQUEST, ANN)


def now(ledger: Ledger) -> Device:
    device = ledger.get(ONE)
    assert device is not None
    return device


def challenges() -> list[dict[str, Any]]:
    assert {topic for topic, _ in aws.published()} <= {f"lobby/{NAME}"}
    return [json.loads(payload) for _, payload in aws.published()]


def events(ledger: Ledger) -> list[tuple[Event, str | None]]:
    device, entries = now(ledger), ledger.history(ONE)
    assert first_broken_entry(entries, version=device.version, head=device.head) is None
    return [(entry.event, entry.reason) for entry in entries][3:]


def refused(ledger: Ledger, device: Device, code: PresenceCode) -> str:
    with pytest.raises(Conflict) as conflict:
        ledger.confirm(device, code, "user:bob")
    return conflict.value.code


def test_a_claim_that_requires_proof_is_not_registered_before_the_right_code(ledger: Ledger) -> None:
    device = proving(ledger)
    assert (device.devstate, device.code) == (State.PROVING, RIGHT)
    claimed = ledger.confirm(device, RIGHT, "user:bob")
    assert (claimed.devstate, claimed.needs_commissioner, claimed.claimedby) == (State.CLAIMED, True, ANN)
    assert claimed == now(ledger)
    assert events(ledger) == [(Event.CONFIRM, None)]
    assert ledger.history(ONE)[-1].actor == "user:bob"
    assert "code" not in (aws.item(ONE) or {})


def test_repeating_the_right_code_succeeds(ledger: Ledger) -> None:
    device = proving(ledger)
    claimed = ledger.confirm(device, RIGHT, ANN)
    assert ledger.confirm(now(ledger), WRONG, ANN) == claimed
    assert events(ledger) == [(Event.CONFIRM, None)]


def test_each_wrong_code_is_an_entry_and_the_fifth_drops_the_claim(ledger: Ledger, clock: Clock) -> None:
    proving(ledger)
    codes = [refused(ledger, now(ledger), WRONG) for _ in range(MAX_WRONG_CODES)]
    assert codes == ["WRONG_CODE"] * 4 + ["PRESENCE_FAILED"]
    device = now(ledger)
    assert (device.devstate, device.reason, device.target, device.needs_commissioner) == (
        State.INLOBBY,
        "PRESENCE_FAILED",
        None,
        False,
    )
    assert events(ledger) == [(Event.MISMATCH, "WRONG_CODE")] * MAX_WRONG_CODES
    assert refused(ledger, device, RIGHT) == "NOT_ALLOWED"
    with pytest.raises(Conflict, match="PRESENCE_FAILED"):
        ledger.claim(ONE, REQUEST, ANN)
    clock.advance(minutes=10)
    assert ledger.claim(ONE, REQUEST, ANN).code == "00000002"


def test_concurrent_wrong_codes_are_all_counted(ledger: Ledger) -> None:
    """Each has read the row before any was written."""
    device = proving(ledger)
    codes = [refused(ledger, device, WRONG) for _ in range(MAX_WRONG_CODES)]
    assert codes == ["WRONG_CODE"] * 4 + ["PRESENCE_FAILED"]
    assert refused(ledger, device, WRONG) == "CHANGED_MEANWHILE"
    assert refused(ledger, device, RIGHT) == "CHANGED_MEANWHILE"
    assert now(ledger).devstate is State.INLOBBY


def test_a_wrong_code_with_a_conflict_is_counted(ledger: Ledger, calls: Calls) -> None:
    device = proving(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: refused(ledger, device, WRONG)
    assert refused(ledger, device, WRONG) == "WRONG_CODE"
    assert now(ledger).failed_codes == 2


def test_the_right_code_after_a_concurrent_release_confirms_nothing(ledger: Ledger, calls: Calls) -> None:
    device = proving(ledger)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.release(ONE, ANN)
    assert refused(ledger, device, RIGHT) == "CHANGED_MEANWHILE"
    assert now(ledger).devstate is State.INLOBBY


def test_a_retry_creates_a_new_code_and_the_old_one_is_wrong(ledger: Ledger) -> None:
    proving(ledger)
    again = ledger.retry(ONE, ANN)
    assert (again.code, again.needs_commissioner) == ("00000002", True)
    assert refused(ledger, again, RIGHT) == "WRONG_CODE"
    assert ledger.confirm(now(ledger), PresenceCode("00000002"), ANN).devstate is State.CLAIMED


def test_bulk_claims_that_require_proof_have_a_code_each(ledger: Ledger) -> None:
    for certid, name in ((ONE, NAME), (TWO, ThingName("sensor-2"))):
        ledger.hello(ledger.admit(Identity(certid, name, "PEM"), "service:bouncer"), None, "service:receptionist", True)
    three = Fingerprint("3c" * 32)
    outcomes = [
        each for each in ledger.claim_many([ONE, TWO, three], REQUEST, ANN, lambda: False) if isinstance(each, Device)
    ]
    assert [each.devstate for each in outcomes] == [State.PROVING, State.PROVING, State.EXPECTED]
    assert sorted(str(each.code) for each in outcomes) == ["00000001", "00000002", "None"]
    assert outcomes == ledger.claim_many([ONE, TWO, three], REQUEST, ANN, lambda: False)
    assert aws.counts() == {"proving|111111111111/eu-west-1|": 2, "expected|111111111111/eu-west-1|": 1}
    assert list(_uncounted()) == []


def test_the_code_is_in_no_history_and_no_index(ledger: Ledger) -> None:
    proving(ledger)
    refused(ledger, now(ledger), WRONG)
    others = {name: items for name, items in aws.tables().items() if name != "device-lobby-ledger"}
    assert RIGHT not in json.dumps(others, default=str)
    assert WRONG not in json.dumps(others, default=str)


def test_a_device_that_shows_codes_gets_its_code_at_every_hello_with_one_read(
    ledger: Ledger, receptionist: Receptionist, calls: Calls, clock: Clock
) -> None:
    proving(ledger)
    ledger.retire(now(ledger), None, "service:commissioner")
    calls.forget()
    for _ in range(3):
        assert hello(receptionist, presence=True) == "asked"
        clock.advance(seconds=10)
    assert calls.count() == {"GetItem": 3, "Publish": 3}
    assert challenges() == [{"presence": RIGHT, "generation": 1}] * 3


def test_while_the_row_needs_the_commissioner_a_hello_is_answered_and_writes_nothing(
    ledger: Ledger, receptionist: Receptionist, calls: Calls
) -> None:
    proving(ledger)
    assert starts_the_commissioner()
    calls.forget()
    assert hello(receptionist, presence=True) == "asked"
    assert calls.names() == ["GetItem", "Publish"]


@pytest.mark.parametrize("presence", [None, False, 1, "true", "yes", [True], {"presence": True}, "1" * 100_000])
def test_only_true_reports_that_the_device_can_show_a_code(
    ledger: Ledger, receptionist: Receptionist, presence: object
) -> None:
    proving(ledger, shows=False)
    assert hello(receptionist, presence=presence) == "waiting"
    assert challenges() == []


def test_an_older_client_gets_no_code_and_its_row_has_the_reason(ledger: Ledger, receptionist: Receptionist) -> None:
    assert proving(ledger, shows=False).reason == "CODE_NOT_SHOWN"
    assert not starts_the_commissioner()
    assert hello(receptionist) == "waiting"
    assert (challenges(), now(ledger).reason) == ([], "CODE_NOT_SHOWN")


def test_an_updated_client_gets_the_code_and_the_reason_is_removed(ledger: Ledger, receptionist: Receptionist) -> None:
    proving(ledger, shows=False)
    assert hello(receptionist, presence=True) == "asked"
    assert (now(ledger).reason, now(ledger).message, now(ledger).shows_code) == (None, None, True)
    assert not starts_the_commissioner()


def test_an_expected_device_gets_the_code_at_its_first_hello(ledger: Ledger, receptionist: Receptionist) -> None:
    ledger.claim(ONE, REQUEST, ANN)
    device = ledger.admit(WHO, "service:bouncer")
    assert (device.devstate, device.code, device.needs_commissioner) == (State.PROVING, RIGHT, False)
    assert hello(receptionist, presence=True) == "asked"
    assert challenges() == [{"presence": RIGHT, "generation": 1}]
    assert ledger.confirm(now(ledger), RIGHT, ANN).devstate is State.CLAIMED


def test_a_claim_during_the_first_hello_sends_the_code_immediately(
    ledger: Ledger, receptionist: Receptionist, calls: Calls
) -> None:
    ledger.admit(WHO, "service:bouncer")
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.claim(ONE, REQUEST, ANN)
    assert hello(receptionist, presence=True) == "asked"
    assert challenges() == [{"presence": RIGHT, "generation": 1}]


def test_the_first_hello_records_whether_the_device_can_show_codes(ledger: Ledger, receptionist: Receptionist) -> None:
    ledger.admit(WHO, "service:bouncer")
    assert hello(receptionist, presence=True) == "entered"
    assert now(ledger).shows_code is True


def starts_the_commissioner() -> bool:
    return bool((aws.item(ONE) or {}).get("turn"))
