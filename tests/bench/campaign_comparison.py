"""Moves devices as a campaign, and by `lobbyctl move` in a loop: `python -m tests.bench.campaign_comparison`.

Both run in one lobby under AWS's quotas. Each is interrupted in the middle: the processes of the campaign's functions
are killed, and the loop ends with its command. The table shows what is left to do after the interruption, and what the
documented limits of Azure's DPS allow. The limits are: every device is in its target with one move in its history, and
the operator has nothing left to do after the interruption of the campaign.

Exit status: 0 the limits are met, 1 one is not met or a step failed, 2 wrong usage.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from infra.local.bringup import exclusive_use
from infra.local.lobby_file import NAME
from infra.local.strictness import STRICT
from infra.local.synthesis import ROOT
from infra.local.timeline import Timeline
from lobby.domain.lanes.lane_pace import DEFAULT_RATE
from lobby.names import Fingerprint
from tests.bench import campaign
from tests.bench.campaign import CampaignUnderTest
from tests.bench.deployment import LobbyUnderTest, running_lobby
from tests.bench.documented_limits import SOURCES, dps_time, lobby_minutes
from tests.bench.outcome import outcome
from tests.bench.report import Section, section

app = typer.Typer(add_completion=False)
FUNCTIONS: Final = ("admin-api", "campaigns", "commissioner", "bell")
LARGE: Final = 10_000
_COMMAND_SECONDS: Final = 120.0
_PATIENCE: Final = 600.0
_POLL: Final = 0.5


@dataclass
class Way:
    """One way to move the devices. `commands` are those of the operator, `further` those after the interruption.
    `left` are devices whose move was not requested when it was interrupted. The requests by which the benchmark watches
    are not counted."""

    seconds: float = 0.0
    share_of_rate: float = 0.0
    commands: int = 0
    further: int = 0
    left: int = 0
    api_requests: int = 0
    lambda_runs: int = 0
    moved: int = 0
    moved_once: int = 0


@dataclass
class Comparison:
    """The figures of both ways, and the documented limits of DPS in minutes."""

    devices: int
    rate: float
    by_campaign: Way = field(default_factory=Way)
    by_loop: Way = field(default_factory=Way)

    @property
    def is_within(self) -> bool:
        """Return whether the limits are met."""
        ways = (self.by_campaign, self.by_loop)
        all_moved = all(way.moved == way.moved_once == self.devices for way in ways)
        return all_moved and self.by_campaign.further == self.by_campaign.left == 0

    def as_json(self) -> dict[str, Any]:
        sizes = {"devices": self.devices, "large": LARGE}
        documented = {
            name: {
                "devices": size,
                "dps_minutes": round(dps_time(size).minutes, 2),
                "dps_group_minutes": round(dps_time(size, individual=False).registrations, 2),
                "lobby_minutes": round(lobby_minutes(size, self.rate), 2),
            }
            for name, size in sizes.items()
        }
        return asdict(self) | {"documented": documented}


def share_of_rate(devices: int, rate: float, seconds: float) -> float:
    """Return which part of the targets' rate was reached."""
    return round(devices / rate / seconds, 3) if seconds > 0 else 0.0


@app.command(help=__doc__)
def main(
    devices: Annotated[int, typer.Option(min=4, max=2000, help="Devices that each way moves.")] = 60,
    rate: Annotated[float, typer.Option(min=1, max=500, help="The targets' rate.")] = DEFAULT_RATE,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is one JSON object.")] = False,
) -> None:
    timeline, found = Timeline(out=sys.stderr), Comparison(devices, rate)
    with outcome(as_json=as_json) as result:
        try:
            with (
                tempfile.TemporaryDirectory(prefix="device-lobby-bench-") as folder,
                exclusive_use(Path(folder)),
                running_lobby(Path(folder), timeline, None, None) as lobby,
            ):
                compared = _Compared(lobby, found, Path(folder))
                with timeline.step(f"a campaign of {devices} moves"):
                    compared.by_campaign()
                with timeline.step(f"{devices} times `lobbyctl move`"):
                    compared.by_loop()
        finally:
            result.goal, result.figures = found.is_within, found.as_json()
            print(section(_table(found)))


class _Compared:
    """Both ways in one lobby. Results are written to `found`."""

    def __init__(self, lobby: LobbyUnderTest, found: Comparison, folder: Path) -> None:
        self._lobby, self._found, self._folder = lobby, found, folder
        self._moves = CampaignUnderTest(lobby, campaign.Figures(found.devices, found.rate), kills=0)
        self._moves.lanes.set_rate(found.rate)
        lobby.local.emulator.enforce(STRICT)

    def by_campaign(self) -> None:
        """Create the campaign with one command, or request, and kill its functions in the middle."""
        way, certids = self._found.by_campaign, self._moves.arrived()
        before, began = self._runs(), time.monotonic()
        self._moves.create()
        way.commands = 1
        _wait("half of the devices are moved", lambda: self._moves.left() <= self._found.devices // 2)
        self._moves.kill()
        self._finish(way, certids, before, began)

    def by_loop(self) -> None:
        """Run one process for each device. The loop ends in the middle, with its command; the operator continues."""
        way, certids = self._found.by_loop, self._moves.arrived()
        before, began = self._runs(), time.monotonic()
        half = len(certids) // 2
        for certid in certids[:half]:
            self._move(certid)
        self._start(certids[half]).kill()
        way.commands = half + 1
        left = [certid for certid in certids if not self._moves.moves(certid)]
        way.left = len(left)
        for certid in left:
            self._move(certid)
        way.further = len(left)
        way.commands += len(left)
        self._finish(way, certids, before, began)

    def _finish(self, way: Way, certids: Sequence[Fingerprint], before: dict[str, int], began: float) -> None:
        _wait("all devices are moved", lambda: all(map(self._moves.is_moved, certids)))
        way.seconds = round(time.monotonic() - began, 1)
        way.share_of_rate = share_of_rate(len(certids), self._found.rate, way.seconds)
        runs = {name: count - before[name] for name, count in self._runs().items()}
        own, self._moves.watched = self._moves.watched, 0
        way.api_requests, way.lambda_runs = runs["admin-api"] - own, sum(runs.values()) - own
        way.moved = sum(map(self._moves.is_moved, certids))
        way.moved_once = sum(self._moves.moves(certid) == 1 for certid in certids)

    def _runs(self) -> dict[str, int]:
        return {name: self._lobby.runs(name) for name in FUNCTIONS}

    def _move(self, certid: Fingerprint) -> None:
        with self._start(certid) as process:
            out, error = process.communicate(timeout=_COMMAND_SECONDS)
        if process.returncode:
            raise TimeoutError(f"lobbyctl move ended with status {process.returncode}: {out[-200:]} {error[-400:]}")

    def _start(self, certid: Fingerprint) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "PYTHONPATH": str(ROOT),
            "LOBBYCTL_LOBBY": str(self._folder / NAME),
        }
        arguments = ("move", certid, "--target", str(self._moves.goal), "--yes")
        command = [sys.executable, "-P", "-m", "admin_api.cli", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)


def _wait(what: str, check: Callable[[], bool]) -> None:
    """Wait until `check` is true. Raise `TimeoutError` with `what`."""
    deadline = time.monotonic() + _PATIENCE
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {_PATIENCE:.0f} s: {what}")
        time.sleep(_POLL)


def _table(found: Comparison) -> Section:
    one, other = asdict(found.by_campaign), asdict(found.by_loop)
    lines = [(name.replace("_", " "), str(one[name]), str(other[name])) for name in one]
    notes = [
        f"DPS, documented limits, {size} devices: at least {dps_time(size).minutes:.1f} min with individual enrolments"
        f" and one S1 unit ({dps_time(size).registrations:.1f} min for the registrations alone); the lobby at"
        f" {found.rate:g} per second: {lobby_minutes(size, found.rate):.1f} min"
        for size in (found.devices, LARGE)
    ]
    title = f"{found.devices} moves under AWS's quotas"
    return Section(title, ("", "a campaign", "lobbyctl in a loop"), tuple(lines), (*notes, *SOURCES))


if __name__ == "__main__":
    app()
