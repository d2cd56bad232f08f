"""Filters for lists of devices, and the index that answers each.

The most selective index is used: by fingerprint, name, target or state, else the index of all devices. Its keys cover
as much of the filter as possible; the rest becomes a filter condition of the query.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pynamodb.expressions.condition import Condition

from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.models import KIND, NAME_HEAD, PRINT_HEAD, LedgerRow
from lobby.names import Target, parse_fingerprint, parse_thing_name, shown

_PRINT = re.compile(rf"[0-9a-f]{{{PRINT_HEAD},64}}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


@dataclass(frozen=True)
class Filter:
    """Selects devices by state, target, start of the name, start of the fingerprint, reason, and the time before which
    they entered their current state (as `clock.timestamp` formats it). All given conditions apply."""

    state: State | None = None
    target: Target | None = None
    name_prefix: str | None = None
    fingerprint_prefix: str | None = None
    reason: str | None = None
    entered_before: str | None = None

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
        if not _matches(_TIMESTAMP, self.entered_before):
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
        ]


@dataclass(frozen=True)
class IndexPlan:
    """An index that can answer a filter. `hash_field` is the field of the filter that the hash key covers (None: the
    index answers any filter); `partition` returns that key's value. `range_field` is the field that the range key
    covers, if it is given."""

    index: Any
    hash_key: str
    range_key: str
    hash_field: str | None
    range_field: str
    partition: Callable[[Filter], str]
    forward: bool

    @property
    def keys(self) -> set[str]:
        """Return the attributes of the start key of a page."""
        return {"certid", self.hash_key, self.range_key}


_PLANS: Final = (
    IndexPlan(
        LedgerRow.by_print,
        "printhead",
        "certid",
        "fingerprint_prefix",
        "fingerprint_prefix",
        lambda f: str(f.fingerprint_prefix)[:PRINT_HEAD],
        forward=True,
    ),
    IndexPlan(
        LedgerRow.by_name,
        "namehead",
        "devicename",
        "name_prefix",
        "name_prefix",
        lambda f: str(f.name_prefix)[:NAME_HEAD],
        forward=True,
    ),
    IndexPlan(
        LedgerRow.by_target, "target", "enteredat", "target", "entered_before", lambda f: str(f.target), forward=False
    ),
    IndexPlan(
        LedgerRow.by_state, "devstate", "enteredat", "state", "entered_before", lambda f: str(f.state), forward=False
    ),
    IndexPlan(LedgerRow.by_time, "kind", "enteredat", None, "entered_before", lambda _: KIND, forward=False),
)
"""In order: the first whose `hash_field` is given is used."""


def plan_for(wanted: Filter) -> IndexPlan:
    return next(plan for plan in _PLANS if plan.hash_field is None or getattr(wanted, plan.hash_field) is not None)


def conditions(wanted: Filter) -> dict[str, Condition]:
    """Return the condition of each given field."""
    makers: dict[str, Callable[[Any], Condition]] = {
        "state": lambda state: LedgerRow.devstate == state.value,
        "target": lambda target: LedgerRow.target == str(target),
        "name_prefix": LedgerRow.devicename.startswith,
        "fingerprint_prefix": LedgerRow.certid.startswith,
        "reason": lambda reason: LedgerRow.reason == reason,
        "entered_before": lambda before: LedgerRow.enteredat < before,
    }
    values = {name: getattr(wanted, name) for name in makers}
    return {name: makers[name](value) for name, value in values.items() if value is not None}


def is_within(key: Mapping[str, str], wanted: Filter) -> bool:
    """Return whether a page of this filter can start at `key`. DynamoDB rejects a start key of another shape or outside
    the query. Raise `InvalidInput` if a value is not one of the ledger's."""
    plan = plan_for(wanted)
    if set(key) != plan.keys or key[plan.hash_key] != plan.partition(wanted):
        return False
    certid, value = key["certid"], key[plan.range_key]
    if parse_fingerprint(certid) != certid:
        return False
    bound = getattr(wanted, plan.range_field)
    if plan.range_key == "enteredat":
        return _matches(_TIMESTAMP, value) and (bound is None or value < bound)
    return value.startswith(bound) and (plan.range_key == "certid" or parse_thing_name(value) == value)


def _matches(form: re.Pattern[str], text: str | None) -> bool:
    return text is None or form.fullmatch(text) is not None
