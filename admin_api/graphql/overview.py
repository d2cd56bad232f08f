"""The overview: device counts by state, by target and by reason, from the counts that the ledger maintains.

It costs a few queries, however many devices there are. A technician gets only the targets that they may claim for.
States and reasons cover all devices, because a technician can also list all devices.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import strawberry

from admin_api.graphql.context import computed
from admin_api.graphql.renewals import RenewalOverview, renewal_overview
from admin_api.graphql.value_lists import STATES
from admin_api.roles import Caller
from lobby.domain.states import State
from lobby.ledger.lists.counts import Tally
from lobby.names import Target

K = TypeVar("K", Target, tuple[str, str])
V = TypeVar("V")
_STATES: Final = tuple(state.value for state in State)


@strawberry.type(description="The number of devices in a state.")
class StateCount:
    state: str = strawberry.field(description=f"The state. {STATES} A newer version of the lobby can add values.")
    count: int = strawberry.field(description="The number of devices.")


@strawberry.type(description="The number of devices claimed for a target.")
class TargetCount:
    account: str = strawberry.field(description="The AWS account of the target.")
    region: str = strawberry.field(description="The AWS Region of the target.")
    count: int = strawberry.field(description="The number of devices in all states.")
    states: list[StateCount] = strawberry.field(description="Counts by state, without states that have no device.")


@strawberry.type(description="The number of devices in a state with a reason.")
class ReasonCount:
    state: str = strawberry.field(
        description="The state: failed, refused or quarantined; any other one only with CLONE_SUSPECTED."
    )
    reason: str = strawberry.field(description="The reason code, as in `Device.reason`.")
    count: int = strawberry.field(description="The number of devices.")


@strawberry.type(description="Device counts.")
class Overview:
    total: int = strawberry.field(description="The number of devices in all states.")
    states: list[StateCount] = strawberry.field(description="Every state, in lifecycle order.")
    targets: list[TargetCount] = strawberry.field(
        description="Counts by target, highest first. A technician gets the targets that they may claim for."
    )
    reasons: list[ReasonCount] = strawberry.field(
        description="Counts of failed, refused, quarantined and suspected devices, highest first."
    )

    @computed(
        "The results of the last daily round about certificates, CAs and revocation lists; null before the first round."
    )
    def renewals(self) -> RenewalOverview | None:
        return renewal_overview()


def overview_of(tallies: Iterable[Tally], caller: Caller) -> Overview:
    """Return the overview of `tallies`, which are the counts above 0."""
    states: Counter[str] = Counter()
    targets: dict[Target, Counter[str]] = {}
    reasons: Counter[tuple[str, str]] = Counter()
    for tally in tallies:
        bucket = tally.bucket
        states[str(bucket.state)] += tally.count
        if bucket.target is not None and caller.may_list(bucket.target):
            targets.setdefault(bucket.target, Counter())[str(bucket.state)] += tally.count
        if bucket.reason is not None:
            reasons[str(bucket.state), bucket.reason] += tally.count
    return Overview(
        total=states.total(),
        states=[StateCount(state=state, count=states[state]) for state in (*_STATES, *_unknown_states(states))],
        targets=[_target_count(target, counts) for target, counts in _highest_first(targets.items(), Counter.total)],
        reasons=[
            ReasonCount(state=state, reason=reason, count=count)
            for (state, reason), count in _highest_first(reasons.items(), int)
        ],
    )


def _target_count(target: Target, counts: Counter[str]) -> TargetCount:
    states = [state for state in (*_STATES, *_unknown_states(counts)) if state in counts]
    return TargetCount(
        account=target.account,
        region=target.region,
        count=counts.total(),
        states=[StateCount(state=state, count=counts[state]) for state in states],
    )


def _unknown_states(counts: Counter[str]) -> list[str]:
    """Return the states that only a newer version of the lobby knows."""
    return sorted(counts.keys() - set(_STATES))


def _highest_first(items: Iterable[tuple[K, V]], count: Callable[[V], int]) -> list[tuple[K, V]]:
    """Sort by count, then by key."""
    return sorted(items, key=lambda item: (-count(item[1]), item[0]))
