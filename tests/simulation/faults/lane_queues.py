"""The lanes' FIFO queues: the effect of `SendMessage` and `ChangeMessageVisibility`, and the messages that can be
delivered. As documented for SQS (developer guide, "FIFO queue delivery logic"): a message is hidden while it is in
flight, and no later message of its group is delivered before it is deleted; a deduplication id is ignored for five
minutes.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from infra.parts.functions import COMMISSIONER
from tests.simulation.faults.error_responses import response

_DEDUPLICATION: Final = timedelta(minutes=5)
Answer = Callable[[AWSPreparedRequest], AWSResponse]
_HEADERS: Final = {"Content-Type": "application/x-amz-json-1.0"}


@dataclass(eq=False)
class Message:
    """A message in one of the queues. `receives` counts its deliveries."""

    number: int
    queue: str
    group: str
    body: str
    visible_at: datetime
    receives: int = 0

    @property
    def event(self) -> dict[str, Any]:
        """The event of an invocation with this message."""
        record = {"messageId": str(self.number), "receiptHandle": str(self.number), "body": self.body}
        return {"Records": [record]}


@dataclass
class LaneQueues:
    """Both queues."""

    clock: Callable[[], datetime]
    messages: list[Message] = field(default_factory=list)
    deleted: list[Message] = field(default_factory=list)
    _identities: dict[str, datetime] = field(default_factory=dict)
    _count: int = 0

    def stubs(self, send_other: Answer, hide_other: Answer) -> dict[str, Answer]:
        """Return the stub for SQS. `others` answers for the other queues."""
        return {
            "sqs.SendMessage": lambda request: (self._send if _is_of_lane(request) else send_other)(request),
            "sqs.ChangeMessageVisibility": lambda request: (self._hide if _is_of_lane(request) else hide_other)(
                request
            ),
        }

    def visible(self) -> list[Message]:
        """Return the messages that SQS can deliver now: at most the first of each group."""
        return [message for message in self._first() if message.visible_at <= self.clock()]

    def next_visible_at(self) -> datetime | None:
        """Return when SQS can deliver the next message: one behind a hidden message of its group waits for that."""
        return min((message.visible_at for message in self._first()), default=None)

    def _first(self) -> list[Message]:
        first: dict[tuple[str, str], Message] = {}
        for message in self.messages:
            first.setdefault((message.queue, message.group), message)
        return list(first.values())

    def receive(self, message: Message) -> dict[str, Any]:
        """Hide the message for the queue's visibility timeout, and return the event."""
        message.receives += 1
        message.visible_at = self.clock() + timedelta(seconds=COMMISSIONER.timeout)
        return message.event

    def end(self, message: Message, answer: Any) -> bool:
        """Delete the message, unless the function has reported it as failed; return whether it is deleted."""
        if answer is None or answer["batchItemFailures"]:
            return False
        if message in self.messages:
            self.messages.remove(message)
            self.deleted.append(message)
        return True

    def _send(self, request: AWSPreparedRequest) -> AWSResponse:
        body = _json(request)
        identity, at = body["MessageDeduplicationId"], self.clock()
        if self._identities.get(identity, at - _DEDUPLICATION) <= at - _DEDUPLICATION:
            self._identities[identity] = at
            self._count += 1
            self.messages.append(
                Message(self._count, body["QueueUrl"], body["MessageGroupId"], body["MessageBody"], at)
            )
        digest = hashlib.md5(body["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return _respond(request, {"MessageId": identity[:36], "MD5OfMessageBody": digest})

    def _hide(self, request: AWSPreparedRequest) -> AWSResponse:
        body = _json(request)
        for message in self.messages:
            if str(message.number) == body["ReceiptHandle"]:
                message.visible_at = self.clock() + timedelta(seconds=body["VisibilityTimeout"])
        return _respond(request, {})


def _is_of_lane(request: AWSPreparedRequest) -> bool:
    return str(_json(request)["QueueUrl"]).endswith(".fifo")


def _json(request: AWSPreparedRequest) -> dict[str, Any]:
    body: Any = request.body
    found: dict[str, Any] = json.loads(body)
    return found


def _respond(request: AWSPreparedRequest, body: dict[str, Any]) -> AWSResponse:
    return response(request, 200, _HEADERS, json.dumps(body).encode())
