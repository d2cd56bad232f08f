"""Lambda: the ledger's stream → the commissioner, for rows whose turn it is.

The event filter lets through only rows with work to do. Each record stands for itself: one that fails is
reported back and delivered again while the others go on, except that nothing later of the same device is done
before it. A record that has waited is checked against the ledger first, as it may have been overtaken. One that cannot
be read, or that we keep failing at ourselves, is handed over to people instead of holding up those behind it.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from commissioner.commissioning import Commissioner
from commissioner.errors import is_throttled
from commissioner.target_gateway.circuit_breaker import CircuitOpen
from commissioner.target_gateway.sessions import Sessions
from lobby.aws.clients import LobbyClients, client
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.errors import Conflict, NotFound
from lobby.ledger.models import device_of_image
from lobby.ledger.store import Ledger, now
from lobby.ledger.targets import RecentTargets, Targets
from lobby.settings import CommissionerSettings, read_settings

FRESH_FOR: Final = timedelta(seconds=5)
TRIED_FOR: Final = timedelta(minutes=3)
"""After that a failing target becomes the device's reason, and stops holding up what is behind it in the stream."""
_TIME_FOR_ONE: Final = 25.0
"""Seconds that a record may need where AWS does not answer; with less left, the rest is handed back in time."""
_PASSES: Final = (BotoCoreError, ClientError, PynamoDBException, CircuitOpen, Conflict, NotFound)
"""What may be otherwise when the record comes again: AWS's troubles, and rows that change."""
HandOver = Callable[[dict[str, Any], str], object]
logger = Logger(service="commissioner")


class StreamProcessor:
    """Takes the stream's records to the commissioner. `hand_over` takes what nobody here can do, with the reason."""

    def __init__(
        self, commissioner: Commissioner, ledger: Ledger, hand_over: HandOver, clock: Callable[[], datetime] = now
    ) -> None:
        self._commissioner, self._ledger, self._hand_over, self._clock = commissioner, ledger, hand_over, clock

    def take(self, event: dict[str, Any], seconds_left: Callable[[], float] = lambda: 900.0) -> dict[str, Any]:
        """Lambda's partial batch response (Lambda developer guide, "Configuring partial batch response")."""
        failed: list[dict[str, str]] = []
        held_up: set[str] = set()
        for record in event["Records"]:
            change = record["dynamodb"]
            certid = change["Keys"]["certid"]["S"]
            if certid in held_up or seconds_left() < _TIME_FOR_ONE or not self._done(change, certid):
                held_up.add(certid)
                failed.append({"itemIdentifier": change["SequenceNumber"]})
        return {"batchItemFailures": failed}

    def _done(self, change: dict[str, Any], certid: str) -> bool:
        try:
            device, age = device_of_image(change["NewImage"]), self._age(change)
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody will ever read it
            return self._handed_over(change, certid, error)
        try:
            outcome = self._served(device, age)
        except Exception as error:  # whatever it is, the stream shall deliver the record again
            if age >= TRIED_FOR and not isinstance(error, _PASSES):
                return self._handed_over(change, certid, error)
            logger.exception("not served", extra={"certid": certid})
            return False
        logger.info("served", extra={"certid": certid, "outcome": outcome})
        return True

    def _handed_over(self, change: dict[str, Any], certid: str, error: Exception) -> bool:
        logger.exception("handed over", extra={"certid": certid})
        try:
            self._hand_over(change["Keys"], f"{type(error).__name__}: {error}"[:500])
        except (BotoCoreError, ClientError):
            logger.exception("not handed over", extra={"certid": certid})
            return False
        return True

    def _served(self, device: Device, age: timedelta) -> str:
        current = self._current(device, age)
        if current is None:
            return self._commissioner.withdraw(device)
        try:
            return self._commissioner.serve(current)
        except (BotoCoreError, ClientError, CircuitOpen) as error:
            if is_throttled(error) or (age < TRIED_FOR and not self._commissioner.wait_expired(current)):
                raise
            logger.exception("given up", extra={"certid": device.certid})
            return self._commissioner.give_up(current, error)

    def _age(self, change: dict[str, Any]) -> timedelta:
        return self._clock() - datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC)

    def _current(self, device: Device, age: timedelta) -> Device | None:
        """The row that the record is about, if it still is. A fresh claim is taken at its word; what takes something
        away, or has waited, is looked up, as it may have been overtaken."""
        if age < FRESH_FOR and device.devstate is State.CLAIMED and not device.targets_to_clear:
            return device
        found = self._ledger.get(device.certid)
        return found if found and found.generation == device.generation else None


@cache
def _desk() -> StreamProcessor:
    settings = read_settings(CommissionerSettings, os.environ)
    clients, ledger = LobbyClients(), Ledger(settings.region)
    sessions = Sessions(client("sts"))
    commissioner = Commissioner(ledger, RecentTargets(Targets.read_only()), sessions, clients.iot, clients.iot_data)

    def hand_over(keys: dict[str, Any], why: str) -> None:
        body = json.dumps({"requestContext": {"condition": "Unreadable"}, "Keys": keys, "errorMessage": why})
        client("sqs").send_message(QueueUrl=settings.uncommissioned_queue, MessageBody=body)

    return StreamProcessor(commissioner, ledger, hand_over)


def handler(event: dict[str, Any], context: Any, desk: StreamProcessor | None = None) -> dict[str, Any]:
    return (desk or _desk()).take(event, lambda: context.get_remaining_time_in_millis() / 1000)
