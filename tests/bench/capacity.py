"""What DynamoDB bills for an item, from its size: the cross-check of what the emulator says it consumed.

The sizes are those of the developer guide ("DynamoDB item sizes and formats") and the units those of "DynamoDB
capacity mode": 4 kB a read unit, halved where reading eventually consistently; 1 kB a write unit, doubled in a
transaction. A query is billed for the sum of what it reads, rounded up once.
"""

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

READ_UNIT: Final = 4096
WRITE_UNIT: Final = 1024
_NESTED: Final = 3
"""What a list or a map takes beside its elements, each of which takes one more."""


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item in DynamoDB's JSON."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return _number_bytes(value)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return _NESTED + sum(1 + _value_bytes(each) for each in value)
        case "M":
            return _NESTED + sum(1 + len(name.encode()) + _value_bytes(each) for name, each in value.items())
    raise ValueError(f"got attribute type {kind!r}, want S, N, BOOL, NULL, L or M, which is what the ledger has")


def _number_bytes(text: str) -> int:
    """Two digits a byte and one for the exponent ("approximately", says the guide)."""
    digits = Decimal(text).normalize().as_tuple().digits
    return math.ceil(len(digits) / 2) + 1


def query_units(items: Iterable[Mapping[str, Any]], *, consistent: bool = False) -> float:
    """Of a query that read these items, as the index or the table holds them."""
    return _read_units(sum(map(item_bytes, items)), consistent=consistent)


def _read_units(size: int, *, consistent: bool) -> float:
    return max(1, math.ceil(size / READ_UNIT)) * (1.0 if consistent else 0.5)
