"""The time at which a device connected to a target, from a report of the target's rule.

The time in a lifecycle event can be wrong by two minutes; the time at which the rule received the event is exact, and
later. Rejects invalid times with `InvalidInput` INVALID_TIME.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lobby.errors import InvalidInput
from lobby.ledger.clock import timestamp
from lobby.names import shown

CONNECTED: Final = "connectedat"
"""The time of a connection. The report of a takeover has none."""
_CLOCK_SKEW: Final = timedelta(seconds=2)
"""How much the clocks of AWS IoT and of the commissioner may differ."""
_EVENT_SKEW: Final = timedelta(minutes=2)
"""How wrong the time in a lifecycle event may be (AWS IoT developer guide, "Lifecycle events")."""


def is_since(report: dict[str, Any], at: str) -> bool:
    """Return whether the device has connected since `at`. The time in the event is inexact; the time at which the rule
    received it is exact and later. An event from before `at` that the rule received after it counts only if its own
    time is close. The rule of an earlier version of the target's stack does not send the second time."""
    if _latest(report, CONNECTED, _EVENT_SKEW) < at:
        return False
    return "receivedat" not in report or _latest(report, "receivedat", _CLOCK_SKEW) >= at


def _latest(report: dict[str, Any], field: str, skew: timedelta) -> str:
    """Return the latest time that a field (ms since 1970) can mean."""
    value = report.get(field)
    try:
        if isinstance(value, int | float):
            return timestamp(datetime.fromtimestamp(value / 1000, UTC) + skew)
    except (ValueError, OverflowError, OSError):  # no year from 1 to 9999
        pass
    raise InvalidInput("INVALID_TIME", f"got {field} {shown(value)}, want milliseconds since 1970")
