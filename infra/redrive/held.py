"""Messages held out of a queue while they are worked on: those that were there at the beginning, each once.

A message is deleted only when what it asks for was handed over; one that was not, and all of them when we are cut off,
is in the queue again afterwards. A listing puts everything back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_AT_ONCE: Final = 10
_HELD_SECONDS: Final = 300
_EMPTY: Final = 2
"""So many empty answers mean an empty queue: SQS may look at some of its servers only (developer guide, "Short and long
polling")."""


@dataclass(frozen=True)
class Message:
    """A message and the receipt by which it is deleted or put back."""

    id: str
    receipt: str
    body: str
    attributes: Any


class Held:
    """One queue's messages of before `until`. `wait`: seconds that SQS may look for more before it says that it has
    none."""

    def __init__(self, sqs: "SQSClient", name: str, until: datetime, wait: int) -> None:
        self._sqs, self._until, self._wait = sqs, until, wait
        self.name = name
        self._url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        self._seen: dict[str, str] = {}

    def messages(self) -> Iterator[Message]:
        empty = 0
        while empty < _EMPTY:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=_HELD_SECONDS,
                WaitTimeSeconds=self._wait,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
            received = answer.get("Messages", [])
            new = [each for each in received if self._is_new(each)]
            empty = 0 if new else empty + 1
            for each in new:
                attributes = each.get("MessageAttributes", {})
                yield Message(each["MessageId"], each["ReceiptHandle"], each["Body"], attributes)

    def _is_new(self, message: Any) -> bool:
        """Seen for the first time, and not sent by what was redriven just now."""
        known = message["MessageId"] in self._seen
        self._seen[message["MessageId"]] = message["ReceiptHandle"]
        return not known and int(message["Attributes"]["SentTimestamp"]) <= self._until.timestamp() * 1000

    def done(self, message: Message) -> None:
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)
        self._seen.pop(message.id, None)

    def put_back(self) -> None:
        """What is not done may be received again at once."""
        while self._seen:
            _, receipt = self._seen.popitem()
            self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=0)
