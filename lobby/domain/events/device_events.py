"""The event that is published for each transition of a device: its content, and the JSON Schema of its version.

An event is created from one history entry. It contains no presence code, configuration or certificate, because these
are secrets of devices and targets. `id` is the same in each delivery, and `seq` orders the events of a device. Fields
may be added without a new version; if a field changes or is removed, the version increases.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from lobby.domain.device import Device, Entry
from lobby.domain.states import Event, State
from lobby.names import Fingerprint

VERSION: Final = 1
SOURCE: Final = "device-lobby"
TEST: Final = "test"
"""The type of an event that a user sends to test a webhook. It has no device."""
_PREFIX: Final = "device."


def type_of(event: Event) -> str:
    """Return the type of the event that is published for a history event, such as `device.claim`."""
    return f"{_PREFIX}{event.value}"


TYPES: Final = tuple(type_of(event) for event in Event)


@dataclass(frozen=True)
class DeviceEvent:
    """The event of one history entry. `device` is the row at the time of publication, which can be newer than the entry
    (None: the row was removed). `lobby` is the lobby's key."""

    entry: Entry
    device: Device | None
    lobby: str

    @property
    def id(self) -> str:
        return event_id(self.entry.certid, self.entry.seq)

    @property
    def type(self) -> str:
        return type_of(self.entry.event)

    def encode(self) -> dict[str, Any]:
        """Return the event as JSON (`schema`)."""
        entry, device = self.entry, self.device
        return {
            "version": VERSION,
            "id": self.id,
            "type": self.type,
            "at": entry.at,
            "lobby": self.lobby,
            "device": {
                "fingerprint": entry.certid,
                "name": device.devicename if device else None,
                "enrolment": device.enrolment if device else None,
                "model": device.model if device else None,
            },
            "seq": entry.seq,
            "actor": entry.actor,
            "before": entry.before.value if entry.before else None,
            "after": entry.after.value if entry.after else None,
            "generation": entry.generation,
            "target": entry.target,
            "reason": entry.reason,
            "hash": entry.hash,
        }


def event_id(certid: Fingerprint, seq: int) -> str:
    """Return the id of the event of a history entry."""
    return f"{certid}-{seq}"


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _or_null(description: str, **more: Any) -> dict[str, Any]:
    return {"type": ["string", "null"], "description": description, **more}


def _state(description: str) -> dict[str, Any]:
    return {"enum": [*(state.value for state in State), None], "description": description}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an event."""
    fingerprint = {"pattern": "^[0-9a-f]{64}$"}
    device = {
        "fingerprint": _text("SHA-256 of the certificate's DER.", **fingerprint),
        "name": _or_null("Thing name; null before the first connection."),
        "enrolment": _or_null("The enrolment that has admitted the device."),
        "model": _or_null("The product model that the enrolment states."),
    }
    properties = {
        "version": {"const": VERSION, "description": "Version of this schema."},
        "id": _text("The same in each delivery of this event: fingerprint and seq.", pattern="^[0-9a-f]{64}-[0-9]+$"),
        "type": {"enum": list(TYPES), "description": "What happened."},
        "at": _text("When it happened, ISO 8601 UTC with milliseconds.", format="date-time"),
        "lobby": _text("The lobby: account/Region, and its id if it has one."),
        "device": {
            "type": "object",
            "description": "The device as it is when the event is published, which can be later than `at`.",
            "properties": device,
            "required": list(device),
        },
        "seq": {"type": "integer", "minimum": 1, "description": "Number of the device's history entry, without gaps."},
        "actor": _text("Who caused it, such as user:ann, rule:<enrolment> or bouncer."),
        "before": _state("State before; null: the device was not known."),
        "after": _state("State after; null: the row was removed."),
        "generation": {"type": "integer", "minimum": 0, "description": "Increases with each claim, move and so on."},
        "target": _or_null("The target as account/Region."),
        "reason": _or_null("Reason code or text."),
        "hash": _text("Hash of the history entry.", **fingerprint),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Device Lobby event",
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
