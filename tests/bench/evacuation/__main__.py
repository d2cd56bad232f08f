"""An evacuation of 100,000 devices that have a standby: `python -m tests.bench.evacuation`.

Simulated devices fall back as the reference client does, and connect under AWS's CONNECT quota; their hellos go to the
receptionist's handler with a real ledger in moto, and are counted by calls. Real devices are evacuated on a local cloud
with its own state. The limits: the evacuation is one write; each hello is answered with the standby's route at the cost
of one read; the first device arrives a second after its own fallback, and the last one as soon as the quota allows.

Exit status: 0 the limits are met, 1 one is exceeded or a step failed, 2 wrong usage.
"""

import random
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from infra.local.bringup import exclusive_use
from infra.local.ministack.quotas import CONNECT, RATES
from infra.local.timeline import Timeline
from tests.bench.deployment import running_lobby
from tests.bench.evacuation import fallbacks, real, reception
from tests.bench.outcome import outcome
from tests.bench.report import Section, section

app = typer.Typer(add_completion=False)
LATE: Final = 38.0
"""The limit of the seconds from the last arrival of devices that wait for the quota in a queue to the last arrival. The
difference does not depend on the time of the fallback; it was 10 % of the whole time with the fallback of ten failures.
"""
READS: Final = 1.05
"""The limit of reads for each hello: the row, and the target's record once in five seconds."""
AT_ONCE: Final = 1.0
_KINDS: Final = 500
"""Devices whose state machine is run. The others have their fallback times, and start up to a keep-alive later."""
_NOTICED: Final = 30.0


@dataclass
class Figures:
    """Seconds are from the outage, except for those of real devices: from their own fallback."""

    devices: int = 0
    writes: int = -1
    routed: int = 0
    reads_per_hello: float = 0.0
    writes_of_hellos: int = -1
    writes_per_row: float = 0.0
    first_fallback: float = 0.0
    first_arrival: float = 0.0
    median_arrival: float = 0.0
    last_arrival: float = 0.0
    last_at_quota: float = 0.0
    ratio: float = 0.0
    refused_connections: int = 0
    real: int = 0
    real_arrived: int = 0
    real_first: float = 0.0
    real_median: float = 0.0
    real_last: float = 0.0

    @property
    def late(self) -> float:
        """The seconds by which the last device arrives later than the quota allows."""
        return self.last_arrival - self.last_at_quota

    @property
    def is_within(self) -> bool:
        """Return whether the limits are met."""
        simulated = self.writes == 1 and self.routed == self.devices and self.writes_of_hellos == 0
        simulated = simulated and self.reads_per_hello <= READS and self.late <= LATE
        at_once = self.first_arrival - self.first_fallback <= AT_ONCE
        return simulated and at_once and self.real_arrived == self.real and self.real_first <= AT_ONCE


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=100, help="Simulated devices.")] = 100_000,
    real_devices: Annotated[int, typer.Option("--real", min=0, help="Real devices.")] = 200,
    per_second: Annotated[float, typer.Option(min=0.1, help="Real devices that fall back in a second.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the devices' times.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    timeline, figures = Timeline(out=sys.stderr), Figures(devices)
    with outcome(as_json=as_json) as result:
        try:
            with timeline.step(f"an evacuation of {devices} simulated devices") as step:
                simulate(figures, seed)
                step.note = f"{figures.routed} routed"
            if real_devices:
                measure(figures, timeline, real_devices, per_second)
        finally:
            result.goal, result.figures = figures.is_within, asdict(figures)
            lines = tuple((name.replace("_", " "), f"{value}") for name, value in asdict(figures).items())
            print(section(Section("An evacuation", ("", "measured"), lines)))


def simulate(figures: Figures, seed: int) -> None:
    """Let the devices fall back, connect and say hello."""
    draw = random.Random(seed)  # noqa: S311  # the same evacuation for the same seed
    own = [fallbacks.own_fallback(seed * _KINDS + number) for number in range(min(_KINDS, figures.devices))]
    times = sorted(draw.choice(own) + draw.uniform(0, _NOTICED) for _ in range(figures.devices))
    found = fallbacks.arrivals(times, RATES[CONNECT], seed)
    counted = reception.evacuate(found.hellos)
    figures.writes, figures.routed = counted.writes, counted.routed
    figures.reads_per_hello = round(counted.hellos["GetItem"] / figures.devices, 4)
    figures.writes_of_hellos = reception.writes_of(counted.hellos)
    figures.writes_per_row = round(reception.writes_of(counted.following) / counted.followed, 2)
    figures.first_fallback, figures.first_arrival = round(times[0], 2), round(found.after[0], 2)
    figures.median_arrival = round(found.after[len(found.after) // 2], 1)
    figures.last_arrival, figures.last_at_quota = (
        round(found.after[-1], 1),
        round(fallbacks.ideal(times, RATES[CONNECT]), 1),
    )
    figures.ratio = round(figures.last_arrival / figures.last_at_quota, 3)
    figures.refused_connections = found.refused


def measure(figures: Figures, timeline: Timeline, count: int, per_second: float) -> None:
    """Evacuate real devices."""
    with (
        tempfile.TemporaryDirectory(prefix="device-lobby-bench-") as folder,
        exclusive_use(Path(folder)),
        running_lobby(Path(folder), timeline, None, None) as lobby,
        timeline.step(f"an evacuation of {count} real devices") as step,
    ):
        found = real.evacuate(lobby, count, per_second)
        step.note = f"{found.arrived} arrived"
    figures.real, figures.real_arrived = found.devices, found.arrived
    figures.real_first, figures.real_median, figures.real_last = found.first, found.middle, found.last


if __name__ == "__main__":
    app()
