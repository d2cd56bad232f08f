"""How many devices are where: the counts that the ledger keeps with every transition, put in order for people.

One query of a few dozen rows, however many devices there are. What is asked a moment after a change may not yet
show it.
"""

from collections import Counter
from collections.abc import Iterable

import strawberry

from admin_api.roles import Caller
from lobby.ledger.counts import Tally
from lobby.ledger.states import State
from lobby.names import Target

_WITH_REASON = (State.FAILED, State.REFUSED)


@strawberry.type
class StateCount:
    state: str
    count: int


@strawberry.type(description="The devices claimed for a target.")
class TargetCount:
    account: str
    region: str
    count: int
    states: list[StateCount] = strawberry.field(description="Without those that no device is in.")


@strawberry.type
class ReasonCount:
    state: str
    reason: str
    count: int


@strawberry.type(description="How many devices are where.")
class Overview:
    total: int
    states: list[StateCount] = strawberry.field(description="Every state, in the order of a device's life.")
    targets: list[TargetCount] = strawberry.field(
        description="Most devices first; for a technician, those that they may claim for."
    )
    reasons: list[ReasonCount] = strawberry.field(description="Of failed and refused devices, most first.")


def overview_of(tallies: Iterable[Tally], caller: Caller) -> Overview:
    """The counts of one bucket are added up. A total is the sum of the lines shown beneath it."""
    states: Counter[State] = Counter()
    targets: dict[Target, Counter[State]] = {}
    reasons: Counter[tuple[State, str]] = Counter()
    for tally in tallies:
        bucket = tally.bucket
        states[bucket.state] += tally.count
        if bucket.target is not None and caller.sees(bucket.target):
            targets.setdefault(bucket.target, Counter())[bucket.state] += tally.count
        if bucket.reason is not None and bucket.state in _WITH_REASON:
            reasons[bucket.state, bucket.reason] += tally.count
    return Overview(
        total=sum((+states).values()),
        states=[StateCount(state=state.value, count=max(0, states[state])) for state in State],
        targets=_targets(targets),
        reasons=_reasons(+reasons),
    )


def _targets(counted: dict[Target, Counter[State]]) -> list[TargetCount]:
    found = [
        TargetCount(
            account=target.account, region=target.region, count=sum((+states).values()),
            states=[StateCount(state=state.value, count=states[state]) for state in State if states[state] > 0],
        )
        for target, states in sorted(counted.items())
    ]  # fmt: skip
    return sorted((line for line in found if line.count), key=lambda line: line.count, reverse=True)


def _reasons(counted: Counter[tuple[State, str]]) -> list[ReasonCount]:
    ordered = sorted(counted.items(), key=lambda line: (-line[1], line[0]))
    return [ReasonCount(state=state.value, reason=reason, count=count) for (state, reason), count in ordered]
