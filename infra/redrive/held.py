"""Messages received from a queue for a redrive: each message that was in the queue at the start, once.

A message is deleted only after its event was accepted. Every other message returns to the queue, even after an
interruption. A dry run returns all messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_BATCH_SIZE: Final = 10
_VISIBILITY_SECONDS: Final = 300
_MAX_EMPTY_RESPONSES: Final = 2
"""Consecutive empty responses that mean an empty queue: SQS may query only some of its servers (developer guide, "Short
and long polling")."""


@dataclass(frozen=True)
class Message:
    """A message and the receipt handle to delete or return it."""

    id: str
    receipt: str
    body: str
    attributes: Any


class Held:
    """The messages that a queue received before `until`. `wait` is the long polling time in seconds."""

    def __init__(self, sqs: "SQSClient", name: str, until: datetime, wait: int) -> None:
        self._sqs, self._until, self._wait = sqs, until, wait
        self.name = name
        self._url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        self._receipts: dict[str, str] = {}

    def messages(self) -> Iterator[Message]:
        empty = 0
        while empty < _MAX_EMPTY_RESPONSES:
            response = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH_SIZE,
                VisibilityTimeout=_VISIBILITY_SECONDS,
                WaitTimeSeconds=self._wait,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            received = response.get("Messages", [])
            new = [each for each in received if self._is_new(each)]
            empty = 0 if new else empty + 1
            for each in new:
                attributes = each.get("MessageAttributes", {})
                yield Message(each["MessageId"], each["ReceiptHandle"], each["Body"], attributes)

    def _is_new(self, message: Any) -> bool:
        """Return whether the message is received for the first time and is not a result of this redrive."""
        repeated = message["MessageId"] in self._receipts
        self._receipts[message["MessageId"]] = message["ReceiptHandle"]
        return not repeated and int(message["Attributes"]["SentTimestamp"]) <= self._until.timestamp() * 1000

    def done(self, message: Message) -> None:
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)
        self._receipts.pop(message.id, None)

    def put_back(self) -> None:
        """Make the unprocessed messages visible again immediately."""
        while self._receipts:
            _, receipt = self._receipts.popitem()
            self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0)
