"""The indexes that answer lists of devices, and the choice of those that can answer a filter.

The keys of an index cover a part of the filter. The rest becomes a filter condition of the query, or is applied to the
rows if the index has only keys. Without state, target, name, fingerprint or renewal, the partitions of all states are
merged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lobby.domain.states import State
from lobby.ledger.indexes import NAME_HEAD, PRINT_HEAD, RENEWING
from lobby.ledger.lists.device_filter import TIMESTAMP, Filter, due_before
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, parse_fingerprint, parse_thing_name


@dataclass(frozen=True)
class ListPosition:
    """Where a list continues: in the partitions in `after`, at the range key `value`, after the device with this
    fingerprint (None: from `value` on). All other partitions were read to the end."""

    value: str
    after: Mapping[str, Fingerprint | None]


@dataclass(frozen=True)
class IndexPlan:
    """A way to answer a filter. `field` is the field of the filter that the hash key covers (None: the plan answers any
    filter), and `partitions` returns that key's values. `range_field` is the field that the range key covers, if it is
    given. `keys_only`: the index has no other attributes, so the rows are read from the table."""

    name: str
    index: Any
    hash_key: str
    range_key: str
    field: str | None
    range_field: str
    partitions: Callable[[Filter], tuple[str, ...]]
    keys_only: bool = False

    def start_key(self, partition: str, position: ListPosition) -> dict[str, Any] | None:
        """Return the exclusive start key of a partition's query; None if it has none."""
        certid = position.after.get(partition)
        if certid is None:
            return None
        keys = {"certid": certid, self.range_key: position.value, self.hash_key: partition}
        return {name: {"S": value} for name, value in keys.items()}

    def position_of(self, key: Mapping[str, Any]) -> tuple[str, Fingerprint]:
        """Return range key and fingerprint of an item or a start key in DynamoDB JSON."""
        return str(key[self.range_key]["S"]), Fingerprint(key["certid"]["S"])

    def allows(self, wanted: Filter, position: ListPosition) -> bool:
        """Return whether a list with this filter can continue here. DynamoDB rejects a start key outside the query.
        Raise `InvalidInput` if a value is not one of the ledger's."""
        if not position.after or not set(position.after) <= set(self.partitions(wanted)):
            return False
        if any(certid is not None and parse_fingerprint(certid) != certid for certid in position.after.values()):
            return False
        bound = getattr(wanted, self.range_field)
        if self.range_key == "enteredat":
            return TIMESTAMP.fullmatch(position.value) is not None and (bound is None or position.value < bound)
        [certid] = position.after.values()
        if self.range_key == "renewby":
            return (
                certid is not None and bool(TIMESTAMP.fullmatch(position.value)) and position.value < due_before(bound)
            )
        is_key = certid == position.value if self.range_key == "certid" else certid is not None
        return is_key and position.value.startswith(bound) and parse_thing_name(position.value) == position.value


BY_PRINT: Final = IndexPlan(
    "print",
    LedgerRow.by_print,
    "printhead",
    "certid",
    "fingerprint_prefix",
    "fingerprint_prefix",
    lambda wanted: (str(wanted.fingerprint_prefix)[:PRINT_HEAD],),
    keys_only=True,
)
BY_NAME: Final = IndexPlan(
    "name",
    LedgerRow.by_name,
    "namehead",
    "devicename",
    "name_prefix",
    "name_prefix",
    lambda wanted: (str(wanted.name_prefix)[:NAME_HEAD],),
    keys_only=True,
)
BY_RENEWAL: Final = IndexPlan(
    "renewal",
    LedgerRow.by_renewal,
    "renewal",
    "renewby",
    "renewal",
    "renewal",
    lambda _wanted: (RENEWING,),
    keys_only=True,
)
BY_TARGET: Final = IndexPlan(
    "target",
    LedgerRow.by_target,
    "target",
    "enteredat",
    "target",
    "entered_before",
    lambda wanted: (str(wanted.target),),
)
BY_STATE: Final = IndexPlan(
    "state",
    LedgerRow.by_state,
    "devstate",
    "enteredat",
    "state",
    "entered_before",
    lambda wanted: (str(wanted.state),),
)
ALL: Final = IndexPlan(
    "all",
    LedgerRow.by_state,
    "devstate",
    "enteredat",
    None,
    "entered_before",
    lambda _wanted: tuple(state.value for state in State),
)
_SELECTIVE: Final = (BY_PRINT, BY_NAME, BY_RENEWAL, BY_TARGET, BY_STATE)


def candidates(wanted: Filter) -> tuple[IndexPlan, ...]:
    """Return the plans that can answer the filter. The indexes of states and targets lack the time of a renewal."""
    plans = tuple(plan for plan in _SELECTIVE if getattr(wanted, str(plan.field)) is not None)
    if wanted.renewal is not None:
        return tuple(plan for plan in plans if plan.keys_only)
    return plans or (ALL,)
