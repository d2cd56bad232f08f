"""Detects whether a stack is being created, changed or deleted, and whether one has changed since the last save.
`durability` saves nothing during a change, because the states of CloudFormation and of the services with the stack's
resources would not match.
"""

import time
from collections.abc import Callable
from typing import Final

from infra.local.ministack.patch_points import PatchPoint

_MODULE: Final = "ministack.services.cloudformation"
STACKS: Final = PatchPoint(_MODULE, "_stacks")
EVENTS: Final = PatchPoint(_MODULE, "_stack_events")
PATCH_POINTS: Final = (STACKS, EVENTS)
LONGEST: Final = 300.0
"""In seconds. A stack that takes longer, for example because it waits for a signal, does not count as in progress."""
_RESTS: Final = "REVIEW_IN_PROGRESS"
"""The status of a stack whose first change set was not executed. It is not in progress."""


class StackChanges:
    """`clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None

    def in_progress(self) -> bool:
        """Return whether a stack is being changed, for at most `LONGEST`."""
        statuses = [str(stack.get("StackStatus")) for stack in list(STACKS.resolve()._data.values())]
        if not any(each.endswith("_IN_PROGRESS") and each != _RESTS for each in statuses):
            self._since = None
            return False
        self._since = self._clock() if self._since is None else self._since
        return self._clock() - self._since < LONGEST

    @staticmethod
    def current() -> object:
        """Return a value that differs after every change of a stack: the statuses and numbers of events."""
        statuses = {key: stack.get("StackStatus") for key, stack in list(STACKS.resolve()._data.items())}
        return statuses, {key: len(events) for key, events in list(EVENTS.resolve()._data.items())}
