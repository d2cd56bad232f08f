"""The door `claim` on moto: an enrolment with a claim certificate, the registrar, the hook, and AWS IoT's part."""

from collections.abc import Callable
from functools import cache
from typing import Any

from lobby.aws.allocation_hook import HookFailed
from lobby.aws.pacer import Pacer
from lobby.contracts.claim_certificates import AddClaimCertificate
from lobby.domain.device import Device
from lobby.domain.enrolments.claim_certificate import ClaimCertificate
from lobby.domain.enrolments.enrolment import Door, Enrolment, Match, Repeat
from lobby.domain.pacing import Pace
from lobby.doors import provisioning, registrar
from lobby.doors.acceptance import Acceptance
from lobby.doors.admission import Admission
from lobby.doors.allocating import Allocator
from lobby.doors.claim_registrations import ClaimRegistrations
from lobby.doors.orphaned_certificates import OrphanedCertificates
from lobby.doors.pending_certificates import PendingCertificates
from lobby.doors.unfinished_acceptances import UnfinishedAcceptances
from lobby.doors.unused_certificates import UnusedCertificates
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.recent_enrolments import RecentEnrolments
from lobby.ledger.enrolments.serial_lists import SerialLists
from lobby.ledger.reader import LedgerReader
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import EnrolmentName, Fingerprint, ThingName, parse_target
from tests import aws
from tests import certificates as make
from tests.aws import REGION, WAITING_POLICY, Calls, Clock

A = parse_target("1" * 12, "eu-west-1")
PUMPS = EnrolmentName("pumps")
POLICY, KEYS_POLICY = "device-lobby-claim", "device-lobby-claim-keys"
AMAZON = make.authority()
"""AWS IoT's own CA, which no one has registered."""
CLAIM_CA = make.authority(number=7)


class ClaimDoor:
    """A lobby with a target, and the Lambdas of the door."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self.calls, self.clock = calls, clock
        self.iot, self.enrolments, self.lists = aws.client("iot"), Enrolments(clock), SerialLists(clock)
        self.ledger = Ledger(REGION, clock, pause=lambda _attempt: None)
        with calls.uncounted():
            for policy in (POLICY, KEYS_POLICY):
                self.iot.create_policy(policyName=policy, policyDocument="{}")
            Targets(lambda: "e" * 32, clock).register(A, "A", ("default",), "setup")
        self.claims = ClaimRegistrations(self.iot, POLICY, KEYS_POLICY, LedgerReader(), clock)
        self.pending = PendingCertificates(self.iot, LedgerReader(), clock)
        self.orphaned = OrphanedCertificates(self.iot, LedgerReader(), clock)
        unused = UnusedCertificates(REGION, self.iot, LedgerReader(), clock)
        self.acceptance = Acceptance(self.iot, self.ledger, WAITING_POLICY, clock)
        unfinished = UnfinishedAcceptances(self.iot, LedgerReader(), WAITING_POLICY, Pacer(Pace(1000)), clock)
        self.service = registrar.RegistrarHandler(
            self.claims, unused, self.enrolments, self.acceptance, unfinished, clock
        )
        allocator = Allocator(Targets.read_only().all, _no_function)
        admission = Admission(self.ledger, RecentEnrolments(self.enrolments, clock), allocator, clock)
        self.hook = provisioning.ProvisioningHook(
            self.iot, self.ledger, admission, clock=clock, find_claim=ClaimCertificates.find
        )

    def enrol(
        self, name: str = PUMPS, match: Match | None = None, repeat: Repeat = Repeat.REFUSE, **more: Any
    ) -> Enrolment:
        with self.calls.uncounted():
            return self.enrolments.create(
                Enrolment(
                    EnrolmentName(name), Door.CLAIM, match or Match(), "user:ann", self.now(), repeat=repeat, **more
                )
            )

    def add_claim(self, name: str = PUMPS, number: int = 0, **more: Any) -> Fingerprint:
        """Supply a claim certificate, and return its fingerprint."""
        pem = more.pop("pem", None) or claim_pem(number)
        with self.calls.uncounted():
            return self.claims.add(AddClaimCertificate(EnrolmentName(name), "user:ann", None, pem, **more)).certid

    def claim(self, certid: Fingerprint) -> ClaimCertificate:
        found = ClaimCertificates.find(certid)
        assert found is not None
        return found

    def issue(self, pem: str) -> Fingerprint:
        """Act as AWS IoT when a device requests a certificate, and return its fingerprint."""
        with self.calls.uncounted():
            answer = self.iot.register_certificate_without_ca(certificatePem=pem, status="PENDING_ACTIVATION")
            return Fingerprint(answer["certificateId"])

    def event(self, claim: Fingerprint, pem: str, serial: object) -> dict[str, Any]:
        """Return the hook's event (AWS IoT developer guide, "Pre-provision hook input")."""
        return {
            "claimCertificateId": claim,
            "certificateId": make.fingerprint_of(pem),
            "certificatePem": pem,
            "templateArn": f"arn:aws:iot:{REGION}:{aws.LOBBY}:provisioningtemplate/device-lobby",
            "clientId": "claim.0123456789abcdef",
            "parameters": {"SerialNumber": serial},
        }

    def register(self, claim: Fingerprint, pem: str, serial: object) -> bool:
        """Act as AWS IoT for RegisterThing: call the hook, then activate the certificate if the hook permits it."""
        answer = provisioning.handler(self.event(claim, pem, serial), None, self.hook)
        if answer["allowProvisioning"]:
            certid = make.fingerprint_of(pem)
            with self.calls.uncounted():
                arn = self.iot.describe_certificate(certificateId=certid)["certificateDescription"]["certificateArn"]
                self.iot.create_thing(thingName=serial)
                self.iot.attach_thing_principal(thingName=serial, principal=arn)
                self.iot.attach_policy(policyName=WAITING_POLICY, target=arn)
                self.iot.update_certificate(certificateId=certid, newStatus="ACTIVE")
        return answer["allowProvisioning"]

    def provision(self, claim: Fingerprint, serial: str = "pump-1", number: int = 0, cn: str | None = None) -> bool:
        """Provision a device with the key `number`. Return whether it is allowed."""
        pem = device_pem(serial if cn is None else cn, number)
        self.issue(pem)
        return self.register(claim, pem, serial)

    def device(self, serial: str = "pump-1", number: int = 0, cn: str | None = None) -> Device | None:
        return self.ledger.get(make.fingerprint_of(device_pem(serial if cn is None else cn, number)))

    def reason(self, serial: str = "pump-1", number: int = 0, cn: str | None = None) -> str | None:
        device = self.device(serial, number, cn)
        return device.reason if device else "no row"

    def holder(self, serial: str = "pump-1") -> Fingerprint | None:
        return self.ledger.name_holder(ThingName(serial))

    def admitted(self) -> int:
        return self.enrolments.get(PUMPS).admitted

    def run(self, time_is_up: Callable[[], bool] = lambda: False) -> dict[str, int]:
        """Make a run of the registrar's timer."""
        return self.service.run(time_is_up)

    def now(self) -> str:
        return self.clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _no_function(function: str, _question: object) -> Any:
    raise HookFailed(f"{function} gave no answer")


def device_pem(cn: str, number: int = 0, serial: int = 0) -> str:
    """Return the certificate that AWS IoT issues for the key `number`; an empty CN gives a subject without one."""
    return _device_pem(cn, number, serial)


@cache
def _device_pem(cn: str, number: int, serial: int) -> str:
    name = make.subject() if not cn else None
    return make.pem_of(make.device(AMAZON, cn, name=name, number=number, serial=9000 + number + 100 * serial))


def claim_pem(number: int = 0, days: int = 365) -> str:
    return _claim_pem(number, days)


@cache
def _claim_pem(number: int, days: int) -> str:
    end = make.NOW + days * make.DAY
    return make.pem_of(make.device(CLAIM_CA, f"claim {number}", number=50 + number, serial=8000 + number, end=end))
