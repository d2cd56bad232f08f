"""Table cells: states, ages, targets and names as plain text. Colours repeat what the text already states.

Values from devices and users are made safe for a terminal: no control characters, no markup.
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
    "quarantined": "bold magenta",
    "transferred": "dim",
}
COMMANDS: Final = {
    "claimDevice": "claim",
    "confirmPresence": "confirm",
    "moveDevice": "move",
    "configureDevice": "configure",
    "releaseDevice": "release",
    "retryDevice": "retry",
    "renewDevice": "renew",
    "dismissSuspicion": "dismiss",
    "quarantineDevice": "quarantine",
    "liftQuarantine": "lift",
    "revokeDevice": "revoke",
}
"""The API's operation → the command that requests it."""
NONE: Final = "–"
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def clean(value: object) -> str:
    """Return one line of printable text; a dash for an empty value, JSON for a value that is not text."""
    if value is None or value == "":
        return NONE
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def state(name: object) -> Text:
    return Text(clean(name), STYLES.get(str(name), ""))


def online(device: Mapping[str, Any]) -> Text:
    """Return `online`, `offline`, or a dash if that is unknown."""
    status = device.get("online")
    return Text(NONE) if status is None else Text("online", "green") if status else Text("offline", "yellow")


def renewal(device: Mapping[str, Any]) -> Text:
    """Return the stage of the certificate's renewal: `overdue`, `due` or a later stage; a dash if no renewal is due."""
    found = device.get("renewal")
    if not found:
        return Text(NONE)
    return Text("overdue", "bold red") if found["overdue"] else Text(clean(found["stage"]).lower(), "yellow")


def age(at: object, now: datetime) -> str:
    """Return the time since `at` (ISO 8601) in its largest unit."""
    try:
        elapsed = (now - datetime.fromisoformat(str(at))).total_seconds()
    except (ValueError, TypeError):
        return clean(at)
    for size, unit in _UNITS:
        if elapsed >= size:
            return f"{elapsed // size:.0f} {unit}"
    return f"{max(elapsed, 0):.0f} s"


def target(device: Mapping[str, Any]) -> str:
    """Return the target that the device is claimed for."""
    return clean(f"{device['targetaccount']}/{device['targetregion']}") if device.get("targetaccount") else NONE


def digits(certid: object) -> str:
    """Return the first digits of a fingerprint, as printed on the label."""
    return clean(str(certid)[:12])


def device_name(device: Mapping[str, Any]) -> str:
    """Return the device's name, or its expected name in brackets."""
    if device.get("devicename") or not device.get("expectedName"):
        return clean(device["devicename"])
    return f"({clean(device['expectedName'])})"


def name(device: Mapping[str, Any]) -> str:
    """Return the device's name and the first digits of its fingerprint, for use in a sentence."""
    short = digits(device["certid"])
    known = device.get("devicename") or device.get("expectedName")
    return f"{clean(known)} ({short})" if known else short


def seconds(count: float) -> str:
    return f"{count:.1f} s"
