"""The command line for AWS: deploy the lobby (`aws`) or a target account (`target`), `redrive`, `destroy`.

Exit status: 0 success, 1 failed or not confirmed, 2 invalid use.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from infra import earlier_console, stack_names
from infra.cloud import index_upgrade, quotas
from infra.cloud.account import Caller, caller, confirm, expect, require_region_without_lobby
from infra.cloud.cdk import deploy, ensure_bootstrapped, synthesize
from infra.cloud.command_options import AnyRegion, ArchiveDays, Profile, RegistryEvents, RemoveLeftThings, Yes
from infra.cloud.first_admin import invite
from infra.cloud.role_upgrade import is_adoptable, retain_role, role_elsewhere
from infra.cloud.user_pool import ensure_groups, supplied_pool
from infra.errors import InfraError
from infra.lobby_id import LobbyIdOption
from infra.options import COMMAND_VARIABLE, ProfilesFrom
from infra.redrive.start import redrive as start_redrive
from infra.teardown.lobby import LobbyRemoval, start_admissions
from infra.teardown.stacks import Stack
from infra.teardown.target import TargetRemoval
from lobby.deployment import NAMES
from lobby.domain.claim_limits import DEFAULT_LIMITS
from lobby.errors import LobbyError
from lobby.names import Target, parse_target
from lobby.settings import REMOVE

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

_NEW = (None, "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")
"""The states of a stack that has never been created completely."""


@app.command()
def aws(  # noqa: PLR0913, PLR0917  # a parameter for each option
    profile: Profile = None,
    region: AnyRegion = None,
    admin_email: Annotated[str | None, typer.Option(help="Invite this user as the first admin.")] = None,
    log_retention_days: Annotated[int, typer.Option(help="Retention of logs, in days.")] = 30,
    anchor_days: Annotated[
        int,
        typer.Option(
            min=1,
            max=36_500,
            help="Days during which no one can delete anchors of histories or their bucket; 1 for a trial.",
        ),
    ] = 3650,
    archive_days: ArchiveDays = None,
    registry_events: RegistryEvents = False,
    profiles_from: ProfilesFrom = None,
    registrations_per_second: Annotated[
        int, typer.Option(min=1, max=50, help="Devices to admit per second: the account's quotas of AWS IoT.")
    ] = 10,
    campaign_approval_above: Annotated[
        int,
        typer.Option(min=0, max=99_999, help="Devices that a campaign may change without a second user."),
    ] = 1000,
    claim_limits: Annotated[
        str, typer.Option(help="Limits of a technician: devices a minute/devices an hour/wrong codes an hour.")
    ] = DEFAULT_LIMITS,
    user_pool: Annotated[
        str | None, typer.Option(help="Use this Cognito user pool. [default: create one, or keep that of the stack]")
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="A domain of your own for the devices' endpoint, such as lobby.example.com.")
    ] = None,
    domain_certificate: Annotated[
        str | None, typer.Option(help="The ARN of the domain's certificate in ACM, in this account and Region.")
    ] = None,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
    remove_left_things: RemoveLeftThings = False,
    yes: Yes = False,
) -> None:
    """Deploy the lobby to this account and Region."""
    with _reported_errors():
        identity = caller(profile, region)
        stack = Stack(identity.session.client("cloudformation"), stack_names.LOBBY)
        pool = supplied_pool(identity, user_pool, stack)
        for line in quotas.report(identity.session, registrations_per_second):
            typer.echo(f"quota: {line}")
        typer.echo(f"No one can delete the notary's anchors and their bucket for {anchor_days} days (--anchor-days).")
        confirm(identity, f"Deploy the lobby (stack {stack_names.LOBBY}) to", yes)
        retention = {"logRetentionDays": str(log_retention_days), "anchorDays": str(anchor_days)}
        limits = {
            "registrationRate": str(registrations_per_second),
            "campaignApprovalAbove": str(campaign_approval_above),
            "claimLimits": claim_limits,
        }
        context = {"lobby": f"{identity.account}/{identity.region}", **retention, **limits}
        context |= _profiles_context(profiles_from) | _endpoint_context(identity, domain, domain_certificate)
        context |= _left_things_context(remove_left_things) | (pool.context if pool else {})
        context |= _registry_events_context(registry_events)
        context |= {"archiveDays": str(archive_days)} if archive_days else {}
        _keep_earlier_console(identity)
        is_new = stack.status() in _NEW
        if is_new:
            require_region_without_lobby(identity)
        earlier = index_upgrade.earlier_steps(identity.session, is_new=is_new)
        if is_new:
            # Without protection, so that a failed first deployment is rolled back completely.
            first = earlier.pop(0) if earlier else {}
            _deployed(identity, profile, "aws", {**context, **first, "protect": "false"}, stack_names.LOBBY)
        for number, step in enumerate(earlier, 1):
            typer.echo(f"\nThe ledger's indexes change one by one: update {number} of {len(earlier) + 1}.")
            _deployed(identity, profile, "aws", {**context, **step}, stack_names.LOBBY)
        outputs = _deployed(identity, profile, "aws", context, stack_names.LOBBY)
        start_admissions(identity.session)
        if pool:
            ensure_groups(identity.session.client("cognito-idp"), pool.id)
        if admin_email:
            typer.echo(invite(identity.session.client("cognito-idp"), outputs["UserPoolId"], admin_email))
        typer.echo(
            "\nNext: register a manufacturer's CA (lobby-pki register), sign in, and register a target."
            "\nAdmins see its setup command (registerTarget, targets)."
        )


@app.command()
def target(  # noqa: PLR0913, PLR0917  # a parameter for each option
    account: Annotated[str, typer.Option(help="The target's account, the same as that of the credentials.")],
    region: Annotated[str, typer.Option(help="The target's Region.")],
    external_id: Annotated[str, typer.Option(help="The ExternalId that registerTarget returned.")],
    lobby_account: Annotated[str, typer.Option(help="The lobby's account.")],
    lobby_region: Annotated[str, typer.Option(help="The lobby's Region.")],
    profiles: Annotated[str, typer.Option(help="Device profiles, separated by commas.")] = "default",
    without_role: Annotated[
        bool,
        typer.Option("--without-role", help="Omit the role's stack: the account has it for another Region."),
    ] = False,
    profiles_from: ProfilesFrom = None,
    profile: Profile = None,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
    remove_left_things: RemoveLeftThings = False,
    registry_events: RegistryEvents = False,
    yes: Yes = False,
) -> None:
    """Set this account and Region up as a target of a lobby."""
    with _reported_errors():
        where, lobby = parse_target(account, region), parse_target(lobby_account, lobby_region)
        identity = caller(profile, where.region)
        expect(identity, where.account, where.region)
        stacks = f"{stack_names.TARGET}, {stack_names.ROLE}"
        confirm(identity, f"Set up a target of the lobby {NAMES.key(lobby)} (stacks {stacks}) in", yes)
        target_settings = {
            "account": where.account,
            "region": where.region,
            "externalId": external_id,
            "profiles": [name.strip() for name in profiles.split(",")],
            "createRole": not without_role,
        }
        context = {"lobby": str(lobby), "targets": [target_settings], "lobbyStack": "false"}
        context |= _profiles_context(profiles_from) | _left_things_context(remove_left_things)
        context |= _registry_events_context(registry_events)
        _deploy_target(identity, profile, context, with_role=not without_role)
        typer.echo("\nNext: run checkTarget in the lobby to verify the set-up.")


@app.command(options_metavar="aws [OPTIONS]")
def redrive(
    profile: Profile = None,
    region: AnyRegion = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be redriven.")] = False,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
    yes: Yes = False,
) -> None:
    """Redrive the work in the lobby's on-failure queues. Can be interrupted and repeated."""
    with _reported_errors():
        identity = caller(profile, region)
        if not dry_run:
            confirm(identity, "Redrive the on-failure queues of the lobby in", yes)
        if not start_redrive(identity.session, Target(identity.account, identity.region), dry=dry_run):
            raise typer.Exit(1)


@app.command()
def destroy(
    what: Annotated[str, typer.Argument(help="`aws` (the lobby) or `target`.")],
    profile: Profile = None,
    region: AnyRegion = None,
    keep_devices: Annotated[
        bool,
        typer.Option("--keep-devices", help="Keep devices' certificates, things and policies: they stay connected."),
    ] = False,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
    yes: Yes = False,
) -> None:
    """Remove the devices' registrations from AWS IoT, then the stack. Can be interrupted and repeated. The lobby's
    tables, buckets and users are retained and listed."""
    with _reported_errors():
        if what not in ("aws", "target"):
            raise typer.BadParameter(f"got {what!r}, want aws, target or local")
        identity = caller(profile, region)
        stack = stack_names.LOBBY if what == "aws" else stack_names.TARGET
        devices = "except for its devices" if keep_devices else "with the certificates and things of its devices"
        confirm(identity, f"DELETE the stack {stack} {devices} from", yes)
        here = Target(identity.account, identity.region)
        removal = LobbyRemoval if what == "aws" else TargetRemoval
        removal(identity.session, here, typer.echo).run(keep_devices=keep_devices)


def _keep_earlier_console(identity: Caller) -> None:
    clients: Any = identity.session.client
    problem = earlier_console.keep(clients, Target(identity.account, identity.region))
    if problem:
        typer.echo(f"Pages of the console that are open now may have to be reloaded afterwards: {problem}")


def _endpoint_context(identity: Caller, domain: str | None, certificate: str | None) -> dict[str, str]:
    """Return the account's data-plane endpoint, and the domain in front of it."""
    found = identity.session.client("iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    if domain:
        typer.echo(f"The DNS record of {domain} must be a CNAME to {found}.")
    given = {"domain": domain, "domainCertificate": certificate}
    return {"dataEndpoint": found} | {name: value for name, value in given.items() if value}


def _left_things_context(remove: bool) -> dict[str, str]:
    return {"leftThings": REMOVE} if remove else {}


def _registry_events_context(enabled: bool) -> dict[str, str]:
    return {"registryEvents": "true"} if enabled else {}


def _profiles_context(directory: Path | None) -> dict[str, str]:
    return {"profiles": str(directory)} if directory else {}


def _deploy_target(identity: Caller, profile: str | None, context: dict[str, Any], *, with_role: bool) -> None:
    """Deploy the target's stack, then that of the role. In an earlier version, the first contained the role."""
    where = Target(identity.account, identity.region)
    target_id, role_id = stack_names.target_id(where), stack_names.role_id(where.account)
    cloudformation = identity.session.client("cloudformation")
    elsewhere = role_elsewhere(identity.session, where.region) if with_role else None
    if elsewhere:
        typer.echo(f"The role belongs to the stacks in {elsewhere}, so it is omitted here (--without-role).")
        with_role = False
    if with_role:
        assembly = synthesize("target", context)
        if retain_role(Stack(cloudformation, stack_names.TARGET), assembly, role_id):
            typer.echo("The role moves from the target's stack to its own.")
    _deployed(identity, profile, "target", context, target_id)
    if with_role:
        if is_adoptable(identity.session, where.region):
            _deployed(identity, profile, "target", {**context, "adoptRole": "true"}, role_id)
        _deployed(identity, profile, "target", context, role_id)


def _deployed(
    identity: Caller, profile: str | None, name: str, context: dict[str, Any], *stacks: str
) -> dict[str, str]:
    """Deploy the stacks, by their ids in the app, one after the other, and print and return their outputs."""
    assembly = synthesize(name, context)
    ensure_bootstrapped(identity, profile)
    outputs: dict[str, str] = {}
    for stack in stacks:
        outputs |= deploy(identity, profile, assembly, stack)
    typer.echo("\nOutputs:")
    for key, value in sorted(outputs.items()):
        typer.echo(f"  {key:<18} {value}")
    return outputs


@contextmanager
def _reported_errors() -> Iterator[None]:
    try:
        yield
    except (InfraError, LobbyError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except (BotoCoreError, ClientError) as error:
        print(f"error: AWS_REFUSED: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app(prog_name=os.environ.get(COMMAND_VARIABLE))
