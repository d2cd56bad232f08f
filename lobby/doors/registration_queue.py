"""Lambda: the bouncer's handler, for batches of the queue of just-in-time registrations.

Each connection attempt of a pending certificate sends a message. If the certificate was admitted or refused in the
meantime, its messages are dropped, after one read for the whole batch. For each other certificate, the bouncer takes a
lease and waits until the quota of AWS IoT permits the calls. Messages are processed independently: a message that fails
is tried again later (`registration_messages`).
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aws_lambda_powertools import Logger

from lobby.aws import allocation_hook
from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.pacer import Pacer
from lobby.aws.trust_store import TrustStore
from lobby.domain.pacing import Pace
from lobby.doors.admission import Admission
from lobby.doors.allocating import Allocator
from lobby.doors.registration import SETTLED, Bouncer
from lobby.doors.registration_messages import Busy, Delivery, FailedRegistrations, delivery_of
from lobby.errors import MessageRejected
from lobby.home_guard import everywhere
from lobby.ledger.connection import connect
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.enrolments.enrolment_rows import EnrolmentRow, SerialRow
from lobby.ledger.enrolments.recent_enrolments import RecentEnrolments
from lobby.ledger.leases import Registration, RegistrationLeases, RunResult, TakeResult
from lobby.ledger.models import TargetRow
from lobby.ledger.regions.routing import Access, is_unavailable
from lobby.ledger.registration_rows import RegistrationRow
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Fingerprint
from lobby.settings import BouncerSettings, read_settings

_PARALLEL: Final = 8
"""Devices of a batch that are processed at the same time, because the calls for one device take longer than its share
of the quota."""
logger = Logger(service="bouncer")


class RegistrationQueue:
    """Processes batches, at most `parallel` devices at the same time."""

    def __init__(
        self,
        bouncer: Bouncer,
        leases: RegistrationLeases,
        pacer: Pacer,
        failed: FailedRegistrations,
        parallel: int = _PARALLEL,
    ) -> None:
        self._bouncer, self._leases, self._pacer, self._failed = bouncer, leases, pacer, failed
        self._parallel = parallel

    def process(self, deliveries: Iterable[Delivery]) -> list[str]:
        """Process a batch and return the ids of the messages that stay in the queue."""
        pending, retried = self._parsed(deliveries)
        if len(pending) > 1:
            try:
                completed = self._leases.completed(each for each, _ in pending)
            except Exception:  # each message is then checked separately
                logger.warning("completed registrations not read", exc_info=True)
                completed = frozenset()
            pending = [(each, delivery) for each, delivery in pending if each.certid not in completed]
        if len(pending) > 1:
            with ThreadPoolExecutor(self._parallel) as pool:
                stay = list(pool.map(lambda pair: self._stays(*pair, alone=False), pending))
        else:
            stay = [self._stays(*pair, alone=True) for pair in pending]
        return retried + [delivery.id for (_, delivery), stays in zip(pending, stay, strict=True) if stays]

    def _parsed(self, deliveries: Iterable[Delivery]) -> tuple[list[tuple[Registration, Delivery]], list[str]]:
        """Return the last message of each certificate, and the ids of unreadable messages that stay in the queue. One
        run serves all messages of a certificate, because no work has begun yet; if the run fails, the last message
        stays."""
        latest: dict[str, tuple[Registration, Delivery]] = {}
        stay = []
        for delivery in sorted(deliveries, key=lambda each: each.sent):
            try:
                registration = delivery.registration()
            except MessageRejected as error:
                stay += [delivery.id] if self._failed.is_retried(delivery, error) else []
            else:
                latest[registration.certid] = (registration, delivery)
        return list(latest.values()), stay

    def _stays(self, registration: Registration, delivery: Delivery, *, alone: bool) -> bool:
        try:
            self._register(registration, alone=alone)
        except Exception as error:  # noqa: BLE001  # logged there, and recorded with the message
            self._admit_without_home(registration.certid, error)
            return self._failed.is_retried(delivery, error)
        return False

    def _admit_without_home(self, certid: Fingerprint, error: Exception) -> None:
        """Activate the certificate of a device that has its route, if the home Region does not answer. The message is
        kept, so that the home can process it later."""
        if not is_unavailable(error):
            return
        try:
            outcome = self._bouncer.admit_without_home(certid)
        except Exception:  # the next delivery tries it again
            logger.warning("not admitted without the home", extra={"certid": certid}, exc_info=True)
        else:
            logger.info("processed without the home", extra={"certid": certid, "outcome": outcome})

    def _register(self, registration: Registration, *, alone: bool) -> None:
        """Wait, take the lease, decide. If the message is `alone` in its batch, the lease comes first, so that a
        duplicate uses no share of the quota."""
        if not alone:
            self._pacer.wait()
        lease = self._leases.take(registration)
        if lease is not TakeResult.TAKEN and not alone:
            self._pacer.give_back()
        if lease is TakeResult.BUSY:
            raise Busy
        if lease is TakeResult.DUPLICATE:
            return
        try:
            if alone:
                self._pacer.wait()
            outcome = self._bouncer.decide(registration.certid)
        except Exception:
            self._end(registration, RunResult.FAILED)
            raise
        is_decided = outcome != SETTLED
        self._end(registration, RunResult.DECIDED if is_decided else RunResult.UNCHANGED)
        log = logger.info if is_decided else logger.debug
        log("decided", extra={"certid": registration.certid, "outcome": outcome})

    def _end(self, registration: Registration, result: RunResult) -> None:
        """End the lease. If this fails, the lease expires, and a decision can be repeated."""
        try:
            self._leases.end(registration, result)
        except Exception:  # the outcome of the run stands
            logger.warning("lease not ended", extra={"certid": registration.certid}, exc_info=True)


def _pace(per_second: str) -> Pace:
    """Return the pace of this process, with a burst of one second."""
    return Pace(float(per_second), max(1.0, float(per_second)))


@at_init
def _queue() -> RegistrationQueue:
    settings = read_settings(BouncerSettings, os.environ)
    connect(RegistrationRow, EnrolmentRow, SerialRow, TargetRow)
    clients, ledger = LobbyClients(), Ledger(settings.region)
    trust = TrustStore(clients.iot, clients.s3, settings.trust_bucket)
    allocator = Allocator(Targets.read_only().all, allocation_hook.invoke)
    admission = Admission(ledger, RecentEnrolments(Enrolments()), allocator)
    bouncer = Bouncer(clients.iot, trust, ledger, admission, settings.lobby_policy)
    failed = FailedRegistrations(lambda: clients.sqs, settings.registrations_queue, settings.undelivered_queue)
    return RegistrationQueue(bouncer, RegistrationLeases(), Pacer(_pace(settings.registrations_per_second)), failed)


@everywhere(Access.DOOR)
def handler(event: dict[str, Any], _context: object, queue: RegistrationQueue | None = None) -> dict[str, Any]:
    """Process a batch of events of the rule on `$aws/events/certificates/registered/+` (AWS IoT developer guide,
    "Just-in-time registration")."""
    stay = (queue or _queue()).process(map(delivery_of, event["Records"]))
    return {"batchItemFailures": [{"itemIdentifier": each} for each in stay]}
