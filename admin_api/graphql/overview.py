"""How many devices are where: the counts that the ledger keeps with every transition, put in order for people.

One query, however many devices there are. A total is the sum of the lines beneath it; a technician's targets are
those that they may claim for, while states and reasons are of all devices, which they see in lists, too.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import strawberry

from admin_api.roles import Caller
from lobby.domain.states import State
from lobby.ledger.counts import Tally
from lobby.names import Target

K = TypeVar("K", Target, tuple[str, str])
V = TypeVar("V")
_LIFE: Final = tuple(state.value for state in State)


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
    """`tallies` are of buckets that somebody is in."""
    states: Counter[str] = Counter()
    targets: dict[Target, Counter[str]] = {}
    reasons: Counter[tuple[str, str]] = Counter()
    for tally in tallies:
        bucket = tally.bucket
        states[str(bucket.state)] += tally.count
        if bucket.target is not None and caller.sees(bucket.target):
            targets.setdefault(bucket.target, Counter())[str(bucket.state)] += tally.count
        if bucket.reason is not None:
            reasons[str(bucket.state), bucket.reason] += tally.count
    return Overview(
        total=states.total(),
        states=[StateCount(state=state, count=states[state]) for state in (*_LIFE, *_unknown(states))],
        targets=[_target(target, counted) for target, counted in _most_first(targets.items(), Counter.total)],
        reasons=[
            ReasonCount(state=state, reason=reason, count=count)
            for (state, reason), count in _most_first(reasons.items(), int)
        ],
    )


def _target(target: Target, counted: Counter[str]) -> TargetCount:
    there = [state for state in (*_LIFE, *_unknown(counted)) if state in counted]
    return TargetCount(
        account=target.account,
        region=target.region,
        count=counted.total(),
        states=[StateCount(state=state, count=counted[state]) for state in there],
    )


def _unknown(counted: Counter[str]) -> list[str]:
    return sorted(counted.keys() - set(_LIFE))


def _most_first(lines: Iterable[tuple[K, V]], count: Callable[[V], int]) -> list[tuple[K, V]]:
    """Where there are as many, in the order of what they are."""
    return sorted(lines, key=lambda line: (-count(line[1]), line[0]))
