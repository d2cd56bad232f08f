"""`quarantine`, `lift`, `dismiss`: devices whose certificates seem to be in use twice.

Each takes devices, a list or a filter, and a reason. The history records the reason.
"""

from typing import Annotated

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands import confirmation
from admin_api.cli.commands.changing import Request, carry_out
from admin_api.cli.commands.selection import Execution, Selection
from admin_api.cli.commands.waiting import DEFAULT_TIMEOUT, Timeout, Wait
from admin_api.cli.exits import Status

app = typer.Typer()
Why = Annotated[str, typer.Option(help="The reason, for the history: 1 to 200 characters.")]
Note = Annotated[
    str, typer.Option(help="Why you are sure that there is only one device, for the history: 1 to 200 characters.")
]


@command(app, "quarantine")
def quarantine(context: CommandContext, selection: Selection, execution: Execution, why: Why) -> Status:
    """Deactivate the certificates of devices in the lobby and in every target, until `lift`. Their claims stay."""
    request = Request({"operation": "QUARANTINE", "why": why}, confirmation.effect_of_quarantine)
    return carry_out(context, request, selection, execution, None)


@command(app, "lift")
def lift(
    context: CommandContext,
    selection: Selection,
    execution: Execution,
    why: Note,
    wait: Wait = False,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Status:
    """Lift the quarantine of devices: their certificates are activated, and their claims apply again.

    The same evidence does not make them suspected again.
    """
    request = Request({"operation": "LIFT", "why": why}, confirmation.effect_of_lift)
    return carry_out(context, request, selection, execution, timeout if wait else None)


@command(app, "dismiss")
def dismiss(context: CommandContext, selection: Selection, execution: Execution, why: Note) -> Status:
    """Dismiss the suspicion that the certificates of devices are in use twice.

    The same evidence does not make them suspected again. `doctor` lists suspected devices.
    """
    request = Request({"operation": "DISMISS", "why": why}, confirmation.effect_of_dismissal, lambda _device: False)
    return carry_out(context, request, selection, execution, None)
