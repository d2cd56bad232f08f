"""The only reader for external JSON: messages of devices and of AWS, requests, responses, cursors and files.

Python's `json` accepts texts that are not JSON (RFC 8259) or that other code cannot handle: NaN and Infinity, integers
of any length, which take quadratic time to convert, floats that no date or database can hold (1e300), any depth,
halves of surrogate pairs, which no UTF-8 text can hold (``"\\ud800"``), and repeated names in an object, of which one
reader uses the first and another the last. These raise a `ValueError`, like other invalid JSON. Standard library only.
"""

import json
import math
import re
from collections import Counter
from typing import Any, Final, NoReturn

from lobby.names import shown

MAX_NUMBER: Final = 2**64
"""Bound of the magnitude of numbers: 64-bit integers, signed or not, are accepted."""
MAX_DEPTH: Final = 64
"""Levels of nested objects and lists: twice the limit of a configuration, because envelopes contain configurations."""
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_MAX_DIGITS: Final = 400
"""The maximum length of a number. The shortest text of every double is shorter."""


class RepeatedName(ValueError):
    """A name occurs twice in an object."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._name = name

    def __str__(self) -> str:
        return self.text("an object")

    def text(self, where: str) -> str:
        """Return the message. `where` describes the object."""
        return f"got {shown(self._name)} twice in {where}, want each name once"


def loads(content: str | bytes) -> Any:
    """Return the value of a JSON text. Raise `ValueError` for anything else, never another exception."""
    try:
        value = json.loads(
            content, parse_constant=_constant, parse_int=_integer, parse_float=_float, object_pairs_hook=_object
        )
    except RecursionError:
        raise ValueError(f"JSON nested deeper than {MAX_DEPTH}") from None
    if nested_deeper(value, MAX_DEPTH):
        raise ValueError(f"JSON nested deeper than {MAX_DEPTH}")
    _check_texts(value)
    return value


def nested_deeper(value: object, levels: int) -> bool:
    """Return whether objects and lists in `value` are nested more than `levels` deep. Does not recurse."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [inner for one in layer for inner in _inside(one)]
    return bool(layer)


def _check_texts(value: object) -> None:
    """Raise `ValueError` if a text in `value`, at most `MAX_DEPTH` deep, has half of a surrogate pair."""
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            raise ValueError("got half of a surrogate pair in a text, want Unicode characters")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        [(twice, _)] = Counter(name for name, _ in members).most_common(1)
        raise RepeatedName(twice)
    return found


def _constant(text: str) -> NoReturn:
    raise ValueError(f"got {text}, which is not a JSON number")


def _integer(text: str) -> int:
    if len(text) <= _MAX_DIGITS and abs(number := int(text)) < MAX_NUMBER:
        return number
    raise ValueError(f"got an integer of {len(text)} characters, want a magnitude below 2^64")


def _float(text: str) -> float:
    if len(text) <= _MAX_DIGITS and math.isfinite(number := float(text)) and abs(number) < MAX_NUMBER:
        return number
    raise ValueError(f"got a number of {len(text)} characters that is too large, want a magnitude below 2^64")
