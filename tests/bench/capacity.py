"""Compute what DynamoDB bills from item sizes. The benchmark compares it with the consumption the emulator reports.

Sizes follow the developer guide ("DynamoDB item sizes and formats"), units follow "DynamoDB capacity mode": a read unit
is 4 kB, and half a unit for an eventually consistent read. A query is billed for the sum of the items it reads, rounded
up once.
"""

import base64
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

READ_UNIT: Final = 4096
_NESTED: Final = 3
"""Bytes that a list or a map takes in addition to its elements, each of which takes one more."""


def item_bytes(item: Mapping[str, Any]) -> int:
    """Return the size of an item in DynamoDB's JSON format. Raise `ValueError` for types that the ledger lacks."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return _number_bytes(value)
        case "B":
            return len(value) if isinstance(value, bytes) else len(base64.b64decode(value))
        case "BOOL" | "NULL":
            return 1
        case "L":
            return _NESTED + sum(1 + _value_bytes(each) for each in value)
        case "M":
            return _NESTED + sum(1 + len(name.encode()) + _value_bytes(each) for name, each in value.items())
    raise ValueError(f"got attribute type {kind!r}, want S, N, B, BOOL, NULL, L or M, which the ledger uses")


def _number_bytes(text: str) -> int:
    """Return one byte for two digits and one for the exponent (the guide: "approximately")."""
    digits = Decimal(text).normalize().as_tuple().digits
    return math.ceil(len(digits) / 2) + 1


def query_units(items: Iterable[Mapping[str, Any]], *, consistent: bool = False) -> float:
    """Return the read units of a query that read these items of a table or an index."""
    units = max(1, math.ceil(sum(map(item_bytes, items)) / READ_UNIT))
    return units * (1.0 if consistent else 0.5)
