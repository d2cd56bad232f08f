"""Notices: the events that are sent by e-mail to people who have subscribed to them."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import shown

_LONGEST: Final = 254
"""Characters of an address (RFC 5321, section 4.5.3.1.3)."""
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")


class Notice(StrEnum):
    """The kinds of notices."""

    WAITING = "waiting"
    """A device waits in the lobby for a claim."""
    FAILED = "failed"
    """A device could not be commissioned."""
    REFUSED = "refused"
    """A device was not admitted."""
    SUSPECTED = "suspected"
    """A device's certificate seems to be in use twice."""
    QUARANTINED = "quarantined"
    """A device was put in quarantine."""


def parse_notices(entered: Iterable[str]) -> tuple[Notice, ...]:
    """Return notices, each once; all if none is entered. Raise `InvalidInput` INVALID_NOTICE."""
    found: dict[Notice, None] = {}
    for text in entered:
        if text not in [each.value for each in Notice]:
            raise InvalidInput("INVALID_NOTICE", f"got {shown(text)}, want one of: {', '.join(Notice)}")
        found[Notice(text)] = None
    return tuple(found or Notice)


def parse_email(text: object) -> str:
    """Return the address in a text. Raise `InvalidInput` INVALID_EMAIL."""
    if isinstance(text, str) and len(text) <= _LONGEST and _ADDRESS.fullmatch(text):
        return text
    raise InvalidInput("INVALID_EMAIL", f"got {shown(text)}, want an e-mail address")
