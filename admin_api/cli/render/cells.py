"""The small words of a table: states, ages, places, in plain text and a colour that says nothing the text does not.

What comes from elsewhere is made fit for a terminal: no control characters, no markup.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from rich.text import Text

STYLES: Final = {
    "expected": "cyan",
    "knocking": "yellow",
    "inlobby": "bold yellow",
    "proving": "bold blue",
    "claimed": "blue",
    "commissioned": "blue",
    "arrived": "green",
    "failed": "bold red",
    "refused": "red",
    "revoked": "magenta",
}
ACTIONS: Final = {
    "claimDevice": "claim",
    "confirmPresence": "confirm",
    "moveDevice": "move",
    "releaseDevice": "release",
    "retryDevice": "retry",
    "revokeDevice": "revoke",
}
"""The API's operation → the command that asks for it."""
NONE: Final = "–"
_STEPS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def clean(value: object) -> str:
    """One line of text that a terminal shows as it is. Nothing at all is a dash."""
    if value is None or value == "":
        return NONE
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def state(name: object) -> Text:
    return Text(clean(name), STYLES.get(str(name), ""))


def age(at: object, now: datetime) -> str:
    """How long ago a moment (ISO 8601) was, in its largest unit."""
    try:
        seconds = (now - datetime.fromisoformat(str(at))).total_seconds()
    except (ValueError, TypeError):
        return clean(at)
    for size, unit in _STEPS:
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def place(device: Mapping[str, Any]) -> str:
    """Where the device is claimed for."""
    return f"{device['targetaccount']}/{device['targetregion']}" if device.get("targetaccount") else NONE


def name(device: Mapping[str, Any]) -> str:
    """How a device is called in a sentence: by its name, and the beginning of its fingerprint."""
    short = str(device["certid"])[:12]
    return f"{clean(device['devicename'])} ({short})" if device.get("devicename") else short


def seconds(much: float) -> str:
    return f"{much:.1f} s"
