"""Find a device by its fingerprint, its label's code, the first digits of its fingerprint, or its thing name.

A complete fingerprint need not be in the ledger yet. Any other text must match exactly one device in the ledger. An
ambiguous text is refused with a list of the matching devices, because the command may take a device out of service.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from admin_api.cli.errors import usage_error
from lobby.errors import InvalidInput, NotFound
from lobby.names import Fingerprint, parse_thing_name, shown
from lobby.text.label import decode_label

MIN_DIGITS: Final = 4
MIN_NAME: Final = 2
_MAX_MATCHES: Final = 5
_HEX: Final = re.compile(r"[0-9a-f]{%d,63}" % MIN_DIGITS)  # noqa: UP031  # braces
Search = Callable[[Mapping[str, Any], int], Sequence[Mapping[str, Any]]]
"""Return the first devices that match a filter of the API."""


def find_device(text: str, search: Search) -> Fingerprint:
    """Return the fingerprint of the device that `text` identifies.

    Raise `InvalidInput` INVALID_LABEL, INVALID_FINGERPRINT or AMBIGUOUS_DEVICE, or `NotFound` UNKNOWN_DEVICE."""
    try:
        return decode_label(text)
    except InvalidInput as error:
        if error.code == "INVALID_LABEL":
            raise
    devices = [*_by_digits(text, search), *_by_name(text, search)]
    certids = list(dict.fromkeys(Fingerprint(each["certid"]) for each in devices))
    if len(certids) == 1:
        return certids[0]
    if certids:
        matches = ", ".join(
            f"{each['devicename'] or '?'} {each['certid'][:16]}… {each['devstate']}" for each in devices
        )
        message = f"got {shown(text)}, which matches {matches}; want more digits of the fingerprint"
        raise usage_error(message, "AMBIGUOUS_DEVICE")
    raise NotFound("UNKNOWN_DEVICE", f"got {shown(text)}, want a fingerprint, a label, or the name of a device here")


def _described(device: Mapping[str, Any]) -> str:
    return f"{device['devicename'] or '?'} {device['certid'][:16]}… {device['devstate']}"


def _by_digits(text: str, search: Search) -> Sequence[Mapping[str, Any]]:
    digits = re.sub(r"[:\-\s]", "", text).lower()
    return search({"fingerprintPrefix": digits}, _MAX_MATCHES) if _HEX.fullmatch(digits) else ()


def _by_name(text: str, search: Search) -> Sequence[Mapping[str, Any]]:
    try:
        name = parse_thing_name(text.strip())
    except InvalidInput:
        return ()
    if len(name) < MIN_NAME:
        return ()
    return [
        each
        for each in search({"namePrefix": name}, _MAX_MATCHES)
        if name in (each["devicename"], each.get("expectedName"))
    ]
