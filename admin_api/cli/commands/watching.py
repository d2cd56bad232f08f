"""`devices watch`: watch the devices in a state, or follow one device until it arrives.

In a terminal the command redraws a table. Otherwise it prints one line per change. A pure function computes the changes
between two polls.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group
from rich.text import Text

from admin_api.cli.command_context import PAGE, CommandContext
from admin_api.cli.commands.waiting import follow
from admin_api.cli.exits import Status
from admin_api.cli.follow import Goal
from admin_api.cli.render import cells, tables
from lobby.names import Fingerprint

Device = Mapping[str, Any]
CAME: Final = "came"
LEFT: Final = "left"
CHANGED: Final = "changed"
_COMPARED: Final = ("devstate", "enteredAt", "reason", "targetaccount", "targetregion", "devicename", "generation")
"""The fields whose change is reported."""


@dataclass(frozen=True)
class Change:
    """A change between two polls: `kind` is CAME, LEFT or CHANGED. `device` is the last observed state."""

    kind: str
    device: Device


def changes(before: Sequence[Device], after: Sequence[Device]) -> Iterator[Change]:
    """Yield the changes from one poll to the next."""
    old = {device["certid"]: device for device in before}
    new = {device["certid"]: device for device in after}
    for certid, device in new.items():
        if certid not in old:
            yield Change(CAME, device)
        elif any(device[field] != old[certid][field] for field in _COMPARED):
            yield Change(CHANGED, device)
    for certid, device in old.items():
        if certid not in new:
            yield Change(LEFT, device)


def watch_devices(
    context: CommandContext, device_filter: dict[str, Any], interval: float, timeout: float | None
) -> Status:
    """Show the newest hundred matching devices until Ctrl-C or for `timeout` seconds."""
    environment = context.environment
    start = environment.monotonic()
    before: list[dict[str, Any]] = []
    with context.screen.live(Text("loading …")) as live:
        while True:
            devices = context.first_devices(device_filter, PAGE)
            if live is not None:
                live.update(_view(context, device_filter, devices))
            else:
                for change in changes(before, devices):
                    _show(context, change)
            before = devices
            remaining = math.inf if timeout is None else timeout - (environment.monotonic() - start)
            if remaining <= 0:
                return Status.DONE
            environment.sleep(min(interval, remaining))


def watch_device(context: CommandContext, certid: Fingerprint, timeout: float | None) -> Status:
    """Follow one device, claimed or not, until it arrives or fails. Raise `Unfinished`."""
    return follow(context, {certid: Goal.EVENTUAL_ARRIVAL}, math.inf if timeout is None else timeout)


def _view(context: CommandContext, device_filter: Mapping[str, Any], devices: Sequence[Device]) -> Group:
    now = context.now()
    more = "+" if len(devices) == PAGE else ""
    count = f"{len(devices)}{more} {device_filter['state']}"
    heading = Text(f"{count}  {now:%H:%M:%S} UTC  press Ctrl-C to stop", "dim")
    return Group(heading, tables.devices(devices, now, context.screen.width))


def _show(context: CommandContext, change: Change) -> None:
    device = f"{cells.name(change.device)}  {cells.clean(change.device['devstate'])}"
    context.screen.result(
        {"change": change.kind, "device": change.device},
        line=f"{context.now():%H:%M:%S}  {change.kind:<7}  {device}",
    )
