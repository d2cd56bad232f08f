"""Prints the progress of a command: one line per step with its duration. If a step fails, it prints the last
observation.

Steps run one after the other. A failed step ends the run with the step's name, the last observation and the paths of
the logs. The output is plain text on standard output.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO, TypeVar

_POLL_SECONDS: Final = 0.02
STEP_SECONDS: Final = 30.0
"""Default timeout of a step in seconds."""
T = TypeVar("T")


class StepFailed(Exception):
    """A step failed. `observed` is the observation in place of the expected result."""

    def __init__(self, step: str, observed: str, logs: tuple[Path, ...] = ()) -> None:
        super().__init__(f"{step}: {observed}")
        self.step, self.observed, self.logs = step, observed, logs


@dataclass
class Timeline:
    """Prints steps to `out`. `clock` returns seconds; `timeout` is in seconds."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    clock: Callable[[], float] = time.monotonic
    logs: tuple[Path, ...] = ()
    timeout: float = STEP_SECONDS
    durations: list[tuple[str, float]] = field(default_factory=list)
    """Name and milliseconds of each finished step."""

    @contextmanager
    def step(self, name: str) -> Iterator["Step"]:
        """Time the block and print a line for it. Raise `StepFailed` in place of any exception of the block."""
        began, step = self.clock(), Step()
        try:
            yield step
        except StepFailed:
            raise
        except Exception as error:
            raise StepFailed(name, f"{type(error).__name__}: {error}", self.logs) from error
        self.record(name, (self.clock() - began) * 1000, step.note)

    def record(self, name: str, ms: float, note: str = "") -> None:
        """Print the line of a step that took `ms` milliseconds."""
        self.durations.append((name, ms))
        self.print(f"{ms:8.0f} ms  {name}{'  · ' + note if note else ''}")

    def wait_for(self, step: str, look: Callable[[], T | None], observed: Callable[[], str], planned: float = 0.0) -> T:
        """Return the first value of `look` that is not None. Raise `StepFailed` with `observed()` after the timeout
        plus the planned duration of the step."""
        timeout = self.timeout + planned
        deadline = self.clock() + timeout
        while (value := look()) is None:
            if self.clock() > deadline:
                raise StepFailed(step, f"timeout after {timeout:.0f} s; last observed: {observed()}", self.logs)
            time.sleep(_POLL_SECONDS)
        return value

    def print(self, text: str = "") -> None:
        print(text, file=self.out, flush=True)


@dataclass
class Step:
    """A running step. `note` is printed after its name."""

    note: str = ""
