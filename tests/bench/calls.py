"""Which AWS calls our Lambdas made, from the emulator's access log.

A call counts for a Lambda if its role made it, in the lobby's account or through the role it assumed in a target.
What people, the deployment or the bench itself ask counts for nobody.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TIMERS: Final = frozenset({"sweeper", "reconciler"})
"""What the clock sets off belongs to no device's onboarding."""
_ROLE: Final = re.compile(r":assumed-role/(?:device-lobby-(?P<lambda>[a-z-]+)|(?P<target>lobby_commissioner_role))/")
READS: Final = ("dynamodb:GetItem", "dynamodb:Query")


@dataclass(frozen=True)
class Call:
    """One call. `by` is the Lambda, in a target `commissioner in target`; `action` is IAM's name."""

    at: float
    by: str
    action: str
    status: int


class CallLog:
    """The access log at `path`, read from where the last look ended."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def position(self) -> int:
        return self._path.stat().st_size

    def since(self, position: int) -> list[Call]:
        """The Lambdas' calls that were answered after `position`, oldest first."""
        with self._path.open() as log:
            log.seek(position)
            lines = [json.loads(line) for line in log.read().split("\n")[:-1]]
        return sorted(filter(None, map(_ours, lines)), key=lambda call: call.at)


def _ours(line: dict[str, Any]) -> Call | None:
    role = _ROLE.search(line["principal"])
    if role is None:
        return None
    by = role["lambda"] or "commissioner in target"
    if by in TIMERS:
        return None
    return Call(line["time"], by, line["action"], line["status"])


def of(calls: Iterable[Call], by: str) -> list[Call]:
    return [call for call in calls if call.by == by]


def told(calls: Iterable[Call]) -> str:
    """Who made how many of which: `receptionist 2 (GetItem, TransactWriteItems)`."""
    made: dict[str, Counter[str]] = {}
    for call in calls:
        made.setdefault(call.by, Counter())[call.action.split(":")[1]] += 1
    return "; ".join(f"{by} {actions.total()} ({_listed(actions)})" for by, actions in made.items()) or "none"


def _listed(actions: Counter[str]) -> str:
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in actions.items())
