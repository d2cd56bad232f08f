"""Claims by serial number: a device is claimed with its admission, at every door, and exactly once."""

from dataclasses import replace

import pytest

from lobby.domain.claims.serial_claim import SerialClaim
from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.states import Event, State
from lobby.domain.targets.target import TargetEvent
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, NotFound
from lobby.ledger.enrolments.serial_claims import SerialClaims, find_claim
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_administration import TargetAdministration
from lobby.ledger.targets.target_rows import write
from lobby.names import ThingName
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.claim_door import ClaimDoor, device_pem
from tests.functional.lobby.enrolled_lobby import PUMPS, TO_A, A, B, Lobby, pem_of
from tests.functional.lobby.ledger.ledger_devices import verified_events
from tests.functional.lobby.vending_door import VendingLobby

ANN = "user:ann"
FOR_B = ClaimRequest(B, "default", {"period": 5})
FOR_A = ClaimRequest(A)
PUMP_0, PUMP_1 = ThingName("pump-0"), ThingName("pump-1")
BOTH = [Event.ADMIT, Event.CLAIM]


@pytest.fixture
def lobby(calls: Calls, clock: Clock, ledger: Ledger) -> Lobby:
    return Lobby(calls, clock, ledger)


@pytest.fixture
def claims(calls: Calls, clock: Clock) -> SerialClaims:
    return SerialClaims(clock)


def require_gone(serial: ThingName) -> None:
    assert find_claim(serial) is None
    assert aws.counts() == aws.recounted()


def test_a_device_of_no_enrolment_is_claimed_in_the_transaction_of_its_admission(
    lobby: Lobby, claims: SerialClaims
) -> None:
    claims.claim(PUMP_0, FOR_B, ANN)
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.target, device.claimedby) == (State.CLAIMED, B, ANN)
    assert (device.config, device.generation, device.needs_commissioner) == ({"period": 5}, 1, True)
    assert verified_events(lobby.ledger, device.certid) == BOTH
    assert [entry.actor for entry in lobby.ledger.history(device.certid)] == ["service:bouncer", ANN]
    assert lobby.ledger.name_holder("pump-0") == device.certid
    assert aws.status(device.certid) == "ACTIVE"
    require_gone(PUMP_0)


def test_the_claim_of_a_user_has_precedence_over_the_rule_of_the_enrolment(lobby: Lobby, claims: SerialClaims) -> None:
    lobby.enrol(allocation=TO_A, model="P-100")
    claims.claim(PUMP_0, FOR_B, ANN)
    assert lobby.connect() == "admitted"
    assert lobby.connect(1) == "admitted"
    device, other = lobby.device(), lobby.device(1)
    assert (device.target, device.claimedby, device.enrolment, device.model) == (B, ANN, PUMPS, "P-100")
    assert (other.target, other.claimedby) == (A, "rule:pumps")
    assert lobby.admitted() == 2
    require_gone(PUMP_0)


def test_a_device_whose_serial_number_is_not_claimed_costs_nothing_more(lobby: Lobby, claims: SerialClaims) -> None:
    with lobby.calls.uncounted():
        claims.claim(PUMP_1, FOR_A, ANN)
    lobby.connect()
    assert len(lobby.calls.of("TransactWriteItems")) == 1
    assert lobby.device().devstate is State.KNOCKING


def test_a_device_that_provisions_by_claim_is_claimed(calls: Calls, clock: Clock, claims: SerialClaims) -> None:
    door = ClaimDoor(calls, clock)
    door.enrol(limit=3, allocation=Allocation((Share(A),)))
    claims.claim(PUMP_1, ClaimRequest(A, config="by ann"), ANN)
    assert door.provision(door.add_claim())
    device = door.device()
    assert device is not None
    assert (device.devstate, device.claimedby, device.config, door.admitted()) == (State.CLAIMED, ANN, "by ann", 1)
    assert verified_events(door.ledger, device.certid) == BOTH
    assert not door.provision(door.add_claim(), number=1), "a second key does not get the name"
    assert door.holder() == make.fingerprint_of(device_pem("pump-1"))
    require_gone(PUMP_1)


def test_a_device_that_shows_a_token_is_claimed(
    calls: Calls, clock: Clock, ledger: Ledger, claims: SerialClaims
) -> None:
    lobby = VendingLobby(calls, clock, ledger)
    lobby.enrol_pumps()
    claims.claim(PUMP_1, FOR_B, ANN)
    device = lobby.vended(lobby.register(lobby.token()).pem)
    assert (device.devstate, device.target, device.claimedby) == (State.CLAIMED, B, ANN)
    require_gone(PUMP_1)


def test_a_claim_that_requires_proof_of_presence_waits_for_it(lobby: Lobby, claims: SerialClaims) -> None:
    claims.claim(PUMP_0, ClaimRequest(A, presence=True), ANN)
    lobby.connect()
    device = lobby.device()
    assert (device.devstate, device.target, device.claimedby) == (State.PROVING, A, ANN)
    assert device.code is not None
    require_gone(PUMP_0)


def evacuate(lobby: Lobby) -> None:
    lobby.evacuate(B, A)


def archive(lobby: Lobby) -> None:
    TargetAdministration(lobby.targets, lobby.clock).archive(B, ANN)


def remove(lobby: Lobby) -> None:
    """A claim that was made while the target was removed can name it."""
    archived = lobby.targets.get(B)
    write(archived, replace(archived, removed=True), lobby.targets.entry(ANN, TargetEvent.REMOVED))


CLOSED = {
    "evacuated": (evacuate, f"got {B}, evacuated at 2026-11-22T12:00:00.000Z; want its standby {A}"),
    "archived": (archive, f"got {B}, archived at 2026-11-22T12:00:00.000Z; want a target that takes claims"),
    "removed": (remove, f"got {B}, want a registered target"),
}


@pytest.mark.parametrize("enrolled", [False, True])
@pytest.mark.parametrize("how", CLOSED)
def test_a_target_that_takes_no_claims_gets_no_device(
    lobby: Lobby, claims: SerialClaims, how: str, enrolled: bool
) -> None:
    close, why = CLOSED[how]
    claims.claim(PUMP_0, FOR_B, ANN)
    close(lobby)
    if enrolled:
        lobby.enrol(allocation=TO_A)
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.target, device.reason) == (State.KNOCKING, None, "ALLOCATION_FAILED")
    assert device.message == (f"{ANN} claimed the serial number, but the claim is refused: {why}; claim the device")
    assert verified_events(lobby.ledger, device.certid) == [Event.ADMIT]
    assert lobby.ledger.name_holder("pump-0") == device.certid
    require_gone(PUMP_0)


def test_a_target_that_requires_presence_since_the_claim_gets_it(lobby: Lobby, claims: SerialClaims) -> None:
    claims.claim(PUMP_0, FOR_B, ANN)
    lobby.targets.register(B, "B", ("default",), ANN, presence=True)
    lobby.connect()
    assert (lobby.device().devstate, lobby.device().target) == (State.PROVING, B)


def test_a_target_that_a_serial_number_is_claimed_for_is_not_removed(lobby: Lobby, claims: SerialClaims) -> None:
    administration = TargetAdministration(lobby.targets, lobby.clock)
    claims.claim(PUMP_0, FOR_B, ANN)
    claims.claim(PUMP_1, FOR_A, ANN)
    administration.archive(B, ANN)
    lobby.clock.advance(seconds=31)
    with pytest.raises(
        Conflict, match=r"1 serial number is claimed for it; want none: withdraw them \(lobbyctl"
    ) as used:
        administration.remove(B, ANN)
    assert used.value.code == "TARGET_IN_USE"
    claims.withdraw(PUMP_0)
    assert administration.remove(B, ANN).removed


def test_the_claim_of_a_fingerprint_has_precedence(lobby: Lobby, claims: SerialClaims) -> None:
    lobby.ledger.claim(make.fingerprint_of(pem_of(0)), FOR_A, "user:bob")
    claims.claim(PUMP_0, FOR_B, ANN)
    lobby.connect()
    assert (lobby.device().target, lobby.device().claimedby) == (A, "user:bob")
    require_gone(PUMP_0)


def test_the_same_claim_again_changes_nothing_and_another_one_is_refused(claims: SerialClaims, calls: Calls) -> None:
    with calls.uncounted():
        first = claims.claim(PUMP_0, FOR_B, ANN)
    assert claims.claim(PUMP_0, FOR_B, "user:bob") == first
    assert calls.count() == {"GetItem": 1}
    with pytest.raises(Conflict, match=f"serial number {PUMP_0}, which has another claim, want that") as refused:
        claims.claim(PUMP_0, FOR_A, "user:bob")
    assert refused.value.code == "ALREADY_CLAIMED"


def test_a_serial_number_that_a_certificate_has_is_claimed_as_a_device(lobby: Lobby, claims: SerialClaims) -> None:
    lobby.connect()
    assert claims.claim(PUMP_0, FOR_B, ANN) == lobby.device().certid
    require_gone(PUMP_0)


def test_a_withdrawn_claim_has_no_effect(lobby: Lobby, claims: SerialClaims) -> None:
    claims.claim(PUMP_0, FOR_B, ANN)
    assert claims.withdraw(PUMP_0).request == FOR_B
    with pytest.raises(NotFound, match="UNKNOWN_SERIAL_CLAIM"):
        claims.withdraw(PUMP_0)
    assert lobby.connect() == "admitted"
    assert lobby.device().devstate is State.KNOCKING


def test_a_claim_cannot_be_withdrawn_once_its_device_has_joined(lobby: Lobby, claims: SerialClaims) -> None:
    claims.claim(PUMP_0, FOR_B, ANN)
    lobby.connect()
    with pytest.raises(NotFound, match="UNKNOWN_SERIAL_CLAIM"):
        claims.withdraw(PUMP_0)
    assert lobby.ledger.name_holder("pump-0") == lobby.device().certid


def test_a_refused_device_leaves_the_claim_for_the_right_one(lobby: Lobby, claims: SerialClaims) -> None:
    lobby.enrol(limit=1)
    lobby.connect(1)
    claims.claim(PUMP_0, FOR_B, ANN)
    assert lobby.connect() == "ENROLMENT_FULL"
    assert isinstance(find_claim(PUMP_0), SerialClaim)


def test_claims_are_listed_page_by_page(claims: SerialClaims) -> None:
    for serial in ("c", "a", "b"):
        claims.claim(ThingName(serial), FOR_A, ANN)
    first = claims.page(2, None)
    assert ([each.serial for each in first.claims], first.following) == (["a", "b"], "b")
    last = claims.page(2, first.following)
    assert ([each.serial for each in last.claims], last.following) == (["c"], None)


def test_a_claim_that_is_made_while_the_device_is_admitted_is_not_lost(lobby: Lobby, claims: SerialClaims) -> None:
    found: list[object] = []
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: found.append(claims.claim(PUMP_0, FOR_B, ANN))
    assert lobby.connect() == "admitted"
    assert isinstance(found[0], SerialClaim)
    assert (lobby.device().devstate, lobby.device().claimedby) == (State.CLAIMED, ANN)
    require_gone(PUMP_0)


def test_a_claim_that_is_withdrawn_while_the_device_is_admitted_has_no_effect(
    lobby: Lobby, claims: SerialClaims
) -> None:
    claims.claim(PUMP_0, FOR_B, ANN)
    meanwhile = lobby.calls.meanwhile

    def withdraw_before_the_second() -> None:
        meanwhile["TransactWriteItems"] = lambda: claims.withdraw(PUMP_0)

    meanwhile["TransactWriteItems"] = withdraw_before_the_second
    event = lobby.first_connection(pem_of(0))
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        lobby.deliver(event)
    assert lobby.deliver(event) == "admitted", "the queue delivers the registration again"
    assert lobby.device().devstate is State.KNOCKING
    assert lobby.ledger.name_holder("pump-0") == lobby.device().certid
    require_gone(PUMP_0)
