"""Lambda: passes the ledger's stream to the commissioner.

The event filter selects rows that need the commissioner. Each record is processed by itself: a failed record is
reported and retried by the event source mapping while the others are processed, except later records of the same
device. An older record is checked against the ledger first, as it may be superseded. A record that cannot be read, or
that keeps failing because of a defect here, is sent to the on-failure queue and does not delay the records behind it.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from commissioner.commissioning import Commissioner
from commissioner.errors import CircuitOpen
from commissioner.target_gateway.error_translation import is_throttled
from commissioner.target_gateway.gateway import TargetGateway
from commissioner.target_gateway.sessions import Sessions
from lobby.aws.clients import LobbyClients, at_init, client
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.errors import Conflict, NotFound
from lobby.ledger.clock import now
from lobby.ledger.connection import connect
from lobby.ledger.items import device_of_image
from lobby.ledger.store import Ledger
from lobby.ledger.targets import RecentTargets, Targets
from lobby.profiles import bundled_profiles
from lobby.settings import CommissionerSettings, read_settings

FRESH_FOR: Final = timedelta(seconds=5)
"""Age up to which a claim's record is processed without reading the ledger."""
RETRY_FOR: Final = timedelta(minutes=3)
"""Age after which a failing target becomes the device's reason and does not delay the records behind it."""
_SECONDS_PER_RECORD: Final = 25.0
"""Time that a record may take if AWS does not answer. With less time left, the remaining records are retried."""
_TEMPORARY: Final = (BotoCoreError, ClientError, PynamoDBException, CircuitOpen, Conflict, NotFound)
"""Errors that may be gone at the next attempt: AWS failures and concurrent changes of a row."""
SendToQueue = Callable[[dict[str, Any], str], object]
"""Takes the record's keys and the reason."""
logger = Logger(service="commissioner")


class StreamProcessor:
    """Passes the stream's records to the commissioner. `send_to_queue` takes the records that cannot be processed."""

    def __init__(
        self,
        commissioner: Commissioner,
        ledger: Ledger,
        send_to_queue: SendToQueue,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._commissioner, self._ledger, self._clock = commissioner, ledger, clock
        self._send_to_queue = send_to_queue

    def process(self, event: dict[str, Any], seconds_left: Callable[[], float] = lambda: 900.0) -> dict[str, Any]:
        """Return Lambda's partial batch response (Lambda developer guide, "Configuring partial batch response")."""
        failed: list[dict[str, str]] = []
        blocked: set[str] = set()
        for record in event["Records"]:
            change = record["dynamodb"]
            certid = change["Keys"]["certid"]["S"]
            if certid in blocked or seconds_left() < _SECONDS_PER_RECORD or not self._is_done(change, certid):
                blocked.add(certid)
                failed.append({"itemIdentifier": change["SequenceNumber"]})
        return {"batchItemFailures": failed}

    def _is_done(self, change: dict[str, Any], certid: str) -> bool:
        try:
            device, age = device_of_image(change["NewImage"]), self._age(change)
        except Exception as error:  # noqa: BLE001  # whatever it is, a retry cannot read the record either
            return self._is_sent_to_queue(change, certid, error)
        try:
            outcome = self._processed(device, age)
        except Exception as error:  # whatever it is, the event source mapping must retry the record
            if age >= RETRY_FOR and not isinstance(error, _TEMPORARY):
                return self._is_sent_to_queue(change, certid, error)
            logger.exception("not processed", extra={"certid": certid})
            return False
        logger.info("processed", extra={"certid": certid, "outcome": outcome})
        return True

    def _is_sent_to_queue(self, change: dict[str, Any], certid: str, error: Exception) -> bool:
        logger.exception("sent to the on-failure queue", extra={"certid": certid})
        try:
            self._send_to_queue(change["Keys"], f"{type(error).__name__}: {error}"[:500])
        except (BotoCoreError, ClientError):
            logger.exception("not sent to the on-failure queue", extra={"certid": certid})
            return False
        return True

    def _processed(self, device: Device, age: timedelta) -> str:
        current = self._current(device, age)
        try:
            return self._commissioner.process(current) if current else self._commissioner.withdraw(device)
        except (BotoCoreError, ClientError, CircuitOpen) as error:
            if is_throttled(error) or (age < RETRY_FOR and not self._commissioner.is_wait_expired(current or device)):
                raise
            logger.exception("attempts ended", extra={"certid": device.certid})
            if current is None:
                return self._commissioner.give_up_withdrawal(device)
            return self._commissioner.give_up(current, error)

    def _age(self, change: dict[str, Any]) -> timedelta:
        return self._clock() - datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC)

    def _current(self, device: Device, age: timedelta) -> Device | None:
        """Return the row that the record is about, or None if the record is superseded. The image of a fresh claim is
        used as it is; a record that clears something, or is older, is read again."""
        if age < FRESH_FOR and device.devstate is State.CLAIMED and not device.targets_to_clear:
            return device
        row = self._ledger.get(device.certid)
        return row if row and row.generation == device.generation else None


@at_init
def _processor() -> StreamProcessor:
    settings = read_settings(CommissionerSettings, os.environ)
    connect()
    clients, ledger = LobbyClients(), Ledger(settings.region)
    gateway = TargetGateway(RecentTargets(Targets.read_only()), Sessions(client("sts")), bundled_profiles())
    commissioner = Commissioner(ledger, gateway, clients.iot, clients.iot_data)

    def send_to_queue(keys: dict[str, Any], reason: str) -> None:
        body = json.dumps({"requestContext": {"condition": "Unreadable"}, "Keys": keys, "errorMessage": reason})
        client("sqs").send_message(QueueUrl=settings.uncommissioned_queue, MessageBody=body)

    return StreamProcessor(commissioner, ledger, send_to_queue)


def handler(event: dict[str, Any], context: Any, processor: StreamProcessor | None = None) -> dict[str, Any]:
    return (processor or _processor()).process(event, lambda: context.get_remaining_time_in_millis() / 1000)
