"""Measure the project's performance budgets on the emulator and print them: `python -m tests.bench.budgets`.

Starts a lobby with its own state, onboards one device to warm the Lambdas, then counts the AWS calls that the
Lambdas make in each step. Other load on the machine does not change the counts. Milliseconds are shown, but have no
budget.

Exit status: 0 every budget is met, 1 a budget is exceeded or a step failed, 2 wrong usage.
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
from tests.bench import cold_start, device_list, hellos, onboarding, report, units
from tests.bench.deployment import LobbyUnderTest, running_lobby
from tests.bench.report import Row, Section

app = typer.Typer(add_completion=False)
_FIRST_PORT: Final = 25_000


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=1, help="Warm onboardings to measure; the median counts.")] = 5,
    rows: Annotated[int, typer.Option(min=100, help="Rows in the ledger for the budget of the list.")] = 50_000,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON; progress goes to standard error.")
    ] = False,
    cold: Annotated[bool, typer.Option(help="Also measure bundles and imports.")] = True,
    state: Annotated[
        Path | None, typer.Option(help="Keep the deployment in this directory for the next run. [default: none]")
    ] = None,
    gateway_port: Annotated[int, typer.Option(help="Port of the AWS API.")] = _FIRST_PORT,
    mqtt_port: Annotated[int, typer.Option(help="Port of the MQTT endpoints.")] = _FIRST_PORT + 1,
) -> None:
    timeline = Timeline(out=sys.stderr)
    try:
        with _state_directory(state) as directory, exclusive_use(directory):
            with running_lobby(directory, timeline, gateway_port, mqtt_port, durable=state is not None) as lobby:
                results, sections = _measure(lobby, timeline, devices, rows)
            if cold:
                with timeline.step("bundles and imports"):
                    sections.append(cold_start.section())
    except (StepFailed, LocalCloudError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(report.as_json(results, sections) if as_json else _as_text(results, sections))
    if not all(row.within_budget for row in results):
        raise typer.Exit(1)


def _measure(lobby: LobbyUnderTest, timeline: Timeline, devices: int, rows: int) -> tuple[list[Row], list[Section]]:
    with timeline.step("a first device warms the Lambdas") as step:
        first = onboarding.measure(lobby)
        step.note = f"{len(first.calls)} calls cold, {first.bouncer_runs} bouncer runs"
    warm = []
    for number in range(devices):
        with timeline.step(f"onboarding {number + 1} of {devices}") as step:
            warm.append(onboarding.measure(lobby))
            step.note = f"{len(warm[-1].calls)} calls, {warm[-1].bouncer_runs} bouncer runs"
    with timeline.step("hellos and the push"):
        results = onboarding.rows(warm) + hellos.rows(lobby)
    with timeline.step("DynamoDB units of an onboarding"):
        sections = [_registrations(onboarding.registration_lines(first, warm)), units.section(lobby)]
    with timeline.step(f"a list of a ledger with {rows:,} rows"):
        pem = lobby.new_device().paths.certificate.read_text()
        results.append(
            device_list.row(
                lobby, rows, pem, lambda written, total: timeline.print(f"{'':12}{written:,} of {total:,} rows")
            )
        )
    return results, sections


def _registrations(lines: tuple[tuple[str, ...], ...]) -> Section:
    return Section(
        "Just-in-time registration: connection attempts until the device is admitted, and the bouncer runs they start",
        ("Lambdas", "devices", "connection attempts", "bouncer runs", "bouncer calls"),
        lines,
    )


def _as_text(rows: list[Row], sections: list[Section]) -> str:
    exceeded = [row.step for row in rows if not row.within_budget]
    verdict = f"EXCEEDED: {', '.join(exceeded)}" if exceeded else "every budget is met"
    return "\n\n".join([report.table(rows), *map(report.section, sections), verdict])


@contextmanager
def _state_directory(state: Path | None) -> Iterator[Path]:
    """Yield the requested directory, or a temporary one that is deleted afterwards."""
    if state is not None:
        yield state
        return
    with tempfile.TemporaryDirectory(prefix="device-lobby-bench-") as directory:
        yield Path(directory)


if __name__ == "__main__":
    app()
