"""What can be asked about many devices, and which index answers it.

The index is the one that narrows the question most: fingerprint, name, target, state, and else the one of all. Its key
holds to as much of the question as it can; whatever else is asked sifts what the query finds. Pure, but for PynamoDB's
conditions.
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
_STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


@dataclass(frozen=True)
class Filter:
    """Which devices: of a state, claimed for a target, with a name or a fingerprint that begins so, with this
    reason, in their present state since before a moment (as `store.timestamp` writes it); all that are given hold."""

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
        if not _is_of(_PRINT, self.fingerprint_prefix):
            raise InvalidInput(
                "INVALID_PREFIX", f"got {shown(self.fingerprint_prefix)}, want {PRINT_HEAD} to 64 lower-case hex digits"
            )
        if not _is_of(_CODE, self.reason):
            raise InvalidInput("INVALID_REASON", f"got {shown(self.reason)}, want a code such as TARGET_LIMIT")
        if not _is_of(_STAMP, self.entered_before):
            raise InvalidInput(
                "INVALID_TIME", f"got {shown(self.entered_before)}, want a moment such as 2026-11-22T12:00:00.000Z"
            )

    def words(self) -> list[str | None]:
        """The question as JSON can hold it."""
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
    """An index that can answer. `asked` is the part of the question that its hash key holds to (None: any question will
    do), `partition` gives that key's value; `part` is the part that the range key holds to, where it is asked."""

    index: Any
    hash_key: str
    range_key: str
    asked: str | None
    part: str
    partition: Callable[[Filter], str]
    forward: bool

    @property
    def keys(self) -> set[str]:
        """The attributes of the place where a page ends."""
        return {"certid", self.hash_key, self.range_key}


_PLANS: Final = (
    IndexPlan(
        LedgerRow.by_print,
        "printhead",
        "certid",
        "fingerprint_prefix",
        "fingerprint_prefix",
        lambda q: str(q.fingerprint_prefix)[:PRINT_HEAD],
        forward=True,
    ),
    IndexPlan(
        LedgerRow.by_name,
        "namehead",
        "devicename",
        "name_prefix",
        "name_prefix",
        lambda q: str(q.name_prefix)[:NAME_HEAD],
        forward=True,
    ),
    IndexPlan(
        LedgerRow.by_target, "target", "enteredat", "target", "entered_before", lambda q: str(q.target), forward=False
    ),
    IndexPlan(
        LedgerRow.by_state, "devstate", "enteredat", "state", "entered_before", lambda q: str(q.state), forward=False
    ),
    IndexPlan(LedgerRow.by_time, "kind", "enteredat", None, "entered_before", lambda _: KIND, forward=False),
)
"""The first whose part is asked answers."""


def plan_for(question: Filter) -> IndexPlan:
    return next(plan for plan in _PLANS if plan.asked is None or getattr(question, plan.asked) is not None)


def conditions(question: Filter) -> dict[str, Condition]:
    """What each part that is asked wants of a row."""
    makers: dict[str, Callable[[Any], Condition]] = {
        "state": lambda state: LedgerRow.devstate == state.value,
        "target": lambda target: LedgerRow.target == str(target),
        "name_prefix": LedgerRow.devicename.startswith,
        "fingerprint_prefix": LedgerRow.certid.startswith,
        "reason": lambda reason: LedgerRow.reason == reason,
        "entered_before": lambda moment: LedgerRow.enteredat < moment,
    }
    asked = {part: getattr(question, part) for part in makers}
    return {part: makers[part](value) for part, value in asked.items() if value is not None}


def is_within(key: Mapping[str, str], question: Filter) -> bool:
    """Whether a page of this question can end there: DynamoDB refuses a start key of another shape, or outside the
    query. Raises `InvalidInput` where a value is none of the ledger's."""
    way = plan_for(question)
    if set(key) != way.keys or key[way.hash_key] != way.partition(question):
        return False
    certid, reached = key["certid"], key[way.range_key]
    if parse_fingerprint(certid) != certid:
        return False
    bound = getattr(question, way.part)
    if way.range_key == "enteredat":
        return _is_of(_STAMP, reached) and (bound is None or reached < bound)
    return reached.startswith(bound) and (way.range_key == "certid" or parse_thing_name(reached) == reached)


def _is_of(form: re.Pattern[str], text: str | None) -> bool:
    return text is None or form.fullmatch(text) is not None
