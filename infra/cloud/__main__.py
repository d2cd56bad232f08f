"""The command line for AWS: deploy the lobby (`aws`) or a target account (`target`), `redrive`, `destroy`.

Exit status: 0 success, 1 failed or not confirmed, 2 invalid use.
"""

import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from infra import stack_names
from infra.bundling import earlier_console
from infra.cloud import command_options, contexts, index_upgrade, lobby_regions, quotas, region_trust, removals
from infra.cloud.account import Caller, caller, confirm, expect, require_region_without_lobby
from infra.cloud.cdk import deploy, ensure_bootstrapped, synthesize
from infra.cloud.first_admin import invite
from infra.cloud.imported_tables import prepare as prepare_tables
from infra.cloud.reported_errors import reported_errors
from infra.cloud.role_upgrade import is_adoptable, retain_role, role_elsewhere
from infra.cloud.user_pool import ensure_groups, supplied_pool
from infra.lobby_id import LobbyIdOption
from infra.options import COMMAND_VARIABLE, ProfilesFrom
from infra.redrive.start import redrive as start_redrive
from infra.teardown.lobby import start_admissions
from infra.teardown.stacks import Stack
from lobby.deployment import NAMES
from lobby.domain.claims.claim_limits import DEFAULT_LIMITS
from lobby.domain.connections.clones import ClonePolicy
from lobby.names import Region, Target, parse_target

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

_NEW = (None, "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")
"""The states of a stack that has never been created completely."""


@app.command()
def aws(  # noqa: PLR0913, PLR0917  # a parameter for each option
    profile: command_options.Profile = None,
    region: command_options.AnyRegion = None,
    admin_email: command_options.AdminEmail = None,
    log_retention_days: command_options.LogRetentionDays = 30,
    anchor_days: command_options.AnchorDays = 3650,
    archive_days: command_options.ArchiveDays = None,
    registry_events: command_options.RegistryEvents = False,
    signing_key: command_options.SigningKeys = None,
    profiles_from: ProfilesFrom = None,
    registrations_per_second: command_options.RegistrationsPerSecond = 10,
    campaign_approval_above: command_options.CampaignApprovalAbove = 1000,
    claim_limits: command_options.ClaimLimits = DEFAULT_LIMITS,
    clone_policy: command_options.ClonePolicyOption = ClonePolicy.FLAG,
    user_pool: command_options.UserPool = None,
    domain: command_options.Domain = None,
    domain_certificate: command_options.DomainCertificate = None,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
    remove_left_things: command_options.RemoveLeftThings = False,
    regions: command_options.Regions = None,
    remove_region: command_options.RemoveRegion = None,
    yes: command_options.Yes = False,
) -> None:
    """Deploy the lobby to this account and Region."""
    with reported_errors():
        all_regions = lobby_regions.parse_regions(regions)
        identity = caller(profile, region or next(iter(all_regions), None))
        lobby_regions.require_first(identity.region, all_regions)
        others = [caller(profile, each) for each in all_regions[1:]]
        stack = Stack(identity.session.client("cloudformation"), stack_names.LOBBY)
        pool = supplied_pool(identity, user_pool, stack)
        _report_quotas(identity, others, registrations_per_second)
        typer.echo(f"No one can delete the notary's anchors and their bucket for {anchor_days} days (--anchor-days).")
        removed = removals.Removed.of(profile, remove_region)
        steps = lobby_regions.steps(identity.session, all_regions, removed.region)
        removed.require_released(identity, typer.echo)
        for other in others:
            typer.echo(f"The lobby gets a stack, and replicas of its tables, in {other.region}, too.")
        confirm(identity, f"Deploy the lobby (stack {stack_names.LOBBY}) to", yes)
        removed.unprotect(typer.echo)
        context = {"lobby": f"{identity.account}/{identity.region}", "claimLimits": claim_limits}
        context["clonePolicy"] = clone_policy
        context |= contexts.retention_context(log_retention_days, anchor_days, archive_days)
        context |= contexts.limits_context(registrations_per_second, campaign_approval_above)
        context |= contexts.profiles_context(profiles_from) | contexts.signing_keys_context(signing_key)
        context |= contexts.endpoint_context(identity, domain, domain_certificate)
        context |= contexts.left_things_context(remove_left_things) | (pool.context if pool else {})
        context |= contexts.registry_events_context(registry_events) | contexts.iot_logs_context(identity, stack)
        outputs = _deploy_first_region(profile, identity, stack, context, steps)
        _deploy_other_regions(profile, identity, others, context | lobby_regions.context_of(steps[-1]))
        if pool:
            ensure_groups(identity.session.client("cognito-idp"), pool.id)
        if admin_email:
            typer.echo(invite(identity.session.client("cognito-idp"), outputs["UserPoolId"], admin_email))
        for line in lobby_regions.next_steps(identity.account, profile, steps[:-1], steps[-1]):
            typer.echo(f"\n{line}")


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
    profile: command_options.Profile = None,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
    remove_left_things: command_options.RemoveLeftThings = False,
    registry_events: command_options.RegistryEvents = False,
    lobby_regions_: command_options.LobbyRegions = None,
    yes: command_options.Yes = False,
) -> None:
    """Set this account and Region up as a target of a lobby."""
    with reported_errors():
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
        context |= contexts.profiles_context(profiles_from) | contexts.left_things_context(remove_left_things)
        context |= contexts.registry_events_context(registry_events)
        of_lobby = lobby_regions.parse_regions(lobby_regions_)
        lobby_regions.require_first(lobby.region, of_lobby)
        context |= lobby_regions.context_of(of_lobby)
        _deploy_target(identity, profile, context, with_role=not without_role)
        typer.echo("\nNext: run checkTarget in the lobby to verify the set-up.")


@app.command(options_metavar="aws [OPTIONS]")
def redrive(
    profile: command_options.Profile = None,
    region: command_options.AnyRegion = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be redriven.")] = False,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
    yes: command_options.Yes = False,
) -> None:
    """Redrive the work in the lobby's on-failure queues. Can be interrupted and repeated."""
    with reported_errors():
        identity = caller(profile, region)
        if not dry_run:
            confirm(identity, "Redrive the on-failure queues of the lobby in", yes)
        if not start_redrive(identity.session, Target(identity.account, identity.region), dry=dry_run):
            raise typer.Exit(1)


@app.command()
def destroy(
    what: Annotated[str, typer.Argument(help="`aws` (the lobby) or `target`.")],
    profile: command_options.Profile = None,
    region: command_options.AnyRegion = None,
    regions: command_options.RemovedRegions = None,
    keep_devices: Annotated[
        bool,
        typer.Option("--keep-devices", help="Keep devices' certificates, things and policies: they stay connected."),
    ] = False,
    lobby_id: LobbyIdOption = None,  # noqa: ARG001  # checked; the names have it
    yes: command_options.Yes = False,
) -> None:
    """Remove the devices' registrations from AWS IoT, then the stack. Can be interrupted and repeated. The lobby's
    tables, buckets and users are retained and listed."""
    with reported_errors():
        if what not in ("aws", "target"):
            raise typer.BadParameter(f"got {what!r}, want aws, target or local")
        all_regions = lobby_regions.parse_regions(regions)
        if all_regions and what != "aws":
            raise typer.BadParameter("got --regions for a target, want --region")
        identity = caller(profile, region or next(iter(all_regions), None))
        lobby_regions.require_first(identity.region, all_regions)
        removal = removals.removal(what, profile, identity, all_regions, typer.echo)
        stack = stack_names.LOBBY if what == "aws" else stack_names.TARGET
        devices = "except for its devices" if keep_devices else "with the certificates and things of its devices"
        where = f" in {', '.join(all_regions)}" if all_regions else ""
        confirm(identity, f"DELETE the stack {stack}{where} {devices} from", yes)
        removal.run(keep_devices=keep_devices)


def _report_quotas(first: Caller, others: Sequence[Caller], rate: int) -> None:
    for each in (first, *others):
        where = f" in {each.region}" if others else ""
        for line in quotas.report(each.session, rate):
            typer.echo(f"quota{where}: {line}")


def _deploy_first_region(
    profile: str | None, identity: Caller, stack: Stack, context: dict[str, Any], steps: Sequence[Sequence[Region]]
) -> dict[str, str]:
    """Deploy the lobby's stack in the first Region, in several updates if its indexes or replicas need them. Return its
    outputs. `steps` are the Regions of each update; the first are the deployed Regions."""
    _keep_earlier_console(identity)
    is_new = stack.status() in _NEW
    if is_new:
        require_region_without_lobby(identity)
    indexes = index_upgrade.earlier_steps(identity.session, is_new=is_new)
    updates = lobby_regions.updates(indexes, steps)
    if is_new:
        # Without protection, so that a failed first deployment is rolled back completely.
        _, first = updates.pop(0) if updates else ("", lobby_regions.context_of(steps[0]))
        _deployed(identity, profile, "aws", {**context, **first, "protect": "false"}, stack_names.LOBBY)
    for number, (why, step) in enumerate(updates, 1):
        typer.echo(f"\n{why}: update {number} of {len(updates) + 1}.")
        if lobby_regions.NEW in step:
            where = Target(identity.account, identity.region)
            prepare_tables(identity.session.client("dynamodb"), where, typer.echo)
        _deployed(identity, profile, "aws", {**context, **step}, stack_names.LOBBY)
    outputs = _deployed(identity, profile, "aws", context | lobby_regions.context_of(steps[-1]), stack_names.LOBBY)
    start_admissions(identity.session)
    return outputs


def _deploy_other_regions(
    profile: str | None, first: Caller, others: Sequence[Caller], context: dict[str, Any]
) -> None:
    """Deploy the stacks of the other Regions, each with its own endpoint and users, and make the first home. A domain
    and a supplied user pool belong to the first Region."""

    def deploy_one(other: Caller, own: dict[str, Any]) -> None:
        typer.echo(f"\nThe lobby's stack in {other.region}:")
        stack = Stack(other.session.client("cloudformation"), stack_names.LOBBY)
        own |= contexts.endpoint_context(other, None, None) | contexts.iot_logs_context(other, stack)
        if pool := supplied_pool(other, None, stack):
            own |= pool.context
        _keep_earlier_console(other)
        if stack.status() in _NEW:
            require_region_without_lobby(other)
            _deployed(other, profile, f"aws-{other.region}", {**own, "protect": "false"}, stack_names.LOBBY)
        _deployed(other, profile, f"aws-{other.region}", own, stack_names.LOBBY)
        start_admissions(other.session)

    if others:
        of_first = ("domain", "domainCertificate", "userPoolId", "loginUrl", "iotLogs")
        shared = {name: value for name, value in context.items() if name not in of_first}
        lobby_regions.deploy_others(others, shared, deploy_one)
        lobby_regions.begin(first)
        for line in region_trust.report([first, *others]):
            typer.echo(f"\n{line}")


def _keep_earlier_console(identity: Caller) -> None:
    clients: Any = identity.session.client
    problem = earlier_console.keep(clients, Target(identity.account, identity.region))
    if problem:
        typer.echo(f"Pages of the console that are open now may have to be reloaded afterwards: {problem}")


def _deploy_target(identity: Caller, profile: str | None, context: dict[str, Any], *, with_role: bool) -> None:
    """Deploy the target's stack, then the role's stack. In an earlier version, the target's stack contained the
    role."""
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


if __name__ == "__main__":
    app(prog_name=os.environ.get(COMMAND_VARIABLE))
