"""``python -m pki``: the manufacturer's tools at the command line."""

import typer

from pki import commands_ca, commands_device, commands_lobby
from pki.terminal import ReportingGroup

app = typer.Typer(
    cls=ReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make a device CA, credentials, revocation lists and QR labels, and register the CA with a lobby.\n\n"
    "Begin with: init, device, register.",
)
for commands in (commands_ca, commands_device, commands_lobby):
    app.add_typer(commands.app)

if __name__ == "__main__":
    app(prog_name="python -m pki")
