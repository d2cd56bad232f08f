"""Targets as the API shows them: the registered ones, and what a survey of one found.

An external id, and the command that carries it, is shown to admins only.
"""

from collections.abc import Sequence

import strawberry

from admin_api.graphql.context import Context
from admin_api.services import setup_command
from lobby.contracts import Survey
from lobby.domain.target import RegisteredTarget
from lobby.names import Target as TargetName
from lobby.names import parse_target


@strawberry.type(description="An account and Region.")
class Target:
    account: str
    region: str


@strawberry.input(description="An account and Region.")
class TargetInput:
    account: str
    region: str


@strawberry.type(name="RegisteredTarget", description="An account and Region that devices may be sent to.")
class TargetEntry:
    account: str
    region: str
    name: str
    profiles: list[str]
    presence: bool = strawberry.field(
        description="Whether a claim for it counts only once somebody has read the code off the device."
    )
    created_by: str
    created_at: str
    external_id: str | None = strawberry.field(description="For admins; null for everybody else.")
    setup_command: str | None = strawberry.field(
        description="What the target's owner runs; for admins, null for everybody else."
    )


@strawberry.type(description="One thing that was tried in a target.")
class Finding:
    step: str
    ok: bool
    message: str


@strawberry.type(description="What stands and what is missing in a target. Nothing was changed there.")
class TargetCheck:
    account: str
    region: str
    ok: bool = strawberry.field(description="Whether every finding is.")
    endpoint: str | None
    findings: list[Finding]


def shown_target(of: RegisteredTarget, registered: Sequence[RegisteredTarget], context: Context) -> TargetEntry:
    admin = context.caller.is_admin
    lobby = context.services
    command = setup_command(of, registered, lobby.lobby_account, lobby.lobby_region) if admin else None
    return TargetEntry(
        account=of.target.account,
        region=of.target.region,
        name=of.name,
        profiles=list(of.profiles),
        presence=of.presence,
        created_by=of.createdby,
        created_at=of.createdat,
        external_id=of.externalid if admin else None,
        setup_command=command,
    )


def shown_check(target: TargetName, survey: Survey) -> TargetCheck:
    found = [Finding(step=step.step, ok=step.ok, message=step.message) for step in survey.findings]
    return TargetCheck(
        account=target.account, region=target.region, ok=survey.ok, endpoint=survey.endpoint, findings=found
    )


def target_named(given: TargetInput) -> TargetName:
    """Raises `InvalidInput` INVALID_ACCOUNT or INVALID_REGION."""
    return parse_target(given.account, given.region)
