"""The command line of the manufacturer's tools: `lobby-pki`, or `python -m pki`."""

from typing import Annotated

import typer

from lobby import __version__
from pki.commands import ca as commands_ca
from pki.commands import device as commands_device
from pki.commands import kms as commands_kms
from pki.commands import lobby as commands_lobby
from pki.terminal import ReportingGroup

app = typer.Typer(
    cls=ReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Create a device CA, device credentials, revocation lists and labels, and register the CA with a lobby.\n\n"
    "Start with: init, device, register.",
)
for commands in (commands_ca, commands_device, commands_lobby, commands_kms):
    app.add_typer(commands.app)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"lobby-pki {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # handled by its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line with the process's arguments. Entry point of the `lobby-pki` command."""
    app(prog_name="lobby-pki")
