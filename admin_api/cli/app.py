"""The ``lobbyctl`` command with all its subcommands. `main` is the entry point of the console script."""

import os
from typing import Annotated, Final

import typer

from admin_api.cli import command, exits
from admin_api.cli.commands import (
    account,
    activity,
    alerts,
    campaign_creation,
    campaigns,
    change,
    claim,
    claim_certificates,
    devices,
    doctor,
    drills,
    enrolment_bundle,
    enrolment_creation,
    enrolment_tokens,
    enrolments,
    history,
    quarantine,
    reconcile,
    regions,
    serial_claims,
    standbys,
    target_changes,
    target_template,
    targets,
    transfers,
    users,
    webhooks,
)
from lobby import __version__

NAME: Final = "lobbyctl"
_HELP: Final = """Manage the devices of a Device Lobby: claim, move, release, revoke and inspect them.

A lobby started with `./deploy.sh local` needs no configuration. For any other lobby, sign in first:
`lobbyctl login --url https://…`"""
_EPILOG: Final = "Exit status:\n\n" + "\n".join(f"- {line}" for line in exits.listed())

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=_HELP,
    epilog=_EPILOG,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


@app.callback()
def root(
    click_context: typer.Context,
    as_json: command.Json = False,
    lobby: command.Lobby = None,
    url: command.Url = None,
    role: command.As = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Accept the common options before the subcommand, and --version."""
    command.store_options(click_context, as_json=as_json, lobby=lobby, url=url, role=role)


for group in (account, claim, change, quarantine, reconcile, doctor, activity):
    app.add_typer(group.app)
app.add_typer(devices.overview_app)
app.add_typer(devices.app, name="devices", help="List, show and watch devices.")
targets.app.add_typer(target_changes.app)
targets.app.add_typer(target_template.app)
targets.app.add_typer(standbys.app)
targets.app.add_typer(drills.app)
app.add_typer(targets.app, name="targets", help="List, register, check, rename, archive and remove targets.")
enrolments.app.add_typer(enrolment_creation.app)
enrolments.app.add_typer(claim_certificates.approve_app)
enrolments.app.add_typer(enrolment_bundle.app)
enrolments.app.add_typer(claim_certificates.app, name="certificates", help="Add, list and revoke claim certificates.")
app.add_typer(serial_claims.app, name="serials", help="List and withdraw claims by serial number.")
enrolments.app.add_typer(enrolment_tokens.app, name="tokens", help="Create, list and revoke enrolment tokens.")
app.add_typer(enrolments.app, name="enrolments", help="List, create, change, pause, resume and revoke enrolments.")
campaigns.app.add_typer(campaign_creation.app)
app.add_typer(
    campaigns.app,
    name="campaigns",
    help="One operation on many devices: preview, create, approve, pause, cancel and undo it.",
)
app.add_typer(
    transfers.app, name="transfers", help="Transfer devices to another operator's lobby, or accept them from one."
)
app.add_typer(regions.app, name="regions", help="Show which Region is home, and make another Region home.")
app.add_typer(users.app, name="users", help="Block, unblock and list users.")
app.add_typer(alerts.app, name="alerts", help="Send notices by e-mail: subscribe and list addresses.")
app.add_typer(webhooks.app, name="webhooks", help="Send events to other systems: add, list, test, redrive webhooks.")
app.add_typer(history.app, name="history", help="Show or verify the history of devices.")


def main() -> None:
    """Run the command with the arguments of this process. Only the user may change the files that it writes."""
    os.umask(os.umask(0o022) | 0o022)
    app(prog_name=NAME)
