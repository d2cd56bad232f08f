"""The command line of a deployment to AWS: `aws` for the lobby, `target` for an account, `redrive`, `destroy`.

Exit status: 0 done, 1 failed or not agreed to, 2 wrong use.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from infra.cloud.account import Caller, caller, confirm, expect
from infra.cloud.cdk import deploy, ensure_bootstrapped, synthesize
from infra.cloud.cdk import destroy as take_down
from infra.cloud.first_admin import invite
from infra.errors import InfraError
from infra.redrive.start import redrive as work_again
from lobby.errors import LobbyError
from lobby.names import Target, parse_target

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
Profile = Annotated[str | None, typer.Option(help="AWS profile. [default: the environment's credentials]")]
AnyRegion = Annotated[str | None, typer.Option(help="Region. [default: the environment's, or the profile's]")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@app.command()
def aws(
    profile: Profile = None,
    region: AnyRegion = None,
    admin_email: Annotated[str | None, typer.Option(help="Invite this person as the first admin.")] = None,
    log_retention_days: Annotated[int, typer.Option(help="How long logs are kept.")] = 30,
    anchor_days: Annotated[
        int,
        typer.Option(
            min=1,
            max=36_500,
            help="How long nobody can delete an anchor of a history, nor their bucket: 1 for a trial.",
        ),
    ] = 3650,
    yes: Yes = False,
) -> None:
    """Deploy the lobby to this account and Region."""
    with _told():
        who = caller(profile, region)
        typer.echo(
            f"What the notary anchors, and its bucket, nobody can delete for {anchor_days} days (--anchor-days)."
        )
        confirm(who, "Deploy the lobby (stack DeviceLobby) to", yes)
        kept = {"logRetentionDays": str(log_retention_days), "anchorDays": str(anchor_days)}
        context = {"lobby": f"{who.account}/{who.region}", **kept}
        outputs = _deployed(who, profile, "aws", context, "DeviceLobby")
        if admin_email:
            typer.echo(invite(who.session.client("cognito-idp"), outputs["UserPoolId"], admin_email))
        typer.echo(
            "\nNext: register a manufacturer's CA (python -m pki register), sign in, register a target;"
            "\nits setup command is shown to admins (registerTarget, targets). README has each step."
        )


@app.command()
def target(
    account: Annotated[str, typer.Option(help="The target's account; must be that of the credentials.")],
    region: Annotated[str, typer.Option(help="The target's Region.")],
    external_id: Annotated[str, typer.Option(help="The ExternalId that registerTarget gave.")],
    lobby_account: Annotated[str, typer.Option(help="The lobby's account.")],
    lobby_region: Annotated[str, typer.Option(help="The lobby's Region.")],
    profiles: Annotated[str, typer.Option(help="Device profiles, separated by commas.")] = "default",
    without_role: Annotated[
        bool,
        typer.Option("--without-role", help="The account has the role already, from its target in another Region."),
    ] = False,
    profile: Profile = None,
    yes: Yes = False,
) -> None:
    """Set this account and Region up as a target of a lobby."""
    with _told():
        where, lobby = parse_target(account, region), parse_target(lobby_account, lobby_region)
        who = caller(profile, where.region)
        expect(who, where.account, where.region)
        confirm(who, f"Set up a target of the lobby {lobby} (stack DeviceLobbyTarget) in", yes)
        wanted = {
            "account": where.account,
            "region": where.region,
            "externalId": external_id,
            "profiles": [name.strip() for name in profiles.split(",")],
            "createRole": not without_role,
        }
        context = {"lobby": str(lobby), "targets": [wanted], "lobbyStack": "false"}
        _deployed(who, profile, "target", context, f"DeviceLobbyTarget-{where.account}-{where.region}")
        typer.echo("\nNext: checkTarget in the lobby says whether everything is there.")


@app.command()
def redrive(
    profile: Profile = None,
    region: AnyRegion = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be done.")] = False,
    yes: Yes = False,
) -> None:
    """Have done once more what lies in the lobby's on-failure queues. May be repeated, and cut off."""
    with _told():
        who = caller(profile, region)
        if not dry_run:
            confirm(who, "Redrive the on-failure queues of the lobby in", yes)
        if not work_again(who.session, Target(who.account, who.region), dry=dry_run):
            raise typer.Exit(1)


@app.command()
def destroy(
    what: Annotated[str, typer.Argument(help="`aws` (the lobby) or `target`.")],
    profile: Profile = None,
    region: AnyRegion = None,
    yes: Yes = False,
) -> None:
    """Delete a stack. The lobby's tables, buckets and users stay, and are named."""
    with _told():
        if what not in ("aws", "target"):
            raise typer.BadParameter(f"got {what!r}, want aws, target or local")
        who = caller(profile, region)
        here = f"{who.account}/{who.region}"
        confirm(who, f"DELETE the stack {'DeviceLobby' if what == 'aws' else 'DeviceLobbyTarget'} from", yes)
        context: dict[str, Any] = {"lobby": here, "bundle": "false"}
        stack = "DeviceLobby"
        if what == "target":
            context["targets"] = [{"account": who.account, "region": who.region, "externalId": "none"}]
            context["lobbyStack"] = "false"
            stack = f"DeviceLobbyTarget-{who.account}-{who.region}"
        take_down(who, profile, synthesize("destroy", context), stack)


def _deployed(who: Caller, profile: str | None, name: str, context: dict[str, Any], stack: str) -> dict[str, str]:
    assembly = synthesize(name, context)
    ensure_bootstrapped(who, profile)
    outputs = deploy(who, profile, assembly, stack)
    typer.echo("\nOutputs:")
    for key, value in sorted(outputs.items()):
        typer.echo(f"  {key:<18} {value}")
    return outputs


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (InfraError, LobbyError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except (BotoCoreError, ClientError) as error:
        print(f"error: AWS_REFUSED: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
