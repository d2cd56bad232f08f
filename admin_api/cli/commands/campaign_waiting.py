"""`campaigns … --wait`: follow a campaign, print its progress, and turn its end into an exit status."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.spinner import Spinner
from rich.text import Text

from admin_api.cli.command_context import CommandContext
from admin_api.cli.documents import campaigns as documents
from admin_api.cli.errors import Unfinished
from admin_api.cli.exits import Status, of_several
from admin_api.cli.render import campaigns as render
from lobby.errors import NotFound

DEFAULT_TIMEOUT: Final = 3600.0
PAUSE: Final = 3.0
"""Seconds between two requests: as often as the feeder records progress."""
ENDED: Final = frozenset({"done", "cancelled", "stopped"})
Wait = Annotated[bool, typer.Option("--wait", help="Wait until the campaign ends or stops, and print its progress.")]
Timeout = Annotated[float, typer.Option("--timeout", min=0, metavar="SECONDS", help="Maximum time of --wait.")]


def find(context: CommandContext, name: str) -> dict[str, Any]:
    """Return a campaign. Raise `NotFound` UNKNOWN_CAMPAIGN."""
    found: dict[str, Any] | None = context.execute(documents.CAMPAIGN, name=name)["campaign"]
    if found is None:
        raise NotFound("UNKNOWN_CAMPAIGN", f"got {name}, want the name of a campaign: lobbyctl campaigns list")
    return found


def follow(context: CommandContext, name: str, timeout: float) -> Status:
    """Follow a campaign until it ends or stops. Raise `Unfinished` WAIT_EXPIRED or CAMPAIGN_STOPPED."""
    environment, spinner = context.environment, Spinner("dots")
    began, shown = environment.monotonic(), ""
    with context.screen.live(spinner, transient=True):
        while True:
            campaign = find(context, name)
            text = f"{campaign['state']}: {render.progress(campaign)}"
            spinner.text = Text(text)
            if text != shown:
                _report(context, campaign, text)
                shown = text
            if campaign["state"] in ENDED:
                return _status(campaign)
            if environment.monotonic() - began >= timeout:
                raise Unfinished("WAIT_EXPIRED", f"{name} is {text} after {timeout:.0f} s; it continues")
            environment.sleep(PAUSE)


def _report(context: CommandContext, campaign: Mapping[str, Any], text: str) -> None:
    context.screen.result(campaign, line=text)


def _status(campaign: Mapping[str, Any]) -> Status:
    counts = campaign["counts"]
    if campaign["state"] == "stopped":
        why = campaign["stoppedBecause"]
        raise Unfinished("CAMPAIGN_STOPPED", f"{campaign['name']} has stopped ({why}): see lobbyctl campaigns results")
    failed = counts["failed"] + counts["refused"]
    return of_several(campaign["total"] - failed - counts["pending"], failed + counts["pending"])
