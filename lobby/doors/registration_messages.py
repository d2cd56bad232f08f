"""The messages of the registrations' queue: parsing, and the waits and the last attempt of a failed message.

A message that fails becomes visible again later, after twice the wait each time. After the last attempt, the message
goes to the on-failure queue with the reason. An unreadable message goes there immediately. If runs crash, the redrive
policy of the queue moves the message there.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby import strict_json
from lobby.errors import LobbyError, MessageRejected, NotHome
from lobby.ledger.leases import Registration
from lobby.names import parse_fingerprint, shown

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

ATTEMPTS: Final = 8
"""After this many deliveries, a message that fails goes to the on-failure queue."""
_FIRST_WAIT: Final = 5
_LONGEST_WAIT: Final = 300
"""Seconds until a failed message becomes visible again."""
_BUSY_WAIT: Final = 10
NO_HOME_WAIT: Final = 1200
"""Seconds until a message is tried again while no Region of the lobby may write."""
LATE: Final = 120_000
"""How much earlier than its message an event can be, in ms. The clocks of AWS IoT's events can differ by two
minutes."""
logger = Logger(service="bouncer")


class Busy(Exception):
    """Another run for this certificate is in progress."""


@dataclass(frozen=True)
class Delivery:
    """A received message. `sent` is when it entered the queue, in ms since 1970; `receives` counts its deliveries,
    including this one."""

    id: str
    receipt: str
    body: str
    sent: int
    receives: int

    def registration(self) -> Registration:
        """Return the event in the message. Only the certificate id and the time are read; the rest comes from AWS IoT's
        registry. Raise `MessageRejected`."""
        try:
            event = strict_json.loads(self.body)
            certid = parse_fingerprint(event["certificateId"])
        except (LobbyError, ValueError, KeyError, TypeError, RecursionError) as error:
            want = 'want an event with a "certificateId"'
            raise MessageRejected("MALFORMED_MESSAGE", f"got {shown(self.body)}, {want}") from error
        return Registration(certid, self.id, self._occurred(event.get("timestamp")))

    def _occurred(self, at: object) -> int:
        """Return when the event occurred. A rule can send the message late, and work that was done in between must not
        be repeated. An impossible time is not used, because the device would then be ignored."""
        if not isinstance(at, int) or isinstance(at, bool):
            return self.sent
        return at if self.sent - LATE <= at <= self.sent else self.sent


def delivery_of(record: dict[str, Any]) -> Delivery:
    """Return the message in a record of Lambda's event (Lambda developer guide, "Using Lambda with Amazon SQS")."""
    attributes = record["attributes"]
    sent, receives = int(attributes["SentTimestamp"]), int(attributes["ApproximateReceiveCount"])
    return Delivery(record["messageId"], record["receiptHandle"], record["body"], sent, receives)


class FailedRegistrations:
    """Decides when a message is tried again, and sends it to the on-failure queue after its last attempt. `sqs` returns
    the client, which most processes never need. `spread` returns a number from 0 to 1."""

    def __init__(
        self, sqs: Callable[[], "SQSClient"], queue: str, undelivered: str, spread: Callable[[], float] = random.random
    ) -> None:
        self._sqs, self._queue, self._undelivered, self._spread = sqs, queue, undelivered, spread

    def is_retried(self, delivery: Delivery, error: Exception) -> bool:
        """Return whether the message stays in its queue."""
        if isinstance(error, Busy | NotHome):
            return self._show_later(delivery, _BUSY_WAIT if isinstance(error, Busy) else NO_HOME_WAIT)
        logger.warning(
            "registration failed", extra={"message_id": delivery.id, "attempt": delivery.receives}, exc_info=error
        )
        if isinstance(error, MessageRejected) or delivery.receives >= ATTEMPTS:
            return not self._handed_over(delivery, error)
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (delivery.receives - 1))
        return self._show_later(delivery, round(longest * (1 + self._spread()) / 2))

    def _show_later(self, delivery: Delivery, seconds: int) -> bool:
        try:
            self._sqs().change_message_visibility(
                QueueUrl=self._queue, ReceiptHandle=delivery.receipt, VisibilityTimeout=seconds
            )
        except (ClientError, BotoCoreError):  # the message becomes visible after the queue's own timeout
            logger.warning("wait not set", extra={"message_id": delivery.id}, exc_info=True)
        return True

    def _handed_over(self, delivery: Delivery, error: Exception) -> bool:
        reason = f"{type(error).__name__}: {error}"[:1000]
        body = {"registration": delivery.body, "reason": reason, "attempts": delivery.receives}
        try:
            self._sqs().send_message(QueueUrl=self._undelivered, MessageBody=json.dumps(body))
        except (ClientError, BotoCoreError):  # the queue's redrive policy moves it after some more deliveries
            logger.exception("not sent to the on-failure queue", extra={"message_id": delivery.id})
            return False
        logger.error("sent to the on-failure queue", extra={"message_id": delivery.id, "reason": reason})
        return True
