"""Devices as people name them: a fingerprint or label in any form, the first digits of one, or the thing name.

What a whole fingerprint names need not be in the ledger yet. Anything shorter must name exactly one device that is:
an ambiguous one is refused with those it could mean, as what follows may take a device away.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from admin_api.cli.errors import wrong_use
from lobby.errors import InvalidInput, NotFound
from lobby.names import Fingerprint, parse_thing_name, shown
from lobby.wire import decode_label

LEAST_DIGITS: Final = 4
LEAST_NAME: Final = 2
_MOST_NAMED: Final = 5
_HEX: Final = re.compile(r"[0-9a-f]{%d,63}" % LEAST_DIGITS)  # noqa: UP031  # braces
Find = Callable[[Mapping[str, Any], int], Sequence[Mapping[str, Any]]]
"""The first devices that a filter of the API lets through."""


def named_device(text: str, find: Find) -> Fingerprint:
    """Raises `InvalidInput` INVALID_LABEL, INVALID_FINGERPRINT or AMBIGUOUS_DEVICE, `NotFound` UNKNOWN_DEVICE."""
    try:
        return decode_label(text)
    except InvalidInput as fault:
        if fault.code == "INVALID_LABEL":
            raise
    found = [*_by_digits(text, find), *_by_name(text, find)]
    certids = list(dict.fromkeys(Fingerprint(each["certid"]) for each in found))
    if len(certids) == 1:
        return certids[0]
    if certids:
        these = ", ".join(f"{each['devicename'] or '?'} {each['certid'][:16]}… {each['devstate']}" for each in found)
        raise wrong_use(f"got {shown(text)}, which could be {these}, want more of the fingerprint", "AMBIGUOUS_DEVICE")
    raise NotFound("UNKNOWN_DEVICE", f"got {shown(text)}, want a fingerprint, a label, or the name of a device here")


def _by_digits(text: str, find: Find) -> Sequence[Mapping[str, Any]]:
    digits = re.sub(r"[:\-\s]", "", text).lower()
    return find({"fingerprintPrefix": digits}, _MOST_NAMED) if _HEX.fullmatch(digits) else ()


def _by_name(text: str, find: Find) -> Sequence[Mapping[str, Any]]:
    try:
        name = parse_thing_name(text.strip())
    except InvalidInput:
        return ()
    if len(name) < LEAST_NAME:
        return ()
    return [each for each in find({"namePrefix": name}, _MOST_NAMED) if each["devicename"] == name]
