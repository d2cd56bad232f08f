"""Devices that join by claim: their initial states, and the part of AWS IoT in their provisioning. AWS IoT issues a
certificate, calls the hook, and activates the certificate if the hook permits it. A device whose request fails sends it
again.
"""

from functools import cache
from typing import Final

from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.enrolments.claim_certificate import CertificateActivity, ClaimCertificate, Source
from lobby.domain.enrolments.enrolment import Door, Enrolment, EnrolmentEntry, EnrolmentEvent, Match, Repeat
from lobby.domain.name_patterns import parse_name_pattern
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import timestamp
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.serial_claims import SerialClaims
from lobby.names import EnrolmentName, Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import WAITING_POLICY
from tests.simulation.faults import initial_states
from tests.simulation.faults.devices import A, Fleet, SimulatedDevice
from tests.simulation.faults.initial_states import ONE

CLAIM: Final = Fingerprint("c1" * 32)
_NAME: Final = EnrolmentName("sensors")
_AMAZON: Final = make.authority(number=5)


def _enrol(fleet: Fleet, pattern: str, allocation: Allocation | None = None) -> None:
    at = timestamp(fleet.clock())
    match = Match(name_pattern=parse_name_pattern(pattern))
    Enrolments(fleet.clock).create(
        Enrolment(_NAME, Door.CLAIM, match, "user:ann", at, limit=1, allocation=allocation, repeat=Repeat.REPLACE)
    )
    claim = ClaimCertificate(CLAIM, _NAME, "2099-01-01T00:00:00.000Z", Source.SUPPLIED, "user:ann", at)
    entry = EnrolmentEntry(at, "user:ann", EnrolmentEvent.CERTIFIED, CLAIM)
    ClaimCertificates.add(claim, entry)
    ClaimCertificates.set_activity(claim, CertificateActivity.ACTIVE)


def claimed_by_serial(fleet: Fleet) -> None:
    """The serial number of a device that has not connected is claimed."""
    initial_states.unconnected(fleet)
    SerialClaims(fleet.clock).claim(ThingName(ONE), ClaimRequest(A), "user:ann")


def enrolled(fleet: Fleet) -> None:
    """An enrolment for one device, which waits for a claim."""
    _enrol(fleet, "sensor-*")


def enrolled_for_a_target(fleet: Fleet) -> None:
    _enrol(fleet, "sensor-*", Allocation((Share(A),)))


def enrolled_for_others(fleet: Fleet) -> None:
    _enrol(fleet, "valve-*")


def joined(fleet: Fleet) -> None:
    """A device with its first key is in its target."""
    enrolled_for_a_target(fleet)
    provision(fleet)


def provision(fleet: Fleet, number: int = 0) -> None:
    """The device `ONE` requests provisioning with the key `number`."""
    device = SimulatedDevice(ONE, _pem(number), _AMAZON.pem)
    iot = aws.client("iot")
    iot.register_certificate_without_ca(certificatePem=device.pem, status="PENDING_ACTIVATION")
    event = {
        "claimCertificateId": CLAIM,
        "certificateId": device.certid,
        "certificatePem": device.pem,
        "clientId": "claim.1",
        "templateArn": f"arn:aws:iot:{aws.REGION}:{aws.LOBBY}:provisioningtemplate/device-lobby",
        "parameters": {"SerialNumber": ONE},
    }
    fleet.devices[ONE] = device
    if fleet.cloud.provision(event):
        arn = iot.describe_certificate(certificateId=device.certid)["certificateDescription"]["certificateArn"]
        iot.create_thing(thingName=ONE)
        iot.attach_thing_principal(thingName=ONE, principal=arn)
        iot.attach_policy(policyName=WAITING_POLICY, target=arn)
        iot.update_certificate(certificateId=device.certid, newStatus="ACTIVE")
        fleet.power_on(ONE)


@cache
def _pem(number: int) -> str:
    return make.pem_of(make.device(_AMAZON, ONE, serial=4000 + number, number=40 + number))
