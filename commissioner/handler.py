"""Lambda: the ledger's stream → the commissioner, for rows whose turn it is.

The event filter lets through only rows with work to do. Each record stands for itself: one that fails is
reported back and delivered again while the others go on, except that nothing later of the same device is done
before it. A record that has waited is checked against the ledger first, as it may have been overtaken.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.commissioning import Commissioner
from commissioner.sessions import Sessions
from lobby.clients import LobbyClients, client
from lobby.ledger.device import Device
from lobby.ledger.models import device_of_image
from lobby.ledger.store import Ledger, now
from lobby.ledger.targets import RecentTargets, Targets
from lobby.settings import LobbySettings, read_settings

FRESH_FOR: Final = timedelta(seconds=5)
logger = Logger(service="commissioner")


class Desk:
    """Takes the stream's records to the commissioner."""

    def __init__(self, commissioner: Commissioner, ledger: Ledger, clock: Callable[[], datetime] = now) -> None:
        self._commissioner, self._ledger, self._clock = commissioner, ledger, clock

    def take(self, event: dict[str, Any]) -> dict[str, Any]:
        """Lambda's partial batch response (Lambda developer guide, "Configuring partial batch response")."""
        failed: list[dict[str, str]] = []
        held_up: set[str] = set()
        for record in event["Records"]:
            change = record["dynamodb"]
            certid = change["Keys"]["certid"]["S"]
            if certid in held_up or not self._done(change, certid):
                held_up.add(certid)
                failed.append({"itemIdentifier": change["SequenceNumber"]})
        return {"batchItemFailures": failed}

    def _done(self, change: dict[str, Any], certid: str) -> bool:
        try:
            device = device_of_image(change["NewImage"])
            current = self._current(device, change)
            outcome = self._commissioner.serve(current) if current else self._commissioner.withdraw(device)
        except Exception:  # whatever it is, the stream shall deliver the record again
            logger.exception("not served", extra={"certid": certid})
            return False
        logger.info("served", extra={"certid": certid, "outcome": outcome})
        return True

    def _current(self, device: Device, change: dict[str, Any]) -> Device | None:
        written = datetime.fromtimestamp(float(change["ApproximateCreationDateTime"]), UTC)
        if self._clock() - written < FRESH_FOR:
            return device
        found = self._ledger.get(device.certid)
        return found if found and found.generation == device.generation else None


@cache
def _desk() -> Desk:
    settings = read_settings(LobbySettings, os.environ)
    clients, ledger = LobbyClients(), Ledger(settings.region)
    sessions = Sessions(client("sts"))
    return Desk(
        Commissioner(ledger, RecentTargets(Targets.read_only()), sessions, clients.iot, clients.iot_data), ledger
    )


def handler(event: dict[str, Any], _context: object, desk: Desk | None = None) -> dict[str, Any]:
    return (desk or _desk()).take(event)
