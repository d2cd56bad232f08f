"""Measures the project's budgets on the emulator and prints them: `python -m tests.bench.budgets`.

Brings a lobby up in a state of its own, warms it with one device, then counts the AWS calls that the Lambdas make in
each step, whatever else runs on the machine. Counts decide; milliseconds are told and decide nothing.

Exit status: 0 every budget is kept, 1 one is broken or a step failed, 2 wrong use.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from infra.local.bringup import exclusive_use
from infra.local.errors import LocalCloudError
from infra.local.timeline import StepFailed, Timeline
from tests.bench import cold_start, crowd, hellos, onboarding, report, units
from tests.bench.report import Row, Section
from tests.bench.stage import Stage, staged

app = typer.Typer(add_completion=False)
_FIRST_PORT: Final = 25_000


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=1, help="Warm onboardings to measure; the median counts.")] = 5,
    rows: Annotated[int, typer.Option(min=100, help="Rows in the ledger for the list's budget.")] = 50_000,
    as_json: Annotated[
        bool, typer.Option("--json", help="The figures as JSON; progress goes to standard error.")
    ] = False,
    cold: Annotated[bool, typer.Option(help="Also measure bundles and imports.")] = True,
    state: Annotated[
        Path | None, typer.Option(help="Keep the deployment here, for the next run. [default: none]")
    ] = None,
    gateway_port: Annotated[int, typer.Option(help="Port of the AWS API.")] = _FIRST_PORT,
    mqtt_port: Annotated[int, typer.Option(help="Port of the MQTT endpoints.")] = _FIRST_PORT + 1,
) -> None:
    timeline = Timeline(out=sys.stderr)
    try:
        with _kept(state) as directory, exclusive_use(directory):
            with staged(directory, timeline, gateway_port, mqtt_port) as stage:
                measured, sections = _measured(stage, timeline, devices, rows)
            if cold:
                with timeline.step("bundles and imports"):
                    sections.append(cold_start.section())
    except (StepFailed, LocalCloudError) as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(report.as_json(measured, sections) if as_json else _printed(measured, sections))
    if not all(row.kept for row in measured):
        raise typer.Exit(1)


def _measured(stage: Stage, timeline: Timeline, devices: int, rows: int) -> tuple[list[Row], list[Section]]:
    with timeline.step("a first device warms the Lambdas") as done:
        first = onboarding.measure(stage)
        done.note = f"{len(first.calls)} calls cold, {first.bouncers} bouncers"
    warm = []
    for number in range(devices):
        with timeline.step(f"onboarding {number + 1} of {devices}") as done:
            warm.append(onboarding.measure(stage))
            done.note = f"{len(warm[-1].calls)} calls, {warm[-1].bouncers} bouncers"
    with timeline.step("hellos and the push"):
        measured = onboarding.rows(warm) + hellos.rows(stage)
    with timeline.step("DynamoDB's units of an onboarding"):
        sections = [_knocks(onboarding.knocking(first, warm)), units.section(stage)]
    with timeline.step(f"a list of a ledger with {rows:,} rows"):
        pem = stage.new_device().paths.certificate.read_text()
        measured.append(crowd.row(stage, rows, pem, lambda done, of: timeline.print(f"{'':12}{done:,} of {of:,} rows")))
    return measured, sections


def _knocks(lines: tuple[tuple[str, ...], ...]) -> Section:
    return Section(
        "Just-in-time registration: connects until let in, and the bouncers that they start",
        ("Lambdas", "devices", "knocks", "bouncer runs", "bouncer calls"),
        lines,
    )


def _printed(rows: list[Row], sections: list[Section]) -> str:
    broken = [row.step for row in rows if not row.kept]
    verdict = f"BROKEN: {', '.join(broken)}" if broken else "every budget is kept"
    return "\n\n".join([report.table(rows), *map(report.section, sections), verdict])


@contextmanager
def _kept(state: Path | None) -> Iterator[Path]:
    """The directory that was asked for, or one that goes with the run."""
    if state is not None:
        yield state
        return
    with tempfile.TemporaryDirectory(prefix="device-lobby-bench-") as directory:
        yield Path(directory)


if __name__ == "__main__":
    app()
