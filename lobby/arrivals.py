"""Lambda: arrivals, the handler for connection reports of the targets. It records a device as arrived.

A report is a lifecycle event of AWS IoT in the target; it goes through that account's SNS topic to the lobby's queue.
An account can report only its own devices: the topic in the envelope must belong to the device's current target.
Devices that are not in the ledger, and connections from before the commissioning, are ignored. Subscriptions are
confirmed for registered targets only; other requests are dropped. A message that cannot be processed returns to the
queue, and finally goes to the dead-letter queue, which has an alarm.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore import UNSIGNED
from botocore.config import Config

from lobby.aws.clients import CLIENT_CONFIG, at_init, client
from lobby.domain.states import State
from lobby.errors import InvalidInput, NotFound
from lobby.ledger.clock import timestamp
from lobby.ledger.connection import connect
from lobby.ledger.store import Ledger
from lobby.ledger.targets import Targets
from lobby.names import Target, parse_fingerprint, parse_region, parse_target, shown
from lobby.settings import LobbySettings, read_settings

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

ACTOR: Final = "service:arrivals"
_SKEW: Final = timedelta(seconds=2)
"""How much the clocks of AWS IoT and of the commissioner may differ."""
logger = Logger(service="arrivals")


class Arrivals:
    """Processes the messages of the queue. `sns` returns a client for a Region."""

    def __init__(self, ledger: Ledger, targets: Targets, sns: Callable[[str], "SNSClient"]) -> None:
        self._ledger, self._targets, self._sns = ledger, targets, sns

    def process(self, envelope: dict[str, Any]) -> str:
        """Process a message. Return `arrived`, `confirmed`, or why nothing was done."""
        topic_arn = envelope.get("TopicArn")
        source = source_of(topic_arn)
        if envelope.get("Type") == "SubscriptionConfirmation":
            return self._confirm(source, str(topic_arn), str(envelope.get("Token")))
        return self._arrive(source, json.loads(envelope["Message"]))

    def _confirm(self, source: Target, topic_arn: str, token: str) -> str:
        try:
            self._targets.get(source)
        except NotFound:
            return "not a registered target"
        self._sns(source.region).confirm_subscription(TopicArn=topic_arn, Token=token)
        return "confirmed"

    def _arrive(self, source: Target, report: dict[str, Any]) -> str:
        try:
            certid = parse_fingerprint(report.get("certid"))
        except InvalidInput:
            return "not a certificate"
        device = self._ledger.get(certid)
        if device is None:
            return "unknown device"
        if device.target != source:
            return "another target"
        if device.devstate is not State.COMMISSIONED or _connected_at(report) < device.enteredat:
            return "nothing new"
        self._ledger.arrive(device, ACTOR)
        return "arrived"


def source_of(topic_arn: object) -> Target:
    """Return the target of a topic (arn:aws:sns:<region>:<account>:<name>). Raise `InvalidInput`."""
    parts = topic_arn.split(":") if isinstance(topic_arn, str) else []
    if len(parts) != 6 or parts[2] != "sns":
        raise InvalidInput("INVALID_TOPIC", f"got {shown(topic_arn)}, want the ARN of an SNS topic")
    return parse_target(parts[4], parse_region(parts[3]))


def _connected_at(report: dict[str, Any]) -> str:
    """Return the time of the connection (ms since 1970), plus the permitted clock skew."""
    value = report.get("connectedat")
    if not isinstance(value, int | float):
        raise InvalidInput("INVALID_TIME", f"got {shown(value)}, want milliseconds since 1970")
    return timestamp(datetime.fromtimestamp(value / 1000, UTC) + _SKEW)


def _unsigned_sns(region: str) -> "SNSClient":
    """Return a client without credentials. Confirming a subscription is the same as visiting its SubscribeURL: its
    token suffices, without a permission in the topic's account (SNS API reference, ConfirmSubscription). The client
    calls AWS's own endpoint, not the URL in the message."""
    sns: SNSClient = client("sns", CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED)), region_name=region)
    return sns


@at_init
def _arrivals() -> Arrivals:
    settings = read_settings(LobbySettings, os.environ)
    connect()
    return Arrivals(Ledger(settings.region), Targets.read_only(), cache(_unsigned_sns))


def handler(event: dict[str, Any], _context: object, arrivals: Arrivals | None = None) -> dict[str, Any]:
    """Process a batch of the arrivals queue, each message separately, so that one bad message does not block others."""
    failed = []
    for record in event["Records"]:
        try:
            outcome = (arrivals or _arrivals()).process(json.loads(record["body"]))
            logger.info("report", extra={"outcome": outcome})
        except Exception:  # the message returns to the queue; the cause is logged
            logger.exception("report not processed", extra={"message_id": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
