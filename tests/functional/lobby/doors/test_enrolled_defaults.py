"""The defaults of an enrolment that chooses no target, from the admission of its devices to their claims."""

import pytest

from lobby.domain.changes import claim_request
from lobby.domain.enrolments.allocation import Allocation
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.enrolments.serial_claims import SerialClaims, find_claim
from lobby.ledger.store import Ledger
from lobby.names import Target, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.enrolled_lobby import PUMPS, TO_A, A, B, Lobby, pem_of
from tests.functional.lobby.ledger.ledger_devices import verified_events

ANN = "user:ann"
PUMP_0 = ThingName("pump-0")
CAMERAS = Allocation(profile="camera", config={"period": 5})


@pytest.fixture
def lobby(calls: Calls, clock: Clock, ledger: Ledger) -> Lobby:
    return Lobby(calls, clock, ledger)


def plain(lobby: Lobby, target: Target = A) -> ClaimRequest:
    """Return the request of a claim that names its target only."""
    return claim_request(lobby.targets.get(target), None, None)


def test_a_device_waits_and_its_claims_get_the_defaults(lobby: Lobby) -> None:
    lobby.enrol(allocation=CAMERAS)
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.target, device.reason) == (State.KNOCKING, None, None)
    lobby.ledger.claim(device.certid, plain(lobby), ANN)
    claimed = lobby.device()
    assert (claimed.target, claimed.profile, claimed.config, claimed.claimedby) == (A, "camera", {"period": 5}, ANN)
    assert verified_events(lobby.ledger, device.certid) == [Event.ADMIT, Event.CLAIM]


def test_each_device_of_a_list_gets_its_own_defaults_and_one_refusal_affects_one_device(lobby: Lobby) -> None:
    lobby.enrol(allocation=CAMERAS)
    lobby.connect()
    other = make.fingerprint_of(pem_of(1))
    results = lobby.ledger.claim_many([lobby.device().certid, other], plain(lobby, B), ANN, lambda: False)
    assert [getattr(each, "code", None) == "UNKNOWN_PROFILE" for each in results] == [True, False]
    assert lobby.device().devstate is State.KNOCKING
    lobby.ledger.claim_many([lobby.device().certid], plain(lobby, A), ANN, lambda: False)
    assert (lobby.device().profile, lobby.device().config) == ("camera", {"period": 5})
    unseen = lobby.ledger.get(other)
    assert unseen is not None
    assert (unseen.target, unseen.profile) == (B, "default"), "no enrolment is known for it yet"


def test_an_enrolment_that_chooses_a_target_adds_nothing_to_rows(lobby: Lobby) -> None:
    lobby.enrol(allocation=TO_A)
    lobby.connect()
    assert lobby.device().claim_defaults is None


def test_a_claim_reads_no_enrolment(lobby: Lobby) -> None:
    lobby.enrol(allocation=CAMERAS)
    lobby.connect()
    device, request = lobby.device(), plain(lobby)
    lobby.calls.forget()
    lobby.ledger.claim(device.certid, request, ANN, device)
    assert lobby.calls.names() == ["TransactWriteItems"]


def test_a_claim_by_serial_number_gets_the_defaults_when_its_device_joins(lobby: Lobby, clock: Clock) -> None:
    lobby.enrol(allocation=Allocation(profile="camera", config="mine", presence=True))
    SerialClaims(clock).claim(PUMP_0, plain(lobby), ANN)
    lobby.connect()
    device = lobby.device()
    assert (device.devstate, device.profile, device.config) == (State.PROVING, "camera", "mine")
    assert (device.target, device.enrolment, device.code is not None) == (A, PUMPS, True)
    assert find_claim(PUMP_0) is None


def test_a_claim_by_serial_number_keeps_what_it_names(lobby: Lobby, clock: Clock) -> None:
    lobby.enrol(allocation=CAMERAS)
    request = claim_request(lobby.targets.get(A), "default", {})
    SerialClaims(clock).claim(PUMP_0, request, ANN)
    lobby.connect()
    assert (lobby.device().devstate, lobby.device().profile, lobby.device().config) == (State.CLAIMED, "default", {})


def test_a_device_whose_claim_by_serial_number_is_refused_waits_with_the_reason(lobby: Lobby, clock: Clock) -> None:
    lobby.enrol(allocation=CAMERAS)
    SerialClaims(clock).claim(PUMP_0, plain(lobby, B), ANN)
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.reason, device.target) == (State.KNOCKING, "ALLOCATION_FAILED", None)
    assert f"got profile camera, the default of the device's enrolment, want one of {B}'s: default" in str(
        device.message
    )
    assert find_claim(PUMP_0) is None
    assert lobby.admitted() == 1
    assert aws.counts() == aws.recounted()
    assert verified_events(lobby.ledger, device.certid) == [Event.ADMIT]
    lobby.ledger.claim(device.certid, claim_request(lobby.targets.get(B), "default", None), ANN)
    assert (lobby.device().devstate, lobby.device().reason) == (State.CLAIMED, None)
