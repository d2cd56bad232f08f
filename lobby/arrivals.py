"""Lambda: the farewell. A target account saw a device connect; the ledger says `arrived`, and the job is done.

The report comes from AWS IoT's presence event in the target, through that account's SNS topic, to the lobby's
queue. An account can only report its own: the topic that the envelope names must be of the device's present
target. Devices that are not ours, and connects from before the commissioning, are ignored. A subscription is
confirmed for registered targets only, and a stranger's request for one is dropped; whatever cannot be handled
goes back to the queue, and in the end to its dead-letter queue, which is alarmed on.
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

from lobby.aws.clients import CLIENT_CONFIG, client
from lobby.domain.states import State
from lobby.errors import InvalidInput, NotFound
from lobby.ledger.store import Ledger, timestamp
from lobby.ledger.targets import Targets
from lobby.names import Target, parse_fingerprint, parse_region, parse_target, shown
from lobby.settings import LobbySettings, read_settings

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

ACTOR: Final = "service:arrivals"
_SKEW: Final = timedelta(seconds=2)
"""How far the clocks of AWS IoT and of the Lambda that commissioned may differ."""
logger = Logger(service="arrivals")


class Arrivals:
    """Takes envelopes off the queue. `sns` gives a client for a Region."""

    def __init__(self, ledger: Ledger, targets: Targets, sns: Callable[[str], "SNSClient"]) -> None:
        self._ledger, self._targets, self._sns = ledger, targets, sns

    def take(self, envelope: dict[str, Any]) -> str:
        """What was done: `arrived`, `confirmed`, or why nothing was."""
        topic_arn = envelope.get("TopicArn")
        source = source_of(topic_arn)
        if envelope.get("Type") == "SubscriptionConfirmation":
            return self._confirm(source, str(topic_arn), str(envelope.get("Token")))
        return self._arrive(source, json.loads(envelope["Message"]))

    def _confirm(self, source: Target, topic_arn: str, token: str) -> str:
        try:
            self._targets.get(source)
        except NotFound:
            return "a stranger's topic"
        self._sns(source.region).confirm_subscription(TopicArn=topic_arn, Token=token)
        return "confirmed"

    def _arrive(self, source: Target, report: dict[str, Any]) -> str:
        try:
            certid = parse_fingerprint(report.get("certid"))
        except InvalidInput:
            return "not a certificate"
        device = self._ledger.get(certid)
        if device is None:
            return "not ours"
        if device.target != source:
            return "elsewhere by now"
        if device.devstate is not State.COMMISSIONED or _connected_at(report) < device.enteredat:
            return "nothing new"
        self._ledger.arrive(device, ACTOR)
        return "arrived"


def source_of(topic_arn: object) -> Target:
    """The account and Region whose topic this is (arn:aws:sns:<region>:<account>:<name>)."""
    parts = topic_arn.split(":") if isinstance(topic_arn, str) else []
    if len(parts) != 6 or parts[2] != "sns":
        raise InvalidInput("INVALID_TOPIC", f"got {shown(topic_arn)}, want the ARN of an SNS topic")
    return parse_target(parts[4], parse_region(parts[3]))


def _connected_at(report: dict[str, Any]) -> str:
    """When AWS IoT saw the connect (ms since 1970), on the safe side by the clocks' skew."""
    moment = report.get("connectedat")
    if not isinstance(moment, int | float):
        raise InvalidInput("INVALID_TIME", f"got {shown(moment)}, want milliseconds since 1970")
    return timestamp(datetime.fromtimestamp(moment / 1000, UTC) + _SKEW)


@cache
def _arrivals() -> Arrivals:
    settings = read_settings(LobbySettings, os.environ)
    return Arrivals(Ledger(settings.region), Targets.read_only(), cache(_unsigned_sns))


def _unsigned_sns(region: str) -> "SNSClient":
    """What visiting a confirmation's SubscribeURL amounts to: the token is the proof, and no permission is needed
    in the topic's account (SNS API reference, ConfirmSubscription). The address is AWS's own, not the message's."""
    made: SNSClient = client("sns", CLIENT_CONFIG.merge(Config(signature_version=UNSIGNED)), region_name=region)
    return made


def handler(event: dict[str, Any], _context: object, arrivals: Arrivals | None = None) -> dict[str, Any]:
    """For the arrivals queue: each message by itself, so that a bad one does not hold the others up."""
    failed = []
    for record in event["Records"]:
        try:
            outcome = (arrivals or _arrivals()).take(json.loads(record["body"]))
            logger.info("report", extra={"outcome": outcome})
        except Exception:  # every failure goes back to the queue, and is logged with its cause
            logger.exception("report not taken", extra={"message_id": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
