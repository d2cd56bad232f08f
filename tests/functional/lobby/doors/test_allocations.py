"""Claims by the rule of an enrolment, as its devices are admitted: targets, presence, and functions that choose."""

from typing import Any

import pytest

from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.states import Event, State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.store import Ledger
from lobby.names import parse_target
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock, CutOff
from tests.functional.lobby.enrolled_lobby import HOOK, PUMPS, TO_A, A, B, Lobby, pem_of
from tests.functional.lobby.ledger.ledger_devices import verified_events


@pytest.fixture
def lobby(calls: Calls, clock: Clock, ledger: Ledger) -> Lobby:
    return Lobby(calls, clock, ledger)


def test_a_claim_by_a_user_has_precedence(lobby: Lobby) -> None:
    lobby.enrol(allocation=TO_A)
    with lobby.calls.uncounted():
        lobby.ledger.claim(make.fingerprint_of(pem_of(0)), ClaimRequest(B), "user:ann")
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.target, device.claimedby, device.enrolment) == (B, "user:ann", PUMPS)
    assert lobby.admitted() == 1


def test_a_claim_with_presence_waits_for_the_code(lobby: Lobby) -> None:
    lobby.enrol(allocation=Allocation((Share(A),), presence=True))
    lobby.connect()
    assert lobby.device().devstate is State.PROVING


def test_a_target_that_requires_presence_gets_it(lobby: Lobby) -> None:
    with lobby.calls.uncounted():
        lobby.targets.register(A, "A", ("default",), "setup", True)
    lobby.enrol(allocation=TO_A)
    lobby.connect()
    assert lobby.device().devstate is State.PROVING


def test_a_target_that_takes_no_claims_gets_none(lobby: Lobby) -> None:
    lobby.enrol(allocation=Allocation((Share(A), Share(B)), None, "camera"))
    for number in range(4):
        lobby.connect(number)
    assert {lobby.device(number).target for number in range(4)} == {A}, "B does not have the profile"


def test_without_a_suitable_target_the_device_waits_with_the_reason(lobby: Lobby) -> None:
    lobby.enrol(allocation=Allocation((Share(parse_target("3" * 12, "eu-west-1")),)))
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.reason) == (State.KNOCKING, "ALLOCATION_FAILED")
    assert "333333333333/eu-west-1, want a registered target" in (device.message or "")
    waiting = lobby.ledger.hello(device, None, "service:receptionist")
    assert (waiting.devstate, waiting.reason) == (State.INLOBBY, "ALLOCATION_FAILED")
    claimed = lobby.ledger.claim(device.certid, ClaimRequest(A), "user:ann")
    assert (claimed.devstate, claimed.reason) == (State.CLAIMED, None)


def test_an_evacuated_target_gets_no_device(lobby: Lobby) -> None:
    evacuated = lobby.evacuate(A, B)
    lobby.enrol(allocation=TO_A)
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.reason, device.target) == (State.KNOCKING, "ALLOCATION_FAILED", None)
    assert f"{A} (evacuated at {evacuated.evacuated_at}, its standby is {B})" in (device.message or "")


def test_an_enrolment_uses_its_other_targets_while_one_is_evacuated(lobby: Lobby) -> None:
    lobby.evacuate(A, B)
    lobby.enrol(allocation=Allocation((Share(A), Share(B))))
    for number in range(4):
        lobby.connect(number)
    assert {lobby.device(number).target for number in range(4)} == {B}


def test_a_function_of_the_operator_chooses_the_target(lobby: Lobby) -> None:
    asked: list[Any] = []

    def choose(question: Any) -> Any:
        asked.append(question)
        return {"account": A.account, "region": A.region, "profile": "camera", "config": {"period": 9}}

    lobby.hooks[HOOK] = choose
    lobby.enrol(model="P-100", allocation=Allocation(function=HOOK, config="mine"))
    lobby.connect()
    device = lobby.device()
    assert (device.target, device.profile, device.config) == (A, "camera", {"period": 9})
    assert asked == [
        {
            "version": 1,
            "enrolment": "pumps",
            "model": "P-100",
            "certificateId": device.certid,
            "thingName": "pump-0",
            "caCertificateId": lobby.ca_id,
            "subject": {},
        }
    ]


ANSWERS: dict[str, tuple[Any, str]] = {
    "no object": ([], "returned [], want an object"),
    "wait": ({"wait": "no contract yet"}, "no contract yet"),
    "no region": ({"account": "1" * 12}, "invalid choice: got None"),
    "unknown target": ({"account": "9" * 12, "region": "eu-west-1"}, "want a registered target"),
    "unknown profile": ({"account": "1" * 12, "region": "eu-west-1", "profile": "none"}, "have profile none"),
    "factory reset": ({"account": "1" * 12, "region": "eu-west-1", "config": "factory reset"}, "invalid choice"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_after_an_invalid_choice_the_device_waits_with_the_reason(lobby: Lobby, answer: str) -> None:
    given, message = ANSWERS[answer]
    lobby.hooks[HOOK] = lambda _question: given
    lobby.enrol(allocation=Allocation(function=HOOK))
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.reason, device.target) == (State.KNOCKING, "ALLOCATION_FAILED", None)
    assert message in (device.message or "")


def test_a_function_that_fails_does_not_lose_the_device(lobby: Lobby) -> None:
    lobby.enrol(allocation=Allocation(function=HOOK))
    assert lobby.connect() == "admitted"
    assert (lobby.device().reason, lobby.device().message) == (
        "ALLOCATION_FAILED",
        f"{HOOK} gave no answer; claim the device",
    )


@pytest.mark.parametrize("when", ["cut_before", "cut_after"])
@pytest.mark.parametrize("call", range(1, 11))
def test_an_interrupted_admission_is_completed_and_counted_once(lobby: Lobby, call: int, when: str) -> None:
    """A new Lambda repeats it. The enrolment can be full by then, because it has counted this device."""
    lobby.enrol(limit=1, allocation=TO_A)
    event = lobby.first_connection(pem_of(0))
    lobby.calls.forget()
    setattr(lobby.calls, when, call)
    with pytest.raises(CutOff):
        lobby.deliver(event)
    lobby.calls.cut_before = lobby.calls.cut_after = None
    lobby.bouncer = lobby.new_bouncer()
    lobby.deliver(event)
    device = lobby.device()
    assert (device.devstate, device.claimedby, lobby.admitted()) == (State.CLAIMED, "rule:pumps", 1)
    assert verified_events(lobby.ledger, device.certid) == [Event.ADMIT, Event.CLAIM]
    assert aws.status(device.certid) == "ACTIVE"
