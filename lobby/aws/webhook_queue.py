"""The queue of webhooks' events: one message for each event and webhook.

The messages of one webhook form a group. SQS serves groups with many waiting messages last, so a receiver that is slow
or down does not delay the others ("Amazon SQS fair queues", SQS developer guide).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby import strict_json
from lobby.chunks import chunks
from lobby.domain.events.webhook import Message, parse_webhook_id
from lobby.errors import LobbyError, MessageRejected
from lobby.names import shown

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH: Final = 10
logger = Logger(service="webhooks")


class WebhookQueue:
    """`url` is the queue's; `sqs` returns the client."""

    def __init__(self, sqs: Callable[[], "SQSClient"], url: str) -> None:
        self._sqs, self._url = sqs, url

    def send(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Send messages. Return the ids of the events whose messages were not accepted, each with the cause."""
        failed: dict[str, str] = {}
        for batch in chunks(messages, BATCH):
            failed |= self._batch(batch)
        return failed

    def show_later(self, receipt: str, seconds: int) -> None:
        """Make a received message visible again after this time. If that fails, the queue's own time applies."""
        try:
            self._sqs().change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=seconds)
        except (ClientError, BotoCoreError):
            logger.warning("wait not set", exc_info=True)

    def _batch(self, messages: Sequence[Message]) -> dict[str, str]:
        entries: Any = [
            {"Id": str(number), "MessageGroupId": message.webhook, "MessageBody": encode(message)}
            for number, message in enumerate(messages)
        ]
        try:
            failed = self._sqs().send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
        except (ClientError, BotoCoreError) as error:
            logger.warning("not queued", exc_info=True)
            return {message.event: type(error).__name__ for message in messages}
        return {messages[int(each["Id"])].event: each["Code"] for each in failed}


def encode(message: Message) -> str:
    fields = {"webhook": message.webhook, "event": message.event, "body": message.body}
    return json.dumps(fields, separators=(",", ":"))


def decode(text: str) -> Message:
    """Return the message in the body of a queue's message. Raise `MessageRejected` MALFORMED_MESSAGE."""
    try:
        fields = strict_json.loads(text)
        webhook, event, body = parse_webhook_id(fields["webhook"]), fields["event"], fields["body"]
        if isinstance(event, str) and isinstance(body, dict) and isinstance(body["type"], str):
            return Message(webhook, event, body)
    except (LobbyError, ValueError, KeyError, TypeError):
        pass
    raise MessageRejected("MALFORMED_MESSAGE", f"got {shown(text)}, want webhook, event and body")
