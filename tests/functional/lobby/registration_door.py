"""Just-in-time registration on moto: one registered CA with its revocation list, the bouncer, and its queue."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lobby.aws.allocation_hook import HookFailed
from lobby.aws.pacer import Pacer
from lobby.aws.trust_store import TrustStore
from lobby.domain.pacing import Pace
from lobby.doors.admission import Admission
from lobby.doors.allocating import Allocator
from lobby.doors.registration import Bouncer
from lobby.doors.registration_messages import FailedRegistrations
from lobby.doors.registration_queue import RegistrationQueue, handler
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.recent_enrolments import RecentEnrolments
from lobby.ledger.leases import RegistrationLeases
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import parse_fingerprint
from lobby.wire import crl_key
from tests import aws
from tests import certificates as make
from tests.aws import BUCKET, REGION, WAITING_POLICY, Calls, Clock

EVENT = Path(__file__).parents[2] / "events" / "certificate_registered.json"
CA = make.authority()
GOOD = make.pem_of(make.device(CA, serial=1001))


class RegistrationDoor:
    """A lobby with one registered CA and the bouncer."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self.calls, self.clock = calls, clock
        self.hooks: dict[str, Callable[[Mapping[str, Any]], Any]] = {}
        """The operator's functions that choose targets, by name."""
        with calls.uncounted():
            self.iot, self.s3 = aws.client("iot"), aws.client("s3")
            self.ca_id = self.register_ca(CA)
        self.bouncer = self.new_bouncer()

    def new_bouncer(self) -> Bouncer:
        """Return the bouncer of a new Lambda, without a cache."""
        with self.calls.uncounted():
            ledger = Ledger(REGION, self.clock, pause=lambda _attempt: None)
            allocator = Allocator(Targets.read_only().all, self.invoke)
            admission = Admission(ledger, RecentEnrolments(Enrolments(self.clock), self.clock), allocator, self.clock)
            trust = TrustStore(self.iot, self.s3, BUCKET)
            return Bouncer(self.iot, trust, ledger, admission, WAITING_POLICY, self.clock)

    def invoke(self, function: str, question: Mapping[str, Any]) -> Any:
        """Call a function of the operator, as `lobby.aws.allocation_hook` does."""
        if function not in self.hooks:
            raise HookFailed(f"{function} gave no answer")
        return self.hooks[function](question)

    def register_ca(self, issuer: make.Issuer, crl: bytes | None = b"usual") -> str:
        with self.calls.uncounted():
            registered = self.iot.register_ca_certificate(caCertificate=issuer.pem, setAsActive=True)
            ca_id = str(registered["certificateId"])
            if crl is not None:
                self.publish(ca_id, make.crl(issuer) if crl == b"usual" else crl)
            return ca_id

    def publish(self, ca_id: str, crl: bytes) -> None:
        with self.calls.uncounted():
            self.s3.put_object(Bucket=BUCKET, Key=crl_key(ca_id), Body=crl)

    def first_connection(self, pem: str = GOOD, issuer: make.Issuer = CA) -> dict[str, Any]:
        """Register an unknown certificate, and return the event that AWS IoT publishes."""
        with self.calls.uncounted():
            certid = self.iot.register_certificate(
                certificatePem=pem, caCertificatePem=issuer.pem, status="PENDING_ACTIVATION"
            )["certificateId"]
        text = EVENT.read_text().replace("CA_CERTIFICATE_ID", self.ca_id).replace("CERTIFICATE_ID", certid)
        event: dict[str, Any] = json.loads(text)
        return event | {"timestamp": int(self.clock().timestamp() * 1000)}

    def deliver(self, event: dict[str, Any]) -> str:
        """Let the bouncer decide on the certificate of the event, and return the outcome."""
        return self.bouncer.decide(parse_fingerprint(event["certificateId"]))

    def queue(self, pacer: Pacer | None = None) -> RegistrationQueue:
        """Return the queue's processing in a new Lambda. Without `pacer` it does not wait."""
        pacer = pacer or Pacer(Pace(5, 5), sleep=lambda _seconds: None)
        failed = FailedRegistrations(lambda: aws.client("sqs"), "registrations", "undelivered", spread=lambda: 1.0)
        # moto is not made for threads
        return RegistrationQueue(self.new_bouncer(), RegistrationLeases(self.clock), pacer, failed, parallel=1)

    def receive(self, *records: dict[str, Any], queue: RegistrationQueue | None = None) -> list[str]:
        """Deliver a batch of the queue and return the ids of the messages that stay in it."""
        answer = handler({"Records": list(records)}, None, queue or self.queue())
        return [each["itemIdentifier"] for each in answer["batchItemFailures"]]

    def message(self, event: dict[str, Any], number: int = 1, *, receives: int = 1) -> dict[str, Any]:
        """Return the message `number` with an event that is sent now, as the mapping delivers it."""
        return record_of(json.dumps(event), number, self.clock, receives)


def record_of(body: str, number: int, clock: Clock, receives: int = 1) -> dict[str, Any]:
    sent = int(clock().timestamp() * 1000)
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"receipt-{number}",
        "body": body,
        "attributes": {"SentTimestamp": str(sent), "ApproximateReceiveCount": str(receives)},
        "eventSource": "aws:sqs",
    }


def ids(numbers: Iterable[int]) -> list[str]:
    return [f"message-{number}" for number in numbers]
