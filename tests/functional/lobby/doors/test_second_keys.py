"""A second key of a serial number at the door `claim`: refused, approved or replacing the first, never both."""

from collections.abc import Callable

import pytest

from lobby.domain.enrolments.enrolment import Repeat
from lobby.domain.states import Event, State
from lobby.ledger.enrolments.serial_approvals import APPROVED, approve
from lobby.names import EnrolmentName, Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock, CutOff
from tests.functional.lobby.claim_door import PUMPS, ClaimDoor, device_pem
from tests.functional.lobby.ledger.ledger_devices import verified_events


@pytest.fixture
def door(calls: Calls, clock: Clock) -> ClaimDoor:
    return ClaimDoor(calls, clock)


def enrolled(door: ClaimDoor, repeat: Repeat, limit: int = 1) -> Fingerprint:
    door.enrol(limit=limit, repeat=repeat)
    claim = door.add_claim()
    assert door.provision(claim)
    return claim


def test_a_second_key_is_refused_by_default(door: ClaimDoor) -> None:
    claim = enrolled(door, Repeat.REFUSE)
    assert not door.provision(claim, number=1)
    assert door.reason(number=1) == "NAME_TAKEN"
    assert door.holder() == make.fingerprint_of(device_pem("pump-1"))


def test_a_second_key_replaces_the_first_in_one_transaction(door: ClaimDoor) -> None:
    claim = enrolled(door, Repeat.REPLACE)
    door.calls.forget()
    assert door.provision(claim, number=1)
    first, second = door.device(), door.device(number=1)
    assert first is not None
    assert second is not None
    assert (first.devstate, second.devstate, door.holder()) == (State.REVOKED, State.KNOCKING, second.certid)
    assert first.message == f"replaced by certificate {second.certid}"
    assert first.needs_commissioner
    assert verified_events(door.ledger, first.certid) == [Event.ADMIT, Event.REVOKE]
    assert door.ledger.history(first.certid)[-1].reason == "REPLACED"
    assert door.admitted() == 1
    assert aws.counts() == aws.recounted()


def test_a_crash_leaves_both_keys_as_they_were_or_the_second_admitted(door: ClaimDoor) -> None:
    claim = enrolled(door, Repeat.REPLACE)
    door.issue(device_pem("pump-1", 1))
    cut = 0
    while True:
        cut += 1
        door.calls.forget()
        door.calls.cut_after = cut
        try:
            done = door.register(claim, device_pem("pump-1", 1), "pump-1")
        except CutOff:
            door.calls.cut_after = None
            states = (door.device(), door.device(number=1))
            revoked = states[0] is not None and states[0].devstate is State.REVOKED
            assert revoked is (states[1] is not None and states[1].devstate is State.KNOCKING)
            continue
        break
    door.calls.cut_after = None
    assert done
    assert cut > 1
    assert aws.counts() == aws.recounted()


def test_the_same_key_with_a_new_certificate_is_the_same_device(door: ClaimDoor) -> None:
    claim = enrolled(door, Repeat.REFUSE)
    again = device_pem("pump-1", 0, serial=1)
    door.issue(again)
    assert door.register(claim, again, "pump-1")
    assert (door.holder(), door.admitted()) == (make.fingerprint_of(again), 1)


def test_a_second_key_needs_an_approval_which_counts_once(door: ClaimDoor, clock: Clock) -> None:
    claim = enrolled(door, Repeat.ASK)
    assert not door.provision(claim, number=1)
    assert door.reason(number=1) == "REPEAT_ASKED"
    approve(ThingName("pump-1"), PUMPS, "user:ann", clock())
    assert door.provision(claim, number=2)
    assert not door.provision(claim, number=3)
    assert door.holder() == make.fingerprint_of(device_pem("pump-1", 2))


def test_an_approval_ends(door: ClaimDoor, clock: Clock) -> None:
    claim = enrolled(door, Repeat.ASK)
    approve(ThingName("pump-1"), PUMPS, "user:ann", clock())
    clock.advance(seconds=APPROVED.total_seconds())
    assert not door.provision(claim, number=1)


@pytest.mark.parametrize("repeat", [Repeat.REPLACE, Repeat.ASK])
@pytest.mark.parametrize("same_key", [True, False])
def test_a_revoked_serial_number_is_admitted_again_only_with_an_approval(
    door: ClaimDoor, clock: Clock, repeat: Repeat, same_key: bool
) -> None:
    claim = enrolled(door, repeat)
    door.ledger.revoke(make.fingerprint_of(device_pem("pump-1")), "stolen", "user:ann")
    pem = device_pem("pump-1", 0, serial=1) if same_key else device_pem("pump-1", 1)
    door.issue(pem)
    assert not door.register(claim, pem, "pump-1")
    refused = door.ledger.get(make.fingerprint_of(pem))
    assert refused is not None
    assert refused.reason == "SERIAL_REVOKED"
    approve(ThingName("pump-1"), PUMPS, "user:ann", clock())
    assert door.register(claim, pem, "pump-1")


@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_device_of_another_enrolment_is_never_replaced(door: ClaimDoor, clock: Clock, repeat: Repeat) -> None:
    enrolled(door, Repeat.REPLACE)
    door.enrol("others", limit=5, repeat=repeat)
    approve(ThingName("pump-1"), EnrolmentName("others"), "user:ann", clock())
    assert not door.provision(door.add_claim("others", 1), number=1)
    assert door.reason(number=1) == "NAME_TAKEN"
    first = door.device()
    assert first is not None
    assert first.devstate is State.KNOCKING


@pytest.mark.parametrize("repeat", list(Repeat))
def test_of_two_keys_that_race_for_one_serial_number_one_wins(door: ClaimDoor, repeat: Repeat) -> None:
    door.enrol(limit=5, repeat=repeat)
    claim = door.add_claim()
    pems = [device_pem("pump-1", 1), device_pem("pump-1", 2)]
    for pem in pems:
        door.issue(pem)
    second: list[bool] = []
    race: Callable[[], object] = lambda: second.append(door.register(claim, pems[1], "pump-1"))  # noqa: E731
    door.calls.meanwhile = {"TransactWriteItems": race}
    first = door.register(claim, pems[0], "pump-1")
    held = [door.device(number=number) for number in (1, 2)]
    admitted = [device for device in held if device is not None and device.devstate is State.KNOCKING]
    assert len(admitted) == 1
    assert door.holder() == admitted[0].certid
    assert (first, second) == (repeat is Repeat.REPLACE, [True])
    assert door.admitted() == 1
