"""Leases of just-in-time registrations, so that the events of one certificate are processed one at a time.

AWS IoT publishes an event for each connection attempt of a pending certificate. The message that takes the lease first
is processed. Messages that were sent before this run read or changed the certificate need no run: they are dropped
without a call to AWS IoT. After a crash, the message of the crashed run can take the lease again as soon as the queue
delivers it; for other messages, the lease expires after a minute. DynamoDB deletes old rows (attribute `expires`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from pynamodb.exceptions import DoesNotExist, PutError, UpdateError
from pynamodb.expressions.update import Action

from lobby.ledger.clock import now
from lobby.ledger.dynamodb_errors import is_condition_unmet
from lobby.ledger.registration_rows import RegistrationRow
from lobby.names import Fingerprint

LEASE: Final = timedelta(minutes=1)
"""Longer than a run of the bouncer, so that a lease never expires during its run."""
KEPT: Final = timedelta(days=15)
"""Longer than the queue keeps a message."""


@dataclass(frozen=True)
class Registration:
    """One event for a certificate: the id of its message, and when it occurred, in ms since 1970."""

    certid: Fingerprint
    message: str
    sent: int


class TakeResult(Enum):
    """The result of `take`."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    """The message needs no run: a run that began or decided after the event has done its work, or is doing it."""
    BUSY = "busy"
    """A run is in progress that began before the event, so the message needs a run later."""


class RunResult(Enum):
    """The result of a run."""

    FAILED = "failed"
    UNCHANGED = "unchanged"
    """The certificate was not pending."""
    DECIDED = "decided"
    """The run has admitted or refused the certificate, so messages that were sent until now report its old state."""


class RegistrationLeases:
    """The leases. `clock` returns the time."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock

    def completed(self, registrations: Iterable[Registration]) -> frozenset[Fingerprint]:
        """Return the certificates whose registration was completed after the event, so that the event needs no run. One
        read serves at most 100 certificates, each given at most once."""
        sent = {each.certid: each.sent for each in registrations}
        rows = RegistrationRow.batch_get(list(sent), consistent_read=True)
        return frozenset(certid for row in rows if row.done and row.began > sent[certid := Fingerprint(row.certid)])

    def take(self, registration: Registration) -> TakeResult:
        """Take the lease for a run that begins now. The same message can take it again."""
        at = self._clock()
        row = RegistrationRow(
            registration.certid,
            message=registration.message,
            began=_ms(at),
            until=_ms(at + LEASE),
            done=False,
            expires=_ms(at + KEPT) // 1000,
        )
        free = (RegistrationRow.until <= _ms(at)) | (RegistrationRow.message == registration.message)
        unserved = (RegistrationRow.done == False) | (RegistrationRow.began <= registration.sent)  # noqa: E712  # PynamoDB
        try:
            row.save(condition=RegistrationRow.certid.does_not_exist() | (free & unserved))
        except PutError as error:
            if not is_condition_unmet(error):
                raise
            return self._held(registration)
        return TakeResult.TAKEN

    @staticmethod
    def _held(registration: Registration) -> TakeResult:
        try:
            row = RegistrationRow.get(registration.certid, consistent_read=True)
        except DoesNotExist:
            return TakeResult.BUSY
        return TakeResult.DUPLICATE if row.began > registration.sent else TakeResult.BUSY

    def end(self, registration: Registration, result: RunResult) -> None:
        """End the lease, unless another message has taken it."""
        actions: list[Action] = [RegistrationRow.done.set(result is not RunResult.FAILED), RegistrationRow.until.set(0)]
        if result is RunResult.DECIDED:
            actions.append(RegistrationRow.began.set(_ms(self._clock())))
        try:
            RegistrationRow(registration.certid).update(
                actions=actions, condition=RegistrationRow.message == registration.message
            )
        except UpdateError as error:
            if not is_condition_unmet(error):
                raise


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
