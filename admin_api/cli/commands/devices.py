"""`overview` and `devices`: count, list, show and watch devices.

`listing`, `watching` and `render` do the work. Lists are read page by page, so a list of any length needs little
memory.
"""

from typing import Annotated

import typer

from admin_api.cli.command import DeviceArgument, TargetFilter, command
from admin_api.cli.command_context import MAX_HISTORY, CommandContext
from admin_api.cli.commands.filtering import StateFilter, checked_state, target_filter
from admin_api.cli.commands.listing import ListFilters, show_list
from admin_api.cli.commands.watching import watch_device, watch_devices
from admin_api.cli.completion import complete_device
from admin_api.cli.documents import devices as documents
from admin_api.cli.errors import usage_error
from admin_api.cli.exits import Status
from admin_api.cli.render import details
from lobby.names import State

app = typer.Typer(no_args_is_help=True)
overview_app = typer.Typer()


@command(overview_app, "overview")
def overview(context: CommandContext) -> None:
    """Count devices by state, target and failure reason."""
    counts = context.execute(documents.OVERVIEW)["overview"]
    context.screen.result(counts, details.overview(counts))


@command(app, "list")
def list_devices(
    context: CommandContext,
    filters: ListFilters,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of devices.")] = 50,
    every: Annotated[bool, typer.Option("--all", help="List all devices.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with every column.")] = False,
) -> None:
    """List devices, the most recent state change first."""
    if as_csv and context.screen.as_json:
        raise usage_error("got --csv and --json, want one of them")
    show_list(context, filters.filter(context), None if every else limit, as_csv=as_csv)


@command(app, "show")
def show(
    context: CommandContext,
    device: DeviceArgument,
    last: Annotated[int, typer.Option(min=1, max=MAX_HISTORY, help="Maximum number of history entries.")] = 20,
) -> None:
    """Show a device with its state, certificate, possible actions and history."""
    node = context.device(context.find_device(device), last)
    context.screen.result(node, details.device_details(node, context.now()))


@command(app, "watch")
def watch(
    context: CommandContext,
    device: Annotated[
        str | None,
        typer.Argument(metavar="DEVICE", help="A device to follow until it arrives.", autocompletion=complete_device),
    ] = None,
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
    wanted = {"state": checked_state(state) or State.INLOBBY.value} | target_filter(context, target)
    return watch_devices(context, wanted, every, timeout)
