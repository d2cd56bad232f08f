"""Waiting for devices, as several commands do it: each change is told with its second; the end is the exit status."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

import typer
from rich.spinner import Spinner
from rich.text import Text

from admin_api.cli.command_context import CommandContext
from admin_api.cli.errors import Unfinished
from admin_api.cli.exits import Status, of_several
from admin_api.cli.follow import Following, Goal, Progress, Verdict
from admin_api.cli.render import cells, tables
from lobby.names import Fingerprint

PATIENCE: Final = 120.0
Wait = Annotated[bool, typer.Option("--wait", help="Follow until it has arrived, or failed; tells the seconds.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, metavar="SECONDS", help="How long --wait waits.")]


class _Waiting:
    """A line with the seconds, each time it is drawn."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks, self._began, self._spinner = ticks, ticks(), Spinner("dots")
        self.states: dict[Fingerprint, str] = {}

    def __rich__(self) -> Spinner:
        states = Counter(self.states.values())
        now = ", ".join(f"{count} {state}" for state, count in states.items())
        self._spinner.text = Text(f"{cells.seconds(self._ticks() - self._began)}  {now}")
        return self._spinner


def follow(desk: CommandContext, goals: Mapping[Fingerprint, Goal], timeout: float) -> Status:
    """Waits, and tells. Raises `Unfinished` where a single device does not get there: DEVICE_FAILED, WAIT_EXPIRED."""
    waiting = _Waiting(desk.around.ticks)

    def tell(seen: Progress) -> None:
        waiting.states[seen.certid] = seen.state
        if desk.screen.as_json:
            desk.screen.record(record_of(seen))
        else:
            desk.screen.show(tables.progress_line(seen))

    with desk.screen.moving(waiting, transient=True):
        ends = Following(desk.look, desk.around.ticks, desk.around.pause, tell).until(goals, timeout)
    return _end(ends, timeout)


def record_of(seen: Progress) -> dict[str, object]:
    """A change, for programs."""
    device = seen.device or {}
    return {
        "certid": seen.certid,
        "devicename": device.get("devicename"),
        "devstate": device.get("devstate"),
        "reason": device.get("reason"),
        "message": device.get("message"),
        "seconds": round(seen.seconds, 3),
        "ended": seen.verdict is not Verdict.WAIT,
        "reached": seen.verdict is Verdict.REACHED,
    }


def _end(ends: Sequence[Progress], timeout: float) -> Status:
    lost = [each for each in ends if each.verdict is Verdict.LOST]
    open_ = [each for each in ends if each.verdict is Verdict.WAIT]
    if len(ends) == 1 and lost:
        raise Unfinished("DEVICE_FAILED", f"the device is {lost[0].state}: {lost[0].told or 'no reason given'}")
    if open_:
        first = open_[0]
        which = (
            f"the device is still {first.state}" if len(ends) == 1 else f"{len(open_)} of {len(ends)} are on their way"
        )
        raise Unfinished("WAIT_EXPIRED", f"{which} after {timeout:.0f} s: {first.told}")
    return of_several(len(ends) - len(lost), len(lost))
