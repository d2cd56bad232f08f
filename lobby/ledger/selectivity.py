"""Chooses the index that answers a list with the fewest rows.

With one candidate, nothing is read. Otherwise the counts state how many devices are in the state and in the target, and
fingerprints are spread evenly. How many devices have a name is found by counting keys, up to one request, and only if
the other candidates need more than one.
"""

from collections.abc import Callable, Iterable
from typing import Final

from lobby.ledger.counts import Tally, read_counts
from lobby.ledger.device_filter import Filter
from lobby.ledger.index_plan import BY_NAME, BY_PRINT, BY_STATE, BY_TARGET, IndexPlan, candidates
from lobby.ledger.indexes import NAME_HEAD
from lobby.ledger.models import LedgerRow

ONE_REQUEST: Final = 500
"""Rows that one query evaluates at most."""
_UNIQUE: Final = 8
"""Digits of a fingerprint that practically no two devices share."""
_KEY_COST: Final = 5
"""The cost of a row of an index that has only keys, relative to a row of the others: half a read unit, as the row is
read from the table."""
_MANY_NAMES: Final = 0.1
"""The assumed share of all devices that have a name with the prefix, if there are too many to count."""


def choose(
    wanted: Filter,
    read: Callable[[], Iterable[Tally]] = read_counts,
    count_names: Callable[[Filter], int] | None = None,
) -> IndexPlan:
    """Return the plan with the lowest cost. `read` reads the counts; `count_names` counts the names with the filter's
    prefix, at most one more than `ONE_REQUEST`."""
    plans = candidates(wanted)
    if len(plans) == 1 or len(wanted.fingerprint_prefix or "") >= _UNIQUE:
        return plans[0]
    tallies = tuple(read())
    costs = {plan.name: _cost(plan, wanted, tallies) for plan in plans if plan is not BY_NAME}
    if BY_NAME in plans and min(costs.values()) > ONE_REQUEST:
        names = (count_names or names_with)(wanted)
        total = sum(each.count for each in tallies)
        costs[BY_NAME.name] = _KEY_COST * (names if names <= ONE_REQUEST else max(names, total * _MANY_NAMES))
    return min((plan for plan in plans if plan.name in costs), key=lambda plan: costs[plan.name])


def names_with(wanted: Filter) -> int:
    """Return how many devices have a name with the filter's prefix, at most one more than `ONE_REQUEST`."""
    prefix = str(wanted.name_prefix)
    found = LedgerRow.by_name.count(prefix[:NAME_HEAD], LedgerRow.devicename.startswith(prefix), limit=ONE_REQUEST + 1)
    return int(found)


def _cost(plan: IndexPlan, wanted: Filter, tallies: Iterable[Tally]) -> float:
    if plan is BY_PRINT:
        return _KEY_COST * sum(each.count for each in tallies) / 16.0 ** len(wanted.fingerprint_prefix or "")
    if plan is BY_TARGET:
        return sum(each.count for each in tallies if each.bucket.target == wanted.target)
    assert plan is BY_STATE  # noqa: S101
    return sum(each.count for each in tallies if each.bucket.state == wanted.state)
