"""Durations as people type them: ``90s``, ``15min``, ``2h``, ``3d``."""

import re
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown

_UNITS: Final = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}
_FORM: Final = re.compile(r"([0-9]{1,6})(s|min|m|h|d)")


def parse_duration(text: str) -> int:
    """In seconds. Raises `InvalidInput` INVALID_DURATION."""
    match = _FORM.fullmatch(text.strip().lower())
    if match is None:
        raise InvalidInput("INVALID_DURATION", f"got {shown(text)}, want a number and s, min, h or d, such as 2h")
    return int(match[1]) * _UNITS[match[2]]
