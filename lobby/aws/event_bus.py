"""The event bus: publishes events with EventBridge's `PutEvents`, and reports those that were not accepted.

A call takes up to ten entries. EventBridge accepts or refuses each one separately (EventBridge API reference,
PutEvents). Refused entries are sent again a few times; the caller retries the remaining ones later. Events that no rule
matches are not sent, because EventBridge would bill and discard them.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.chunks import chunks
from lobby.domain.events.device_events import SOURCE, DeviceEvent

BATCH: Final = 10
_ATTEMPTS: Final = 3
logger = Logger(service="publisher")


class Events(Protocol):
    """The calls of EventBridge's client that this module uses."""

    def put_events(self, *, Entries: Sequence[Any]) -> Any: ...  # noqa: N803  # EventBridge's name


class EventBus:
    """`name` is the bus. `wanted` returns the types that a rule of the bus can match. `pause` waits before a retry."""

    def __init__(
        self, events: Events, name: str, wanted: Callable[[], frozenset[str]], pause: Callable[[int], None]
    ) -> None:
        self._events, self._name, self._wanted, self._pause = events, name, wanted, pause

    def publish(self, events: Sequence[DeviceEvent]) -> dict[str, str]:
        """Publish the events that a rule can match, in order. Return the ids of the events that were not accepted, each
        with the cause."""
        failed: dict[str, str] = {}
        types = self._wanted() if events else frozenset()
        wanted = [event for event in events if event.type in types]
        for batch in chunks(wanted, BATCH):
            failed |= self._batch(batch)
        return failed

    def _batch(self, events: Sequence[DeviceEvent]) -> dict[str, str]:
        causes: dict[str, str] = {}
        for attempt in range(_ATTEMPTS):
            causes = dict(self._refused(events))
            events = [event for event in events if event.id in causes]
            if not events:
                return {}
            if attempt + 1 < _ATTEMPTS:
                self._pause(attempt)
        return causes

    def _refused(self, events: Sequence[DeviceEvent]) -> Iterator[tuple[str, str]]:
        """Call once, and yield id and cause of each event that was not accepted."""
        try:
            results: Sequence[Any] = self._events.put_events(Entries=[self._entry(each) for each in events])["Entries"]
        except (ClientError, BotoCoreError) as error:
            logger.warning("not published", exc_info=error)
            yield from ((event.id, type(error).__name__) for event in events)
            return
        for event, result in zip(events, results, strict=True):
            if "EventId" not in result:
                logger.warning("not published", extra={"id": event.id, "result": result})
                yield event.id, str(result.get("ErrorCode", "no code"))

    def _entry(self, event: DeviceEvent) -> Any:
        return {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": event.type,
            "Time": datetime.fromisoformat(event.entry.at),
            "Detail": json.dumps(event.encode(), separators=(",", ":")),
        }
