"""Fleet provisioning with claim certificates: which devices are admitted or denied, and the effect of a stolen claim
key."""

from typing import Any

import pytest
from cryptography.x509.oid import NameOID

from lobby.domain.doors.provisioning import parse_request
from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.enrolments.enrolment import EnrolmentEvent, Match
from lobby.domain.name_patterns import parse_name_pattern
from lobby.domain.states import Event, State
from lobby.errors import InvalidInput
from lobby.names import EnrolmentName, Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import Calls, Clock
from tests.functional.lobby.claim_door import PUMPS, A, ClaimDoor, claim_pem, device_pem
from tests.functional.lobby.ledger.ledger_devices import verified_events


@pytest.fixture
def door(calls: Calls, clock: Clock) -> ClaimDoor:
    return ClaimDoor(calls, clock)


@pytest.fixture
def claim(door: ClaimDoor) -> Fingerprint:
    """The claim certificate of an enrolment with a limit of three devices, called pump-…"""
    door.enrol(match=Match(name_pattern=parse_name_pattern("pump-*")), limit=3)
    return door.add_claim()


def test_a_device_is_admitted_before_its_certificate_is_activated(door: ClaimDoor, claim: Fingerprint) -> None:
    assert door.provision(claim)
    assert door.calls.count() == {"GetItem": 3, "DescribeCertificate": 1, "TransactWriteItems": 1}
    device = door.device()
    assert device is not None
    assert (device.devstate, device.devicename, device.enrolment) == (State.KNOCKING, "pump-1", PUMPS)
    assert (door.admitted(), door.holder()) == (1, device.certid)
    assert verified_events(door.ledger, device.certid) == [Event.ADMIT]
    assert [entry.actor for entry in door.ledger.history(device.certid)] == ["service:provisioning"]
    assert door.ledger.certificate(device) == device_pem("pump-1")
    assert aws.counts() == aws.recounted()


def test_the_rule_of_the_enrolment_claims_the_device_in_the_same_transaction(door: ClaimDoor) -> None:
    door.enrol(limit=3, allocation=Allocation((Share(A),)))
    assert door.provision(door.add_claim())
    device = door.device()
    assert device is not None
    assert (device.devstate, device.target, device.claimedby) == (State.CLAIMED, A, "rule:pumps")
    assert len(door.calls.of("TransactWriteItems")) == 1


DENIED: dict[str, tuple[dict[str, Any], str]] = {
    "another serial number": ({"serial": "valve-1"}, "SERIAL_UNMATCHED"),
    "a CN that names another device": ({"cn": "pump-2"}, "CN_DIFFERS"),
    "a CN in other letters": ({"cn": "PUMP-1"}, "CN_DIFFERS"),
}


@pytest.mark.parametrize("case", DENIED)
def test_a_denied_device_gets_a_row_with_the_reason(door: ClaimDoor, claim: Fingerprint, case: str) -> None:
    asked, code = DENIED[case]
    assert not door.provision(claim, **asked)
    device = door.device(asked.get("serial", "pump-1"), cn=asked.get("cn"))
    assert device is not None
    assert (device.devstate, device.reason) == (State.REFUSED, code)
    assert door.enrolments.refusals() == {PUMPS: {code: 1}}
    assert (door.admitted(), door.holder()) == (0, None)
    assert aws.status(device.certid) == "PENDING_ACTIVATION"


@pytest.mark.parametrize(
    "serial", ["", "a/b", "a" * 129, "+", "pump 1", None, 7, ["pump-1"], {"a": 1}, "pump-1\n", "ｐ"]
)
def test_a_hostile_serial_number_is_denied(door: ClaimDoor, claim: Fingerprint, serial: object) -> None:
    pem = device_pem("pump-1")
    door.issue(pem)
    assert not door.register(claim, pem, serial)
    assert door.reason() == "SERIAL_INVALID"


@pytest.mark.parametrize("cn", ["", "AWS IoT Certificate", "pump-1"])
def test_the_certificate_need_not_name_the_device(door: ClaimDoor, claim: Fingerprint, cn: str) -> None:
    assert door.provision(claim, cn=cn)


def test_a_certificate_with_two_names_is_denied(door: ClaimDoor, claim: Fingerprint) -> None:
    name = make.subject((NameOID.COMMON_NAME, "pump-1"), (NameOID.COMMON_NAME, "pump-2"))
    pem = make.pem_of(make.device(make.authority(), name=name))
    door.issue(pem)
    assert not door.register(claim, pem, "pump-1")


def test_an_unknown_claim_certificate_is_denied(door: ClaimDoor) -> None:
    door.enrol(limit=3)
    assert not door.provision(Fingerprint("a" * 64))
    assert door.reason() == "CLAIM_UNKNOWN"
    assert door.enrolments.refusals() == {}


def test_an_expired_claim_certificate_is_denied(door: ClaimDoor, clock: Clock) -> None:
    door.enrol(limit=3)
    claim = door.add_claim(pem=claim_pem(days=2))
    clock.advance(days=2)
    assert not door.provision(claim)
    assert door.reason() == "CLAIM_EXPIRED"


def test_a_revoked_claim_certificate_is_denied_and_admitted_devices_stay(door: ClaimDoor, claim: Fingerprint) -> None:
    assert door.provision(claim)
    door.claims.revoke(claim, "user:ann")
    assert not door.provision(claim, "pump-2", 1)
    assert door.reason("pump-2", 1) == "CLAIM_REVOKED"
    device = door.device()
    assert device is not None
    assert (device.devstate, aws.status(device.certid)) == (State.KNOCKING, "ACTIVE")


@pytest.mark.parametrize(
    ("event", "code"),
    [(EnrolmentEvent.PAUSED, "ENROLMENT_PAUSED"), (EnrolmentEvent.REVOKED, "ENROLMENT_REVOKED")],
)
def test_the_state_of_the_enrolment_applies_immediately(
    door: ClaimDoor, claim: Fingerprint, event: EnrolmentEvent, code: str
) -> None:
    assert door.provision(claim)
    door.enrolments.set_state(PUMPS, event, "user:ann")
    assert not door.provision(claim, "pump-2", 1)
    assert door.reason("pump-2", 1) == code
    assert door.register(claim, device_pem("pump-1"), "pump-1")


def test_a_stolen_claim_certificate_admits_no_more_than_the_limit(door: ClaimDoor, claim: Fingerprint) -> None:
    outcomes = [door.provision(claim, f"pump-{number}", number) for number in range(6)]
    assert outcomes == [True] * 3 + [False] * 3
    assert door.enrolments.refusals() == {PUMPS: {"ENROLMENT_FULL": 3}}


def test_a_serial_number_of_another_enrolments_list_is_denied(door: ClaimDoor, claim: Fingerprint) -> None:
    door.enrol("order", Match(listed=True))
    door.lists.add(EnrolmentName("order"), [ThingName("pump-1")], "user:ann")
    assert not door.provision(claim)
    assert door.reason() == "SERIAL_UNMATCHED"
    assert door.provision(door.add_claim("order", 1), number=2)


def test_a_serial_number_that_is_not_listed_is_denied(door: ClaimDoor) -> None:
    door.enrol(match=Match(listed=True))
    door.lists.add(PUMPS, [ThingName("pump-1")], "user:ann")
    claim = door.add_claim()
    assert door.provision(claim)
    assert not door.provision(claim, "pump-2", 1)


def test_the_same_request_again_is_allowed_and_changes_nothing(door: ClaimDoor, claim: Fingerprint) -> None:
    assert door.provision(claim)
    before = door.device()
    assert door.register(claim, device_pem("pump-1"), "pump-1")
    assert (door.device(), door.admitted()) == (before, 1)


def test_the_same_token_for_another_serial_number_is_denied(door: ClaimDoor, claim: Fingerprint) -> None:
    assert door.provision(claim, cn="")
    before = door.device(cn="")
    assert not door.register(claim, device_pem(""), "pump-2")
    assert door.device(cn="") == before
    assert door.holder("pump-2") is None


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_a_replayed_token_does_not_activate_a_deactivated_certificate(
    door: ClaimDoor, claim: Fingerprint, status: str
) -> None:
    assert door.provision(claim)
    certid = make.fingerprint_of(device_pem("pump-1"))
    door.iot.update_certificate(certificateId=certid, newStatus=status)
    assert not door.register(claim, device_pem("pump-1"), "pump-1")
    assert aws.status(certid) == status


def test_a_replayed_token_does_not_admit_a_revoked_device(door: ClaimDoor, claim: Fingerprint) -> None:
    assert door.provision(claim)
    door.ledger.revoke(make.fingerprint_of(device_pem("pump-1")), "stolen", "user:ann")
    assert not door.register(claim, device_pem("pump-1"), "pump-1")
    device = door.device()
    assert device is not None
    assert device.devstate is State.REVOKED


def test_a_refused_device_can_join_after_the_cause_is_corrected(door: ClaimDoor, claim: Fingerprint) -> None:
    door.enrolments.set_state(PUMPS, EnrolmentEvent.PAUSED, "user:ann")
    assert not door.provision(claim)
    door.enrolments.set_state(PUMPS, EnrolmentEvent.RESUMED, "user:ann")
    assert door.register(claim, device_pem("pump-1"), "pump-1")


@pytest.mark.parametrize("change", [{"certificatePem": 7}, {"parameters": None}, {"claimCertificateId": "x"}])
def test_an_event_of_another_form_is_an_error(door: ClaimDoor, claim: Fingerprint, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        door.hook.decide(parse_request(door.event(claim, device_pem("pump-1"), "pump-1") | change))


def test_a_certificate_that_is_not_the_events_is_denied(door: ClaimDoor, claim: Fingerprint) -> None:
    door.issue(device_pem("pump-1"))
    event = door.event(claim, device_pem("pump-1"), "pump-1") | {"certificatePem": device_pem("pump-1", 3)}
    assert door.hook.decide(parse_request(event)) == "BAD_CERTIFICATE"
