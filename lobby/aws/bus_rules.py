"""The rules of the event bus, from which the publisher derives the types of events that have a receiver.

They are read in each run of the publisher, so a new rule receives the next event. If the rules cannot be read, every
type counts as received.
"""

from collections.abc import Iterator
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.domain.events.wanted_events import ALL, wanted_types

logger = Logger(service="publisher")


class Rules(Protocol):
    """The calls of EventBridge's client that this module uses."""

    def list_rules(self, *, EventBusName: str, NextToken: str = ...) -> Any: ...  # noqa: N803  # EventBridge's names


class BusRules:
    """The rules of the bus `name`."""

    def __init__(self, events: Rules, name: str) -> None:
        self._events, self._name = events, name

    def wanted(self) -> frozenset[str]:
        """Return the types of events that a rule can match."""
        try:
            return wanted_types(self._all())
        except (ClientError, BotoCoreError):  # an unneeded event costs little; a missing one would be lost
            logger.warning("rules not read", exc_info=True)
            return ALL

    def _all(self) -> Iterator[Any]:
        more: dict[str, str] = {}
        while True:
            page = self._events.list_rules(EventBusName=self._name, **more)
            yield from page["Rules"]
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}
