"""Parses messages of the archive's on-failure queue. No I/O, and strict, because the result is archived.

A message contains an event that Firehose did not accept, in one of these forms:
- the event of the bus, which EventBridge sends to the dead-letter queue of the rule's target (EventBridge user guide,
  "Using dead-letter queues"),
- the report of a topic rule's error action with a registry event (AWS IoT developer guide, "Error handling").
The record is what the rule would have passed: the event's `detail`, or the registry event.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.archive.registry_events import QUERIES
from infra.archive.tables import REGISTRY, TRANSITIONS, Table
from infra.redrive.envelopes import Unreadable
from lobby import strict_json
from lobby.deployment import NAMES
from lobby.domain.events.device_events import SOURCE, TYPES

RULES: Final = tuple(NAMES.rule(f"archive-{kind.lower()}") for kind in QUERIES)
"""The topic rules of registry events."""
_NOT_READ: Final = "neither an event of the lobby's bus nor a registry event of a rule of the archive"


@dataclass(frozen=True)
class Record:
    """A record for the stream of a table. `why` states why Firehose did not accept it."""

    table: Table
    event: dict[str, Any]
    why: str

    def encode(self) -> bytes:
        """Return the record as the rules pass it: one line of JSON. The stream adds the line break."""
        return json.dumps(self.event, separators=(",", ":")).encode()


def read_archived(body: str, attributes: Mapping[str, Any]) -> Record:
    """Return the record in a message. The message's `attributes` have EventBridge's reason. Raise `Unreadable`."""
    try:
        parsed = strict_json.loads(body)
        if isinstance(parsed, dict) and "ruleName" in parsed:
            return _registry_event(parsed)
        if isinstance(parsed, dict) and parsed.get("source") == SOURCE and parsed.get("detail-type") in TYPES:
            why = attributes.get("ERROR_MESSAGE", attributes.get("ERROR_CODE", {})).get("StringValue")
            return Record(TRANSITIONS, _object(parsed["detail"]), str(why or "no reason given")[:200])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise Unreadable(f"{_NOT_READ}: {type(error).__name__}: {error}") from None
    raise Unreadable(_NOT_READ)


def _registry_event(report: dict[str, Any]) -> Record:
    rule = report["ruleName"]
    if rule not in RULES:
        raise Unreadable(f"got a report of the rule {str(rule)[:100]!r}, want one of {', '.join(RULES)}")
    failures = report.get("failures") or [{}]
    why = str(failures[0].get("errorMessage", "no reason given"))[:200]
    return Record(REGISTRY, _object(strict_json.loads(base64.b64decode(report["base64OriginalPayload"]))), why)


def _object(event: Any) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise TypeError(f"got an event of type {type(event).__name__}, want an object")
    return event
