"""The rules of the event bus, by which the publisher knows which types of events somebody receives.

They are read again after some seconds, so a new rule gets events after that; EventBridge itself needs a moment for a
new rule. If the rules cannot be read, every type counts as received.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final, Protocol

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.domain.wanted_events import ALL, wanted_types
from lobby.ledger.clock import now

KEPT_SECONDS: Final = 10
logger = Logger(service="publisher")


class Rules(Protocol):
    """EventBridge's client, as far as it is used here."""

    def list_rules(self, *, EventBusName: str, NextToken: str = ...) -> Any: ...  # noqa: N803  # EventBridge's names


class BusRules:
    """The rules of the bus `name`. `clock` returns the time."""

    def __init__(self, events: Rules, name: str, clock: Callable[[], datetime] = now) -> None:
        self._events, self._name, self._clock = events, name, clock
        self._read: tuple[datetime, frozenset[str]] | None = None

    def wanted(self) -> frozenset[str]:
        """Return the types of events that a rule can match, as of at most `KEPT_SECONDS` ago."""
        at = self._clock()
        if self._read is None or (at - self._read[0]).total_seconds() >= KEPT_SECONDS:
            try:
                self._read = at, wanted_types(self._all())
            except (ClientError, BotoCoreError):  # an event too many costs little; one too few would be lost
                logger.warning("rules not read", exc_info=True)
                return ALL
        return self._read[1]

    def _all(self) -> Iterator[Any]:
        more: dict[str, str] = {}
        while True:
            page = self._events.list_rules(EventBusName=self._name, **more)
            yield from page["Rules"]
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}
