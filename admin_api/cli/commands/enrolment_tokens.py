"""`enrolments tokens`: create, list and revoke the tokens of an enrolment of door `token`.

`create` writes only the new token to standard output, so that a script can store it. The token is never shown again.
"""

from typing import Annotated

import typer

from admin_api.cli.command import command
from admin_api.cli.command_context import CommandContext
from admin_api.cli.commands import confirmation
from admin_api.cli.commands.confirmation import Yes
from admin_api.cli.commands.enrolments import Named
from admin_api.cli.documents import enrolments as documents
from admin_api.cli.render import enrolments as render
from lobby.names import parse_enrolment_name, parse_thing_name, parse_token_id

app = typer.Typer(no_args_is_help=True)


@command(app, "create")
def create(
    context: CommandContext,
    name: Named,
    uses: Annotated[int, typer.Option(help="Maximum number of devices.")] = 1,
    expires: Annotated[str | None, typer.Option(help="Date or time at which it expires. [default: in 7 days]")] = None,
    thing: Annotated[
        str | None,
        typer.Option("--name", metavar="THING", help="Thing name for which the token is valid. [default: any]"),
    ] = None,
) -> None:
    """Create a token and write it to standard output, as the value of the header Authorization. It is shown once."""
    created = context.execute(
        documents.CREATE_ENROLMENT_TOKEN,
        enrolment=parse_enrolment_name(name),
        uses=uses,
        expires=expires,
        thingName=parse_thing_name(thing) if thing is not None else None,
    )["createEnrolmentToken"]
    token = created["token"]
    counted = "1 use" if token["maxUses"] == 1 else f"{token['maxUses']} uses"
    context.screen.result(
        created,
        created["authorization"],
        note=f"Keep it now: it is not shown again. It has {counted} until {token['expires']}; "
        f"to revoke it: lobbyctl enrolments tokens revoke {token['identifier']}",
    )


@command(app, "list")
def list_tokens(context: CommandContext, name: Named) -> None:
    """List the tokens of an enrolment: identifiers, uses and expiry, never the secrets."""
    found = context.execute(documents.ENROLMENT_TOKENS, enrolment=parse_enrolment_name(name))["enrolmentTokens"]
    context.screen.listing(found, render.tokens, f"no token; next: lobbyctl enrolments tokens create {name}")


@command(app, "revoke")
def revoke(
    context: CommandContext,
    token: Annotated[str, typer.Argument(metavar="IDENTIFIER", help="Identifier of the token: ENROLMENT.…")],
    yes: Yes = False,
) -> None:
    """Revoke a token immediately and permanently. Devices that were admitted with it stay."""
    identifier = parse_token_id(token)
    effect = f"{identifier} no longer admits devices. Admitted devices stay. This cannot be undone."
    confirmation.confirm(context, [effect], yes)
    revoked = context.execute(documents.REVOKE_ENROLMENT_TOKEN, identifier=identifier)["revokeEnrolmentToken"]
    context.screen.result(revoked, note=f"Revoked {identifier}")
