"""Chooses the index that answers a list with the fewest rows.

With one candidate, nothing is read. Otherwise the counts state how many devices are in the state or target, and
fingerprints are spread evenly. For names and renewals, keys are counted with at most one request, and only if the other
candidates would need more than one request.
"""

import math
from collections.abc import Callable, Iterable
from typing import Final

from lobby.ledger.lists.counts import Tally, read_counts
from lobby.ledger.lists.device_filter import Filter, conditions
from lobby.ledger.lists.index_plan import BY_NAME, BY_PRINT, BY_RENEWAL, BY_STATE, BY_TARGET, IndexPlan, candidates

ONE_REQUEST: Final = 500
"""Rows that one query evaluates at most."""
_UNIQUE: Final = 8
"""Digits of a fingerprint that practically no two devices share."""
_KEY_COST: Final = 5
"""The cost of a row of an index with only keys, relative to a row of another index: half a read unit, because the row
is read from the table."""
_MANY: Final = 0.1
"""The assumed share of all devices that an index of names or renewals selects, if there are too many to count."""
_COUNTED: Final = (BY_NAME, BY_RENEWAL)


def choose(
    wanted: Filter,
    read: Callable[[], Iterable[Tally]] = read_counts,
    count: Callable[[IndexPlan, Filter], int] | None = None,
) -> IndexPlan:
    """Return the plan with the lowest cost. `read` reads the counts; `count` counts the keys that a plan
    reads, at most one more than `ONE_REQUEST`."""
    plans = candidates(wanted)
    if len(plans) == 1 or len(wanted.fingerprint_prefix or "") >= _UNIQUE:
        return plans[0]
    tallies = tuple(read())
    costs = {plan.name: _cost(plan, wanted, tallies) for plan in plans if plan not in _COUNTED}
    if min(costs.values(), default=math.inf) > ONE_REQUEST:
        total = sum(each.count for each in tallies)
        for plan in (each for each in plans if each in _COUNTED):
            keys = (count or keys_of)(plan, wanted)
            costs[plan.name] = _KEY_COST * (keys if keys <= ONE_REQUEST else max(keys, total * _MANY))
    return min((plan for plan in plans if plan.name in costs), key=lambda plan: costs[plan.name])


def keys_of(plan: IndexPlan, wanted: Filter) -> int:
    """Return how many keys the plan reads for the filter, at most one more than `ONE_REQUEST`."""
    [partition] = plan.partitions(wanted)
    return int(plan.index.count(partition, conditions(wanted)[plan.range_field], limit=ONE_REQUEST + 1))


def _cost(plan: IndexPlan, wanted: Filter, tallies: Iterable[Tally]) -> float:
    if plan is BY_PRINT:
        return _KEY_COST * sum(each.count for each in tallies) / 16.0 ** len(wanted.fingerprint_prefix or "")
    if plan is BY_TARGET:
        return sum(each.count for each in tallies if each.bucket.target == wanted.target)
    assert plan is BY_STATE  # noqa: S101
    return sum(each.count for each in tallies if each.bucket.state == wanted.state)
