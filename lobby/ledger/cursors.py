"""Cursors of lists: where the next page begins, as text that clients return unchanged.

A cursor is JSON in Base64. It is no secret, and a client can send any text, so a list checks the content that it reads.
Rejects texts that are not cursors.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lobby import strict_json
from lobby.errors import InvalidInput
from lobby.names import shown

_Place = TypeVar("_Place")
_REJECTED = (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error, InvalidInput)
"""What reading a cursor with other content raises."""


def encode(body: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def decode(cursor: str, place_of: Callable[[Any], _Place | None]) -> _Place:
    """Return the place that `place_of` reads from the content. If it returns None or fails, raise `InvalidInput`
    INVALID_CURSOR."""
    try:
        place = place_of(strict_json.loads(base64.urlsafe_b64decode(cursor.encode())))
    except _REJECTED:
        place = None
    if place is None:
        raise InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this list")
    return place
