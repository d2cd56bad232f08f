"""The end of a benchmark: with `--json` its last line is one JSON object, even after a failure or an interruption.

The object has `goal`, the figures that were measured so far, and the machine's load average of the last minute. If the
load is above the number of processors, times are longer than on a free machine. If the benchmark did not complete, the
object has `error`, and `goal` is false. The exit status is 0 only if the goal is reached.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import typer

from infra.local.errors import LocalCloudError
from infra.local.timeline import StepFailed

_EXPECTED: Final = (StepFailed, LocalCloudError, TimeoutError)


@dataclass
class Outcome:
    """The result of a benchmark so far. `figures` are JSON values by name."""

    goal: bool = False
    figures: dict[str, Any] = field(default_factory=dict)


@contextmanager
def outcome(*, as_json: bool) -> Iterator[Outcome]:
    """Run a benchmark in the block. End the process with status 1 if the block fails, is interrupted, or leaves `goal`
    false."""
    found, error = Outcome(), None
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield found
    except KeyboardInterrupt:
        error = "interrupted"
    except Exception as failure:  # noqa: BLE001  # whatever it is, the last line is printed
        error = str(failure) if isinstance(failure, _EXPECTED) else f"{type(failure).__name__}: {failure}"
        if not isinstance(failure, _EXPECTED):
            traceback.print_exc()
    finally:
        signal.signal(signal.SIGTERM, before)
    if error is not None:
        print(f"FAILED: {error}", file=sys.stderr)
    goal = found.goal and error is None
    if as_json:
        load = {"load_average": round(os.getloadavg()[0], 1)}
        print(json.dumps({"goal": goal} | ({"error": error} if error else {}) | found.figures | load))
    if not goal:
        raise typer.Exit(1)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
