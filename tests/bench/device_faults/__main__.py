"""Test exhaustively that the device client recovers from faults without help, and print the results.

Parts: power (cuts at every file-system call), disk (corrupt, full, failing), brokers (days of faulty brokers, on a
simulated clock), attempts (hundreds of real connection attempts), unresponsive (brokers that do not answer), clock,
messages. Without arguments all parts are run. Servers bind loopback only.

Exit status: 0 if every case was survived, 1 if not, 2 for wrong usage.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from tests.bench import report
from tests.bench.device_faults import (
    clock,
    disk,
    faulty_brokers,
    messages,
    power,
    repeated_attempts,
    unresponsive_brokers,
)
from tests.bench.device_faults.results import BenchResult

app = typer.Typer(add_completion=False)


def parts(*, quick: bool, folder: Path) -> dict[str, list[Callable[[], BenchResult]]]:
    """Return the measurements of each part. With `quick`, there are fewer cases of each kind."""
    hours = 3 if quick else 24
    return {
        "power": [
            power.single_cuts,
            lambda: power.double_cuts(0.02 if quick else 1),
            *([] if quick else [lambda: power.real_kills(folder)]),
        ],
        "disk": [disk.corrupt, disk.mounted, disk.failing],
        "brokers": [
            lambda: faulty_brokers.lobbies(hours),
            lambda: faulty_brokers.targets(hours),
            lambda: faulty_brokers.loops(hours),
            lambda: faulty_brokers.random_brokers(10 if quick else 100, hours / 2),
        ],
        "attempts": [lambda: repeated_attempts.repeated_attempts(60 if quick else 400)],
        "unresponsive": [unresponsive_brokers.unresponsive_brokers],
        "clock": [clock.clocks],
        "messages": [
            messages.packets,
            lambda: messages.floods(5_000 if quick else 100_000),
            lambda: messages.fuzz(1_000 if quick else 20_000),
        ],
    }


@app.command(help=__doc__)
def main(
    names: Annotated[list[str] | None, typer.Argument(help="Parts to run.")] = None,
    quick: Annotated[bool, typer.Option(help="Fewer cases of each kind.")] = False,
) -> None:
    with tempfile.TemporaryDirectory(prefix="device-faults-") as folder:
        available = parts(quick=quick, folder=Path(folder))
        if unknown := set(names or ()) - set(available):
            raise typer.BadParameter(f"got {', '.join(sorted(unknown))}, want some of {', '.join(available)}")
        results = list(_run({name: available[name] for name in names or available}))
    survived, attempted = sum(result.survived for result in results), sum(result.attempted for result in results)
    sys.stdout.write(f"survived {survived} of {attempted}\n")
    raise typer.Exit(survived != attempted)


def _run(selected: dict[str, list[Callable[[], BenchResult]]]) -> Iterator[BenchResult]:
    for measurements in selected.values():
        for measure in measurements:
            start = time.monotonic()
            result = measure()
            sys.stdout.write(f"{report.section(result.section)}\n  ({time.monotonic() - start:.0f} s)\n\n")
            sys.stdout.flush()
            yield result


if __name__ == "__main__":
    app(prog_name="python -m tests.bench.device_faults")
