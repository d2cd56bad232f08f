"""``lobbyctl``: the whole of the command, put together."""

from typing import Final

import typer

from admin_api.cli import command, exits
from admin_api.cli.commands import account, change, claim, devices, history, overview, reconcile, targets

NAME: Final = "lobbyctl"
_HELP: Final = """Device Lobby at the command line: who waits, where they belong, and what became of them.

With ./deploy.sh local it needs no configuration; for another lobby begin with: lobbyctl login --url https://…"""
_EPILOG: Final = "Exit status:\n\n" + "\n".join(f"- {line}" for line in exits.listed())

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=_HELP,
    epilog=_EPILOG,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(command.everywhere)
for group in (account, overview, claim, change, reconcile):
    app.add_typer(group.app)
app.add_typer(devices.app, name="devices", help="List devices, show one, watch those who wait.")
app.add_typer(targets.app, name="targets", help="List targets, add one, check what is missing there.")
app.add_typer(history.app, name="history", help="What befell a device: lobbyctl history DEVICE.")


def main() -> None:
    """The command, as a process."""
    app(prog_name=NAME)
