"""Types for targets: registered targets, and the result of checking one.

Only admins get the ExternalId and the setup command that contains it.
"""

from collections.abc import Sequence

import strawberry

from admin_api.graphql.clones import ClonePolicy
from admin_api.graphql.context import Context, Info, computed
from admin_api.graphql.value_lists import one_of
from admin_api.operations.target_registration import setup_command
from lobby.contracts.targets import Survey
from lobby.domain.lanes.lane import lane_to
from lobby.domain.lanes.lane_pace import LanePace
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.standby.standby_rules import asked_by, campaign_name, parse_work
from lobby.domain.targets import target as ledger
from lobby.ledger.clock import now
from lobby.ledger.standby.standbys import counts_of
from lobby.names import Target as TargetName
from lobby.names import parse_target


@strawberry.type(description="An account and Region.")
class Target:
    account: str = strawberry.field(description="The AWS account: 12 digits.")
    region: str = strawberry.field(description="The AWS Region, such as eu-west-1.")


@strawberry.input(description="An account and Region.")
class TargetInput:
    account: str = strawberry.field(description="The AWS account: 12 digits.")
    region: str = strawberry.field(description="The AWS Region, such as eu-west-1.")


@strawberry.type(description="The queue of a target: claims are carried out in order, at the target's rate.")
class Lane:
    waiting: int = strawberry.field(description="How many claimed devices wait.")
    pace: float = strawberry.field(
        description="The current number of devices per second; lower than the rate if AWS throttles."
    )
    paused_by: str | None = strawberry.field(
        description="The user who has paused the target; null if it is not paused."
    )
    paused_at: str | None = strawberry.field(description="When the target was paused; null if it is not.")
    silent_since: str | None = strawberry.field(
        description="The time since which the target does not answer; null if it answers."
    )
    progress_at: str | None = strawberry.field(description="When a device was last commissioned or cleared.")


@strawberry.type(description="The standby of a target. The devices use it while the target is evacuated.")
class Standby:
    target: Target = strawberry.field(description="The standby.")
    certificates: str = strawberry.field(
        description=f"The state of certificates there before an evacuation. {one_of(StandbyMode)}"
    )
    placed: int = strawberry.field(description="How many devices are registered in the target.")
    prepared: int = strawberry.field(description="How many of these are registered in the standby, too.")
    evacuated_at: str | None = strawberry.field(
        description="When the target was evacuated; null if it is not evacuated."
    )
    away: int = strawberry.field(
        description="The number of devices that have gone to the standby and have not returned."
    )
    left: int = strawberry.field(description="The number of devices that the ledger still shows in the target.")
    asked_by: str | None = strawberry.field(
        description="The user who requested an evacuation that waits for a second user; null if there is none."
    )
    campaign: str | None = strawberry.field(
        description="The current or latest campaign that prepares, evacuates or returns the devices."
    )


@strawberry.type(description="An account and Region that devices can be claimed for.")
class RegisteredTarget:
    registered: strawberry.Private[ledger.RegisteredTarget]

    id: strawberry.ID = strawberry.field(description="Identifies the target in caches: account/Region.")
    account: str = strawberry.field(description="The AWS account: 12 digits.")
    region: str = strawberry.field(description="The AWS Region, such as eu-west-1.")
    name: str = strawberry.field(description="The name, unique among the targets.")
    profiles: list[str] = strawberry.field(description="The names of the profiles that a claim can choose from.")
    presence: bool = strawberry.field(
        description="Whether a claim must be confirmed with the presence code that the device shows."
    )
    rate: float = strawberry.field(description="The maximum number of devices that are commissioned per second.")
    clones: ClonePolicy = strawberry.field(
        description="The policy for devices whose certificates seem to be in use twice."
    )
    created_by: str = strawberry.field(description="Who registered the target.")
    created_at: str = strawberry.field(description="When the target was registered.")
    archived_at: str | None = strawberry.field(
        description="When the target was archived; null for a target that accepts claims."
    )
    external_id: str | None = strawberry.field(description="The ExternalId of the role; null for non-admins.")
    setup_command: str | None = strawberry.field(
        description="The command that the target's owner runs; null for non-admins."
    )

    @computed("The standby of the target, with the counts of its devices; null for a target without one.")
    def standby(self, info: Info) -> Standby | None:
        registered = self.registered
        if registered.standby is None:
            return None
        counts, last = counts_of(registered.target, info.context.tallies), registered.last_work
        return Standby(
            target=Target(account=registered.standby.account, region=registered.standby.region),
            certificates=registered.standby_mode.value,
            placed=counts.placed,
            prepared=counts.prepared,
            evacuated_at=registered.evacuated_at,
            away=counts.away,
            left=counts.left,
            asked_by=asked_by(registered, now()),
            campaign=campaign_name(parse_work(last), registered.target) if last else None,
        )

    @computed("The state of the target's lane.")
    def lane(self, info: Info) -> Lane:
        target, forecasts = self.registered.target, info.context.forecasts
        state = forecasts.state(lane_to(target))
        return Lane(
            waiting=forecasts.waiting_for(target),
            pace=LanePace.of(self.registered.rate, state.pace).current,
            paused_by=state.paused_by,
            paused_at=state.paused_at,
            silent_since=state.silent_since,
            progress_at=state.progress_at,
        )


@strawberry.type(description="The result of one check in a target.")
class Finding:
    step: str = strawberry.field(description="The checked part, such as the role or one permission.")
    ok: bool = strawberry.field(description="Whether the check succeeded.")
    message: str = strawberry.field(description="The result, with advice if the check failed.")


@strawberry.type(description="The result of checking a target. The check changes nothing.")
class TargetCheck:
    account: str = strawberry.field(description="The AWS account of the target.")
    region: str = strawberry.field(description="The AWS Region of the target.")
    ok: bool = strawberry.field(description="Whether every finding is ok.")
    endpoint: str | None = strawberry.field(
        description="The IoT endpoint that devices are sent to; null if it could not be read."
    )
    findings: list[Finding] = strawberry.field(description="The result of each check.")


@strawberry.type(description="One entry of a target's history.")
class TargetEntry:
    at: str = strawberry.field(description="When it was done; ISO 8601, UTC.")
    actor: str = strawberry.field(description="Who did it: `user:` and a name.")
    event: str = strawberry.field(description=f"The event. {one_of(ledger.TargetEvent)}")
    detail: str = strawberry.field(description="A description of the change.")


def entry_from(entry: ledger.TargetEntry) -> TargetEntry:
    return TargetEntry(at=entry.at, actor=entry.actor, event=entry.event.value, detail=entry.detail)


def target_from(
    target: ledger.RegisteredTarget, registered: Sequence[ledger.RegisteredTarget], context: Context
) -> RegisteredTarget:
    """Return `target` as the caller may see it. `registered` are all targets; the setup command depends on them."""
    is_admin = context.caller.is_admin
    return RegisteredTarget(
        registered=target,
        id=strawberry.ID(str(target.target)),
        account=target.target.account,
        region=target.target.region,
        name=target.name,
        profiles=list(target.profiles),
        presence=target.presence,
        rate=target.rate,
        clones=ClonePolicy(ledger.shown_policy(target.clones)),
        created_by=target.createdby,
        created_at=target.createdat,
        archived_at=target.archivedat,
        external_id=target.externalid if is_admin else None,
        setup_command=setup_command(target, registered, context.services) if is_admin else None,
    )


def check_from(target: TargetName, survey: Survey) -> TargetCheck:
    findings = [Finding(step=each.step, ok=each.ok, message=each.message) for each in survey.findings]
    return TargetCheck(
        account=target.account, region=target.region, ok=survey.ok, endpoint=survey.endpoint, findings=findings
    )


def target_named(argument: TargetInput) -> TargetName:
    """Return the target of an argument. Raise `InvalidInput` INVALID_ACCOUNT or INVALID_REGION."""
    return parse_target(argument.account, argument.region)
