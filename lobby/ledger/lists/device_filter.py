"""Filters for lists of devices: by state, target, start of the name or fingerprint, reason, time, and renewal.

A filter is checked when it is made: a value that no row can have raises `InvalidInput`. `conditions` turns it into
conditions of a query; `filter_match` applies it to a row that was read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pynamodb.expressions.condition import Condition

from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.clock import now, timestamp
from lobby.ledger.indexes import NAME_HEAD, PRINT_HEAD
from lobby.ledger.models import LedgerRow
from lobby.names import RenewalStatus, Target, shown

_PRINT = re.compile(rf"[0-9a-f]{{{PRINT_HEAD},64}}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
LAST: Final = "9999-12-31T23:59:59.999Z"
"""A time after all others."""


@dataclass(frozen=True)
class Filter:
    """Selects devices by state, target, start of the name, start of the fingerprint, reason, the time before which
    they entered their current state (as `clock.timestamp` formats it), and whether their certificate is due or overdue
    at the time of the request. All given conditions apply."""

    state: State | None = None
    target: Target | None = None
    name_prefix: str | None = None
    fingerprint_prefix: str | None = None
    reason: str | None = None
    entered_before: str | None = None
    renewal: RenewalStatus | None = None

    def __post_init__(self) -> None:
        name = self.name_prefix
        if name is not None and not NAME_HEAD <= len(name) <= 128:
            raise InvalidInput("INVALID_PREFIX", f"got {shown(name)}, want {NAME_HEAD} to 128 characters of a name")
        if not _matches(_PRINT, self.fingerprint_prefix):
            raise InvalidInput(
                "INVALID_PREFIX", f"got {shown(self.fingerprint_prefix)}, want {PRINT_HEAD} to 64 lower-case hex digits"
            )
        if not _matches(_CODE, self.reason):
            raise InvalidInput("INVALID_REASON", f"got {shown(self.reason)}, want a code such as TARGET_LIMIT")
        if not _matches(TIMESTAMP, self.entered_before):
            raise InvalidInput(
                "INVALID_TIME", f"got {shown(self.entered_before)}, want a time such as 2026-11-22T12:00:00.000Z"
            )

    def as_list(self) -> list[str | None]:
        """Return the filter as a list for JSON."""
        return [
            self.state,
            str(self.target) if self.target else None,
            self.name_prefix,
            self.fingerprint_prefix,
            self.reason,
            self.entered_before,
            *([self.renewal] if self.renewal else []),
        ]


def due_before(status: RenewalStatus) -> str:
    """Return the time before which a device of this status is to renew."""
    return timestamp(now()) if status is RenewalStatus.OVERDUE else LAST


def conditions(wanted: Filter) -> dict[str, Condition]:
    """Return the condition of each given field."""
    makers: dict[str, Callable[[Any], Condition]] = {
        "state": lambda state: LedgerRow.devstate == state.value,
        "target": lambda target: LedgerRow.target == str(target),
        "name_prefix": LedgerRow.devicename.startswith,
        "fingerprint_prefix": LedgerRow.certid.startswith,
        "reason": lambda reason: LedgerRow.reason == reason,
        "entered_before": lambda before: LedgerRow.enteredat < before,
        "renewal": lambda status: LedgerRow.renew_by < due_before(status),
    }
    values = {name: getattr(wanted, name) for name in makers}
    return {name: makers[name](value) for name, value in values.items() if value is not None}


def _matches(form: re.Pattern[str], text: str | None) -> bool:
    return text is None or form.fullmatch(text) is not None
