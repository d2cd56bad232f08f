"""Watching: the devices of a state as they come and go, or one device on its way.

What changed from one look to the next is a pure function. On a terminal the table is drawn anew; elsewhere each
change is a line.
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

CAME: Final = "came"
LEFT: Final = "left"
CHANGED: Final = "changed"
_TOLD: Final = ("devstate", "enteredAt", "reason", "targetaccount", "targetregion", "devicename", "generation")


@dataclass(frozen=True)
class Change:
    """`kind` is came, left or changed; `device` as it is now, or was last seen."""

    kind: str
    device: Mapping[str, Any]


def changes(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    """From one look to the next."""
    were = {device["certid"]: device for device in before}
    are = {device["certid"]: device for device in after}
    for certid, device in are.items():
        if certid not in were:
            yield Change(CAME, device)
        elif any(device[field] != were[certid][field] for field in _TOLD):
            yield Change(CHANGED, device)
    for certid, device in were.items():
        if certid not in are:
            yield Change(LEFT, device)


def watch_waiting(desk: CommandContext, wanted: dict[str, Any], every: float, timeout: float | None) -> Status:
    """Until Ctrl-C, or `timeout` seconds are over. Shows the newest hundred."""
    began = desk.around.ticks()
    seen: list[dict[str, Any]] = []
    with desk.screen.moving(Text("looking …")) as live:
        while True:
            now = desk.some_devices(wanted, PAGE)
            if live is not None:
                live.update(_view(desk, wanted, now))
            else:
                for change in changes(seen, now):
                    _tell(desk, change)
            seen = now
            left = math.inf if timeout is None else timeout - (desk.around.ticks() - began)
            if left <= 0:
                return Status.DONE
            desk.around.pause(min(every, left))


def watch_device(desk: CommandContext, certid: Fingerprint, timeout: float | None) -> Status:
    """Until it has arrived, or plainly will not. It need not be claimed yet. Raises `Unfinished`."""
    return follow(desk, {certid: Goal.EVENTUAL_ARRIVAL}, math.inf if timeout is None else timeout)


def _view(desk: CommandContext, wanted: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> Group:
    now = desk.now()
    more = "+" if len(found) == PAGE else ""
    head = Text(f"{len(found)}{more} {wanted['state']}  {now:%H:%M:%S} UTC  Ctrl-C ends", "dim")
    return Group(head, tables.devices(found, now, desk.screen.width))


def _tell(desk: CommandContext, change: Change) -> None:
    if desk.screen.as_json:
        desk.screen.record({"change": change.kind, "device": change.device})
    else:
        what = f"{cells.name(change.device)}  {change.device['devstate']}"
        desk.screen.say(f"{desk.now():%H:%M:%S}  {change.kind:<7}  {what}")
