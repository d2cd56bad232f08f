"""Devices: a list by what they are, one whole, and watching those who wait."""

from datetime import timedelta
from typing import Annotated, Any

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import MOST_HISTORY, CommandContext
from admin_api.cli.commands.watching import watch_device, watch_waiting
from admin_api.cli.completion import complete_state, complete_target
from admin_api.cli.durations import parse_duration
from admin_api.cli.errors import wrong_use
from admin_api.cli.exits import Status
from admin_api.cli.render import details, tables
from lobby.names import State, shown

app = typer.Typer(no_args_is_help=True)
StateName = Annotated[
    str | None, typer.Option("--state", "-s", metavar="STATE", help=", ".join(State), autocompletion=complete_state)
]
TargetName = Annotated[
    str | None, typer.Option("--target", "-t", help="account/Region or name.", autocompletion=complete_target)
]


@command(app, "list")
def list_devices(
    desk: CommandContext,
    state: StateName = None,
    target: TargetName = None,
    name: Annotated[str | None, typer.Option(help="What its name begins with, at least 2 characters.")] = None,
    fingerprint: Annotated[
        str | None, typer.Option(help="What its fingerprint begins with, at least 4 digits.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why it failed or was refused, such as CRL_STALE.")] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="2h", help="In its state for longer than so many s, min, h or d; with --state or --target."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """List devices, those first whose state is the newest. With --json one a line, page by page."""
    asked = {
        "state": _state(state),
        "namePrefix": name,
        "fingerprintPrefix": fingerprint,
        "reason": reason,
        "enteredBefore": _before(desk, older_than, bool(state or target)),
    }
    wanted: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
    if target is not None:
        place = desk.register.named(target).target
        wanted["target"] = {"account": place.account, "region": place.region}
    _list(desk, wanted, None if every else limit)


def _list(desk: CommandContext, wanted: dict[str, Any], limit: int | None) -> None:
    found: list[dict[str, Any]] = []
    count = 0
    for page in desk.every_device(wanted, limit):
        count += len(page)
        if desk.screen.as_json:
            for device in page:
                desk.screen.record(device)
        else:
            found += page
    if found:
        desk.screen.show(tables.devices(found, desk.now(), desk.screen.width))
    if not count:
        desk.screen.note("no such device")
    elif count == limit:
        desk.screen.note(f"the first {limit}; --all or a higher --limit for more")


@command(app, "show")
def show(
    desk: CommandContext,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Fingerprint, its first digits, label, or name.")],
    last: Annotated[int, typer.Option(min=1, max=MOST_HISTORY, help="At most so many entries of its history.")] = 20,
) -> None:
    """Everything about one device: where it is and why, its certificate, what you can do, what befell it."""
    found = desk.device(desk.certid(device), last)
    if desk.screen.as_json:
        desk.screen.record(found)
    else:
        desk.screen.show(details.device(found, desk.now()))


@command(app, "watch")
def watch(
    desk: CommandContext,
    device: Annotated[
        str | None, typer.Argument(metavar="DEVICE", help="One, until it has arrived; else all who wait.")
    ] = None,
    state: StateName = None,
    target: TargetName = None,
    every: Annotated[float, typer.Option("--every", min=0.5, help="Seconds between looks at the waiting.")] = 2.0,
    timeout: Annotated[float | None, typer.Option("--timeout", min=0, metavar="SECONDS", help="End then.")] = None,
) -> Status:
    """Watch the devices in the lobby (or another --state), or one until it arrives. With --json one line a change."""
    if device is not None:
        if state or target:
            raise wrong_use("got a device and --state or --target, want one of them")
        return watch_device(desk, desk.certid(device), timeout)
    wanted: dict[str, Any] = {"state": _state(state) or State.INLOBBY.value}
    if target is not None:
        place = desk.register.named(target).target
        wanted["target"] = {"account": place.account, "region": place.region}
    return watch_waiting(desk, wanted, every, timeout)


def _state(name: str | None) -> str | None:
    if name is not None and name not in list(State):
        raise wrong_use(f"got {shown(name)}, want one of: {', '.join(State)}", "INVALID_STATE")
    return name


def _before(desk: CommandContext, duration: str | None, anchored: bool) -> str | None:
    if duration is None:
        return None
    if not anchored:
        raise wrong_use("got --older-than alone, want --state or --target with it")
    moment = desk.now() - timedelta(seconds=parse_duration(duration))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
