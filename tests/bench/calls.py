"""AWS calls that the Lambdas made, read from the emulator's access log.

A call is attributed to a Lambda if its role made it, in the lobby's account or through the role it assumed in a target.
Calls by users, by the deployment and by the benchmark itself are ignored.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

TIMERS: Final = frozenset({"sweeper", "reconciler"})
"""Lambdas that run on a schedule. Their calls belong to no device's onboarding and are ignored."""
READS: Final = ("dynamodb:GetItem", "dynamodb:Query")
_ROLE: Final = re.compile(r":assumed-role/(?:device-lobby-(?P<lambda>[a-z-]+)|(?P<target>lobby_commissioner_role))/")


@dataclass(frozen=True)
class Call:
    """One call. `by` is the Lambda, or `commissioner in target`. `action` is the IAM action."""

    at: float
    by: str
    action: str
    status: int


class CallLog:
    """The access log at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def position(self) -> int:
        """Return the current end of the log, in bytes."""
        return self._path.stat().st_size

    def since(self, position: int) -> list[Call]:
        """Return the Lambdas' calls that were answered after `position`, oldest first. Skip an incomplete last line."""
        with self._path.open() as log:
            log.seek(position)
            lines = [json.loads(line) for line in log.read().split("\n")[:-1]]
        return sorted(filter(None, map(_lambda_call, lines)), key=lambda call: call.at)


def _lambda_call(line: dict[str, Any]) -> Call | None:
    role = _ROLE.search(line["principal"])
    if role is None:
        return None
    by = role["lambda"] or "commissioner in target"
    if by in TIMERS:
        return None
    return Call(line["time"], by, line["action"], line["status"])


def calls_by(calls: Iterable[Call], function: str) -> list[Call]:
    return [call for call in calls if call.by == function]


def summary(calls: Iterable[Call]) -> str:
    """Return the calls by Lambda and action: `receptionist 2 (GetItem, TransactWriteItems)`."""
    counts: dict[str, Counter[str]] = {}
    for call in calls:
        counts.setdefault(call.by, Counter())[call.action.split(":")[1]] += 1
    return "; ".join(f"{by} {actions.total()} ({_action_list(actions)})" for by, actions in counts.items()) or "none"


def _action_list(actions: Counter[str]) -> str:
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in actions.items())
