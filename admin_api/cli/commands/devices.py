"""`overview` and `devices`: count, list, show and watch devices."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from admin_api.cli import documents
from admin_api.cli.command import DeviceArgument, TargetFilter, command
from admin_api.cli.command_context import MAX_HISTORY, CommandContext
from admin_api.cli.commands.watching import watch_device, watch_devices
from admin_api.cli.completion import complete_state
from admin_api.cli.errors import usage_error
from admin_api.cli.exits import Status
from admin_api.cli.render import details, tables
from lobby.errors import InvalidInput
from lobby.names import State, shown

app = typer.Typer(no_args_is_help=True)
overview_app = typer.Typer()
_UNITS: Final = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([0-9]{1,6})(s|min|m|h|d)")
StateFilter = Annotated[
    str | None, typer.Option("--state", "-s", metavar="STATE", help=", ".join(State), autocompletion=complete_state)
]


@command(overview_app, "overview")
def overview(context: CommandContext) -> None:
    """Count devices by state, target and failure reason."""
    counts = context.execute(documents.OVERVIEW)["overview"]
    if context.screen.as_json:
        context.screen.record(counts)
    else:
        context.screen.show(details.overview(counts))


@command(app, "list")
def list_devices(
    context: CommandContext,
    state: StateFilter = None,
    target: TargetFilter = None,
    name: Annotated[str | None, typer.Option(help="Start of the name, at least 2 characters.")] = None,
    fingerprint: Annotated[str | None, typer.Option(help="Start of the fingerprint, at least 4 digits.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why a device failed or was refused, such as CRL_STALE.")] = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Longer in its state than 90s, 15min, 2h or 3d; requires --state or --target."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of devices.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="List all devices.")] = False,
) -> None:
    """List devices, the most recent state change first."""
    fields = {
        "state": _checked_state(state),
        "namePrefix": name,
        "fingerprintPrefix": fingerprint,
        "reason": reason,
        "enteredBefore": _entered_before(context, older_than, bool(state or target)),
    }
    device_filter = {key: value for key, value in fields.items() if value is not None} | _target_filter(context, target)
    _show_list(context, device_filter, None if every else limit)


def _show_list(context: CommandContext, device_filter: dict[str, Any], limit: int | None) -> None:
    devices: list[dict[str, Any]] = []
    count = 0
    for page in context.device_pages(device_filter, limit):
        count += len(page)
        if context.screen.as_json:
            for device in page:
                context.screen.record(device)
        else:
            devices += page
    if devices:
        context.screen.show(tables.devices(devices, context.now(), context.screen.width))
    if not count:
        context.screen.note("no matching devices")
    elif count == limit:
        context.screen.note(f"showing the first {limit}; use --all or a higher --limit for more")


@command(app, "show")
def show(
    context: CommandContext,
    device: DeviceArgument,
    last: Annotated[int, typer.Option(min=1, max=MAX_HISTORY, help="Maximum number of history entries.")] = 20,
) -> None:
    """Show a device with its state, certificate, possible actions and history."""
    node = context.device(context.find_device(device), last)
    if context.screen.as_json:
        context.screen.record(node)
    else:
        context.screen.show(details.device_details(node, context.now()))


@command(app, "watch")
def watch(
    context: CommandContext,
    device: Annotated[str | None, typer.Argument(metavar="DEVICE", help="A device to follow until it arrives.")] = None,
    state: StateFilter = None,
    target: TargetFilter = None,
    every: Annotated[float, typer.Option("--every", min=0.5, help="Seconds between updates of the list.")] = 2.0,
    timeout: Annotated[
        float | None, typer.Option("--timeout", min=0, metavar="SECONDS", help="Stop after this time.")
    ] = None,
) -> Status:
    """Watch the devices in the lobby, or follow one device until it arrives.

    --state watches the devices in another state.
    """
    if device is not None:
        if state or target:
            raise usage_error("got a device and --state or --target, want one of them")
        return watch_device(context, context.find_device(device), timeout)
    device_filter = {"state": _checked_state(state) or State.INLOBBY.value} | _target_filter(context, target)
    return watch_devices(context, device_filter, every, timeout)


def _target_filter(context: CommandContext, name: str | None) -> dict[str, Any]:
    if name is None:
        return {}
    target = context.targets.find(name).target
    return {"target": {"account": target.account, "region": target.region}}


def _checked_state(name: str | None) -> str | None:
    if name is not None and name not in list(State):
        raise usage_error(f"got {shown(name)}, want one of: {', '.join(State)}", "INVALID_STATE")
    return name


def _entered_before(context: CommandContext, duration: str | None, selective: bool) -> str | None:
    """Return the latest time at which a device may have entered its state, in ISO 8601."""
    if duration is None:
        return None
    if not selective:
        raise usage_error("got --older-than alone, want --state or --target with it")
    time = context.now() - timedelta(seconds=parse_duration(duration))
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_duration(text: str) -> int:
    """Return the seconds of a duration such as ``90s``, ``15min``, ``2h`` or ``3d``.

    Raise `InvalidInput` INVALID_DURATION."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise InvalidInput("INVALID_DURATION", f"got {shown(text)}, want a number and s, min, h or d, such as 2h")
    return int(match[1]) * _UNITS[match[2]]
