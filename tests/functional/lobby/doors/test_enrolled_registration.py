"""Just-in-time registration with enrolments: which devices are admitted and counted, and which are refused."""

from dataclasses import replace

import pytest
from cryptography.x509.oid import NameOID

from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.enrolments.enrolment import EnrolmentEvent, Match
from lobby.domain.enrolments.thing_settings import ThingSettings
from lobby.domain.name_patterns import parse_name_pattern
from lobby.domain.states import Event, State
from lobby.ledger.enrolments.recent_enrolments import CACHE_TIME, EMPTY_CACHE_TIME
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.enrolled_lobby import PUMPS, TO_A, A, Lobby, pem_of
from tests.functional.lobby.ledger.ledger_devices import verified_events
from tests.functional.lobby.registration_door import CA


@pytest.fixture
def lobby(calls: Calls, clock: Clock, ledger: Ledger) -> Lobby:
    return Lobby(calls, clock, ledger)


def test_a_device_is_admitted_counted_and_claimed_in_one_transaction(lobby: Lobby) -> None:
    lobby.enrol(model="P-100", allocation=Allocation((Share(A),), None, "camera", {"period": 5}))
    assert lobby.connect() == "admitted"
    assert len(lobby.calls.of("TransactWriteItems")) == 1
    device = lobby.device()
    assert (device.devstate, device.target, device.profile) == (State.CLAIMED, A, "camera")
    assert (device.claimedby, device.config, device.generation) == ("rule:pumps", {"period": 5}, 1)
    assert (device.enrolment, device.model, lobby.admitted()) == (PUMPS, "P-100", 1)
    assert device.needs_commissioner
    assert verified_events(lobby.ledger, device.certid) == [Event.ADMIT, Event.CLAIM]
    assert [entry.actor for entry in lobby.ledger.history(device.certid)] == ["service:bouncer", "rule:pumps"]
    assert aws.status(device.certid) == "ACTIVE"
    assert aws.counts() == aws.recounted()


def test_a_device_gets_what_its_enrolment_gives_its_thing(lobby: Lobby) -> None:
    given = ThingSettings((("batch", "2026-11"),), ("lot-7",))
    lobby.enrol(things=given)
    assert lobby.connect() == "admitted"
    assert lobby.device().thing_settings == given
    assert lobby.enrolments.get(PUMPS).things == given


def test_without_an_allocation_the_device_waits(lobby: Lobby) -> None:
    lobby.enrol()
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.target, device.reason, device.enrolment) == (State.KNOCKING, None, None, PUMPS)
    assert lobby.admitted() == 1


def test_a_device_that_no_enrolment_matches_is_admitted_as_without_enrolments(lobby: Lobby) -> None:
    lobby.enrol(match=Match(name_pattern=parse_name_pattern("valve-*")), allocation=TO_A)
    assert lobby.connect() == "admitted"
    assert (lobby.device().devstate, lobby.device().enrolment, lobby.admitted()) == (State.KNOCKING, None, 0)


def test_the_subject_of_the_certificate_is_compared(lobby: Lobby) -> None:
    lobby.enrol(match=Match(subject={"O": "Acme"}))
    name = make.subject((NameOID.ORGANIZATION_NAME, "Acme"), (NameOID.COMMON_NAME, "pump-0"))
    pem = make.pem_of(make.device(CA, name=name))
    lobby.deliver(lobby.first_connection(pem))
    device = lobby.ledger.get(make.fingerprint_of(pem))
    assert device is not None
    assert device.enrolment == PUMPS


def test_of_two_enrolments_the_more_specific_one_applies(lobby: Lobby) -> None:
    lobby.enrol()
    lobby.enrol("large", Match(Fingerprint(lobby.ca_id), name_pattern=parse_name_pattern("pump-1*")))
    for number in (0, 1):
        lobby.connect(number)
    assert (lobby.device(0).enrolment, lobby.device(1).enrolment) == ("pumps", "large")


def test_a_list_of_serial_numbers_names_its_devices(lobby: Lobby) -> None:
    lobby.enrol(match=Match(listed=True), allocation=TO_A)
    with lobby.calls.uncounted():
        assert lobby.lists.add(PUMPS, [ThingName(f"pump-{n}") for n in range(1, 150)], "user:ann") == 149
        assert lobby.lists.lengths() == {PUMPS: 149}
    for number in (0, 1, 149):
        lobby.connect(number)
    assert [lobby.device(number).enrolment for number in (0, 1, 149)] == [None, PUMPS, PUMPS]


REFUSING: dict[str, EnrolmentEvent] = {
    "ENROLMENT_PAUSED": EnrolmentEvent.PAUSED,
    "ENROLMENT_REVOKED": EnrolmentEvent.REVOKED,
}


@pytest.mark.parametrize("code", REFUSING)
def test_a_pause_or_revocation_applies_immediately(lobby: Lobby, code: str) -> None:
    lobby.enrol(allocation=TO_A)
    lobby.connect(0)
    lobby.change(REFUSING[code])
    assert lobby.connect(1) == code
    refused = lobby.device(1)
    assert (refused.devstate, refused.reason, refused.enrolment) == (State.REFUSED, code, None)
    assert aws.status(refused.certid) == "INACTIVE"
    assert (lobby.admitted(), lobby.enrolments.refusals()) == (1, {PUMPS: {code: 1}})
    assert lobby.device(0).devstate is State.CLAIMED
    assert aws.counts() == aws.recounted()


def test_a_repeated_refusal_is_counted_once(lobby: Lobby) -> None:
    lobby.enrol(limit=1)
    lobby.connect(0)
    for _ in range(3):
        assert lobby.connect(1) == "ENROLMENT_FULL"
        with lobby.calls.uncounted():
            lobby.iot.delete_certificate(certificateId=lobby.device(1).certid)
    assert lobby.enrolments.refusals() == {PUMPS: {"ENROLMENT_FULL": 1}}


def test_the_validity_period_is_enforced(lobby: Lobby) -> None:
    lobby.enrol(starts=lobby.now(), ends="2126-01-01T00:00:00.000Z")
    assert lobby.connect(0) == "admitted"
    with lobby.calls.uncounted():
        lobby.enrolments.set_limits(PUMPS, lambda each: replace(each, ends=each.starts), "user:ann")
    assert lobby.connect(1) == "ENROLMENT_EXPIRED"


def test_a_limit_is_never_exceeded(lobby: Lobby) -> None:
    lobby.enrol(limit=2)
    assert [lobby.connect(number) for number in range(4)] == ["admitted"] * 2 + ["ENROLMENT_FULL"] * 2
    assert lobby.admitted() == 2


def test_another_bouncer_that_fills_the_enrolment_meanwhile_is_noticed(lobby: Lobby) -> None:
    lobby.enrol(limit=1)
    other, first = lobby.new_bouncer(), lobby.first_connection(pem_of(0))
    event = lobby.first_connection(pem_of(1))
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: other.decide(Fingerprint(first["certificateId"]))
    assert lobby.deliver(event) == "ENROLMENT_FULL"
    assert (lobby.admitted(), lobby.device(0).devstate) == (1, State.KNOCKING)


def test_a_pause_between_the_decision_and_the_transaction_is_noticed(lobby: Lobby) -> None:
    lobby.enrol()
    event = lobby.first_connection(pem_of(0))
    lobby.calls.meanwhile["TransactWriteItems"] = lambda: lobby.change(EnrolmentEvent.PAUSED)
    assert lobby.deliver(event) == "ENROLMENT_PAUSED"
    assert lobby.admitted() == 0


def test_a_device_is_admitted_after_its_enrolment_was_resumed_and_it_was_retried(lobby: Lobby) -> None:
    lobby.enrol(allocation=TO_A)
    lobby.change(EnrolmentEvent.PAUSED)
    assert lobby.connect() == "ENROLMENT_PAUSED"
    lobby.change(EnrolmentEvent.RESUMED)
    with lobby.calls.uncounted():
        lobby.iot.delete_certificate(certificateId=lobby.device().certid)  # as the commissioner does after a retry
    assert lobby.connect() == "admitted"
    device = lobby.device()
    assert (device.devstate, device.reason, lobby.admitted()) == (State.CLAIMED, None, 1)
    assert verified_events(lobby.ledger, device.certid) == [Event.REFUSE, Event.ADMIT, Event.CLAIM]


def test_a_device_that_was_admitted_stays_admitted_after_the_revocation(lobby: Lobby) -> None:
    """Its certificate is registered again, for example because a user has deleted it."""
    lobby.enrol(limit=1)
    lobby.connect()
    with lobby.calls.uncounted():
        aws.client("iot").detach_thing_principal(thingName="pump-0", principal=aws.registry()["principals"][0][0])
        lobby.iot.update_certificate(certificateId=lobby.device().certid, newStatus="INACTIVE")
        lobby.iot.delete_certificate(certificateId=lobby.device().certid, forceDelete=True)
    lobby.change(EnrolmentEvent.REVOKED)
    assert lobby.connect() == "admitted"
    assert (lobby.device().devstate, lobby.admitted()) == (State.KNOCKING, 1)


def test_a_lobby_without_enrolments_reads_them_rarely(lobby: Lobby) -> None:
    for number in range(3):
        lobby.connect(number)
    assert lobby.calls.count()["Query"] == 1
    lobby.clock.advance(seconds=EMPTY_CACHE_TIME.seconds)
    lobby.connect(3)
    assert lobby.calls.count()["Query"] == 2


def test_a_new_enrolment_applies_after_the_cache_time(lobby: Lobby) -> None:
    lobby.enrol("other", Match(ca=Fingerprint("cb" * 32)))
    lobby.connect(0)
    lobby.enrol()
    lobby.clock.advance(seconds=CACHE_TIME.seconds)
    lobby.connect(1)
    assert (lobby.device(0).enrolment, lobby.device(1).enrolment) == (None, PUMPS)
