"""Cursors of lists: where the next page begins, as text that clients return unchanged.

A cursor is JSON in Base64, or the sort key of an item. It is no secret, and a client can send any text, so a list
checks the content that it reads. Rejects texts that are not cursors.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from lobby import strict_json
from lobby.errors import InvalidInput
from lobby.names import shown

_Place = TypeVar("_Place")
_PLACE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z#")
_LONGEST_KEY: Final = 1024
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
        raise _invalid(cursor)
    return place


def require_place(cursor: str) -> str:
    """Return the cursor of a list in the order of time, which is the sort key of an item. DynamoDB refuses a range that
    ends before it begins, and keys of more than 1024 bytes. Raise `InvalidInput` INVALID_CURSOR."""
    if not _PLACE.match(cursor) or not cursor.isprintable() or len(cursor.encode()) > _LONGEST_KEY:
        raise _invalid(cursor)
    return cursor


def _invalid(cursor: str) -> InvalidInput:
    return InvalidInput("INVALID_CURSOR", f"got {shown(cursor)}, want the cursor of an earlier page of this list")
