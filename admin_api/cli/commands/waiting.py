"""`--wait`: follow devices, print each change with its time, and turn the result into an exit status.

The command does not wait for a device that cannot reach the goal without a user. After the timeout the command fails,
although the lobby continues its work.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

import typer
from rich.spinner import Spinner
from rich.text import Text

from admin_api.cli.command_context import CommandContext
from admin_api.cli.errors import Unfinished
from admin_api.cli.exits import Status, of_several
from admin_api.cli.follow import Follower, Goal, Progress, Verdict
from admin_api.cli.render import cells, tables
from lobby.names import Fingerprint

DEFAULT_TIMEOUT: Final = 120.0
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the devices arrive or fail, and print each change.")]
RENEWAL_TIMEOUT: Final = 300.0
WaitRenewed = Annotated[
    bool, typer.Option("--wait", help="Wait until the devices use only the new certificate, and print each change.")
]
Timeout = Annotated[float, typer.Option("--timeout", min=0, metavar="SECONDS", help="Maximum time of --wait.")]


class _StatusLine:
    """A spinner with the elapsed seconds and the number of devices per state, redrawn while waiting."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic, self._start, self._spinner = monotonic, monotonic(), Spinner("dots")
        self.states: dict[Fingerprint, str] = {}

    def __rich__(self) -> Spinner:
        counts = Counter(self.states.values())
        states = ", ".join(f"{count} {state}" for state, count in counts.items())
        self._spinner.text = Text(f"{cells.seconds(self._monotonic() - self._start)}  {states}")
        return self._spinner


def follow(context: CommandContext, goals: Mapping[Fingerprint, Goal], timeout: float) -> Status:
    """Follow devices and print each change. Raise `Unfinished` WAIT_EXPIRED, or DEVICE_FAILED for a single device."""
    environment = context.environment
    status_line = _StatusLine(environment.monotonic)

    def on_change(progress: Progress) -> None:
        status_line.states[progress.certid] = progress.state
        context.screen.result(record_of(progress), tables.progress_line(progress))

    follower = Follower(context.lookup, environment.monotonic, environment.sleep, on_change)
    with context.screen.live(status_line, transient=True):
        results = follower.follow(goals, timeout)
    return _exit_status(results, timeout)


def record_of(progress: Progress) -> dict[str, object]:
    """Return the JSON record of a change."""
    device = progress.device or {}
    return {
        "certid": progress.certid,
        "devicename": device.get("devicename"),
        "devstate": device.get("devstate"),
        "reason": device.get("reason"),
        "message": device.get("message"),
        "seconds": round(progress.seconds, 3),
        "ended": progress.verdict is not Verdict.WAIT,
        "reached": progress.verdict is Verdict.REACHED,
    }


def _exit_status(results: Sequence[Progress], timeout: float) -> Status:
    lost = [each for each in results if each.verdict is Verdict.LOST]
    waiting = [each for each in results if each.verdict is Verdict.WAIT]
    if len(results) == 1 and lost:
        reason = lost[0].explanation or "no reason given"
        raise Unfinished("DEVICE_FAILED", f"the device is {lost[0].state}: {reason}")
    if waiting:
        one = len(results) == 1
        subject = f"the device is still {waiting[0].state}" if one else f"{len(waiting)} of {len(results)} are waiting"
        raise Unfinished("WAIT_EXPIRED", f"{subject} after {timeout:.0f} s: {waiting[0].explanation}")
    return of_several(len(results) - len(lost), len(lost))
