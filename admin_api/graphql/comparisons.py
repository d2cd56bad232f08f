"""The type for the daily comparison of each target: the current one, the last complete one, and the reason why a later
one failed."""

import strawberry

from admin_api.graphql.context import Context
from lobby.domain.targets.comparison_state import ComparisonState, Result, Work
from lobby.ledger.targets.comparisons import read_states
from lobby.names import Target


@strawberry.type(description="A complete comparison of a target with the ledger.")
class CompleteComparison:
    began_at: str = strawberry.field(description="When it began.")
    completed_at: str = strawberry.field(description="When it was complete.")
    compared: int = strawberry.field(description="The number of devices that were compared with the target's lists.")
    examined: int = strawberry.field(description="The number of devices that were read one by one.")
    differences: int = strawberry.field(description="The number of differences.")
    unexamined: int = strawberry.field(
        description="Devices for which the lists differ from the ledger and that were left for the next comparison,"
        " because there were too many. They may differ. The next comparison begins with them."
    )
    missing: int = strawberry.field(description="The number of devices that do not exist in the target.")
    empty: bool = strawberry.field(
        description="Whether the target contains none of its devices, as after it was rebuilt: retry all of them."
    )
    days: int = strawberry.field(
        description="The number of days within which each device is looked up once. Attachments, groups and renewed"
        " certificates are in no list, so a difference in them is found within this time."
    )
    by_device: bool = strawberry.field(
        description="Whether the target's role does not allow lists, so that every device was looked up."
    )


@strawberry.type(description="A comparison in progress.")
class RunningComparison:
    began_at: str = strawberry.field(description="When it began.")
    step: str = strawberry.field(
        description="ledger, certificates, policy:<profile> or things while lists are read; then compare, or devices if"
        " the target's role does not allow lists."
    )
    listed: int = strawberry.field(description="Devices to compare that were found in the ledger so far.")
    compared: int = strawberry.field(description="Devices that were compared so far.")
    examined: int = strawberry.field(description="The number of devices that were read one by one so far.")
    differences: int = strawberry.field(description="Found so far. The comparison is not complete.")


@strawberry.type(description="Why the latest comparison of a target was not completed.")
class FailedComparison:
    at: str = strawberry.field(description="When it was stopped.")
    code: str = strawberry.field(
        description="Why: TARGET_ROLE_DENIED, TARGET_PERMISSION_MISSING, TARGET_UNREACHABLE, TARGET_REGION_DISABLED,"
        " TARGET_LIMIT, UNKNOWN_TARGET, INTERNAL, or NOT_FINISHED after two days."
    )
    message: str = strawberry.field(description="The answer of AWS, with advice.")


@strawberry.type(description="The state of a target's comparison. Without `last` there is no result.")
class TargetComparison:
    account: str = strawberry.field(description="The AWS account of the target.")
    region: str = strawberry.field(description="The AWS Region of the target.")
    running: RunningComparison | None = strawberry.field(
        description="The comparison in progress; null if there is none."
    )
    last: CompleteComparison | None = strawberry.field(
        description="The last complete comparison; null if there is none."
    )
    failed: FailedComparison | None = strawberry.field(
        description="A comparison after `last` that failed; null if `last` is the latest."
    )


def comparisons(context: Context) -> list[TargetComparison]:
    """Return the comparison of each registered target."""
    states = read_states(each.target for each in context.services.targets.all())
    return [_comparison(target, state) for target, state in states.items()]


def _comparison(target: Target, state: ComparisonState) -> TargetComparison:
    failure = state.failure
    return TargetComparison(
        account=target.account,
        region=target.region,
        running=_running(state.work) if state.work else None,
        last=_complete(state.last) if state.last else None,
        failed=FailedComparison(at=failure.at, code=failure.code, message=failure.message) if failure else None,
    )


def _running(work: Work) -> RunningComparison:
    return RunningComparison(
        began_at=work.began,
        step=work.step,
        listed=work.listed,
        compared=work.compared,
        examined=work.examined,
        differences=work.differences,
    )


def _complete(result: Result) -> CompleteComparison:
    return CompleteComparison(
        began_at=result.began,
        completed_at=result.completed,
        compared=result.compared,
        examined=result.examined,
        differences=result.differences,
        unexamined=result.unexamined,
        missing=result.missing,
        empty=result.is_empty,
        days=result.days,
        by_device=result.by_device,
    )
