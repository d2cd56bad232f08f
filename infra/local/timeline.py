"""Tells a person what is going on: one line a step, with how long it took, and what was seen where one fails.

Steps run one after the other; a failing one ends the run with its name, what was last seen and where the logs
are. Written to standard error's sibling, standard output, as plain text: it is read by people and kept in logs.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO, TypeVar

_POLL: Final = 0.02
PATIENCE: Final = 30.0
"""Seconds that any one step may keep us waiting, unless said."""
T = TypeVar("T")


class StepFailed(Exception):
    """A step that did not come to its end. `seen` is what there was instead."""

    def __init__(self, step: str, seen: str, logs: tuple[Path, ...] = ()) -> None:
        super().__init__(f"{step}: {seen}")
        self.step, self.seen, self.logs = step, seen, logs


@dataclass
class Timeline:
    """Prints steps to `out`. `clock` gives seconds."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    clock: Callable[[], float] = time.monotonic
    logs: tuple[Path, ...] = ()
    patience: float = PATIENCE
    taken: list[tuple[str, float]] = field(default_factory=list)
    """Each finished step and its milliseconds."""

    @contextmanager
    def step(self, name: str) -> Iterator["Step"]:
        """Times what is inside and prints one line for it. Whatever it raises becomes a `StepFailed`."""
        began, step = self.clock(), Step()
        try:
            yield step
        except StepFailed:
            raise
        except Exception as error:
            raise StepFailed(name, f"{type(error).__name__}: {error}", self.logs) from error
        self.record(name, (self.clock() - began) * 1000, step.note)

    def record(self, name: str, ms: float, note: str = "") -> None:
        self.taken.append((name, ms))
        self._print(f"{ms:8.0f} ms  {name}{'  · ' + note if note else ''}")

    def say(self, text: str = "") -> None:
        self._print(text)

    def until(self, what: str, look: Callable[[], T | None], seen: Callable[[], str]) -> T:
        """What `look` gives once it gives something. Raises `StepFailed` with `seen()` when patience is at its end."""
        deadline = self.clock() + self.patience
        while (found := look()) is None:
            if self.clock() > deadline:
                raise StepFailed(what, f"not after {self.patience:.0f} s; last seen: {seen()}", self.logs)
            time.sleep(_POLL)
        return found

    def _print(self, text: str) -> None:
        print(text, file=self.out, flush=True)


@dataclass
class Step:
    """What a running step has to tell."""

    note: str = ""
