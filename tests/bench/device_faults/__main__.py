"""Tries whether the device client always comes back by itself, exhaustively, and prints the figures.

The parts: power (cuts at every file-system call), disk (spoilt, full, refusing), refusals (days of brokers that are no
good, on a clock of their own), tries (some hundred of them, for real), silences, clock, messages. Name some, or all are
run. Servers bind loopback only.

Exit status: 0 all was survived, 1 something was not, 2 wrong use.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from tests.bench import report
from tests.bench.device_faults import clock, disk, messages, power, refusals, silences, tries
from tests.bench.device_faults.figures import Figures

app = typer.Typer(add_completion=False)


def parts(*, quick: bool, room: Path) -> dict[str, list[Callable[[], Figures]]]:
    """`quick` is for a look: the same kinds of tries, fewer of each."""
    hours = 3 if quick else 24
    return {
        "power": [
            power.once,
            lambda: power.twice(0.02 if quick else 1),
            *([] if quick else [lambda: power.for_real(room)]),
        ],
        "disk": [disk.spoilt, disk.mounted, disk.refusing],
        "refusals": [
            lambda: refusals.lobbies(hours),
            lambda: refusals.targets(hours),
            lambda: refusals.circles(hours),
            lambda: refusals.whatever_they_please(10 if quick else 100, hours / 2),
        ],
        "tries": [lambda: tries.tries(60 if quick else 400)],
        "silences": [silences.silences],
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
    quick: Annotated[bool, typer.Option(help="Fewer tries of each kind.")] = False,
) -> None:
    with tempfile.TemporaryDirectory(prefix="device-faults-") as room:
        known = parts(quick=quick, room=Path(room))
        if unknown := set(names or ()) - set(known):
            raise typer.BadParameter(f"got {', '.join(sorted(unknown))}, want some of {', '.join(known)}")
        found = list(_run({name: known[name] for name in names or known}))
    survived, tried = sum(one.survived for one in found), sum(one.tried for one in found)
    sys.stdout.write(f"survived {survived} of {tried}\n")
    raise typer.Exit(survived != tried)


def _run(chosen: dict[str, list[Callable[[], Figures]]]) -> Iterator[Figures]:
    for measures in chosen.values():
        for measure in measures:
            begin = time.monotonic()
            figures = measure()
            sys.stdout.write(f"{report.section(figures.section)}\n  ({time.monotonic() - begin:.0f} s)\n\n")
            sys.stdout.flush()
            yield figures


if __name__ == "__main__":
    app(prog_name="python -m tests.bench.device_faults")
