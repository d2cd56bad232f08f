"""The text of a device label, and every other notation of a fingerprint that people scan, type or paste.

The QR code contains ``DL1:``, the fingerprint in base32 (RFC 4648, no padding) and four check characters.
`decode_label` also reads v0.1's bare hex, the notations in `lobby.text.notations`, the link of a label, and, if the
corrected check characters match, a code that was typed through another keyboard layout. All other text is rejected. The
console has the same codec (`label.ts`); both are tested with `tests/events/label_vectors.json`. Standard library only.
"""

import base64
import hashlib
import re
import urllib.parse
from typing import Final

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, parse_fingerprint, shown
from lobby.text.keyboard_layouts import as_typed_on_us_keys
from lobby.text.notations import parse_notation, visible

PREFIX: Final = "DL1"
MAX_TEXT: Final = 1_000
"""The maximum length of a text; every notation is shorter."""
_CODE: Final = re.compile(r"(?:DL1:?)?([A-Z2-7]{52})([A-Z2-7]{4})")
_TYPED: Final = re.compile(r"DL1[^A-Z2-7]?([A-Z2-7]{52})([A-Z2-7]{4})")
"""A code typed through another layout: the colon's key can give many characters, so any character matches."""
_QUOTES: Final = " \"'`,;.<>"
_LINK: Final = re.compile(r"(?:https?://)?[^\s#?]+/claim/?(?:\?([^#\s]*))?(?:#(\S*))?", re.IGNORECASE)
_WITHIN: Final = re.compile(r"(?<![A-Z0-9])DL1[^A-Z0-9]{0,3}((?:[A-Z2-7][\s_./·-]*){55}[A-Z2-7])(?![A-Z0-9])")
"""A code among other text, and with any separators."""


def encode_label(certid: Fingerprint) -> str:
    """Return the text of a label's QR code. Upper case only, so that the QR code uses its compact alphanumeric mode."""
    body = base64.b32encode(bytes.fromhex(certid)).decode().rstrip("=")
    return f"{PREFIX}:{body}{_check(body)}"


def decode_label(text: str) -> Fingerprint:
    """Return the fingerprint that `text` identifies.

    Raise `InvalidInput`: INVALID_LABEL if a label's code is malformed or fails its check, INVALID_FINGERPRINT if the
    text is no code."""
    plain = _in_link(visible(text[:MAX_TEXT]).strip(_QUOTES))
    code = re.sub(r"[\s\-]", "", plain).upper()
    if len(text) > MAX_TEXT:
        return _reject(code, text) if code.startswith(PREFIX) else parse_fingerprint(text)
    match = _CODE.fullmatch(code)
    if match is not None and _check(match[1]) == match[2]:
        return _fingerprint(match[1])
    try:
        return _reject(code, text) if code.startswith(PREFIX) else parse_notation(plain, text)
    except InvalidInput:
        corrected = _within(text) or _corrected(visible(text, "NFC"))
        if corrected is None:
            raise
        return corrected


def short_form(certid: Fingerprint) -> str:
    """Return the fingerprint's first 12 digits in groups, for users to compare: ``3F2A 91BC 07D4``."""
    head = certid[:12].upper()
    return " ".join(head[i : i + 4] for i in range(0, 12, 4))


def _in_link(text: str) -> str:
    """Return the code in a label's link (``https://<console>/claim#DL1:…`` or ``?code=…``); other text unchanged."""
    match = _LINK.fullmatch(re.sub(r"\s", "", text) if text.lower().startswith("http") else text)
    if match is None:
        return text
    query, fragment = match[1] or "", match[2] or ""
    code = next((value for name, value in urllib.parse.parse_qsl(query) if name.lower() == "code"), "")
    return visible(code or urllib.parse.unquote(fragment))


def _within(text: str) -> Fingerprint | None:
    """Return the fingerprint of the only code in a text with other words, None for other text. The check characters
    must match. An address must be that of a claim page."""
    plain = visible(urllib.parse.unquote(urllib.parse.unquote(text))).upper()
    found = _WITHIN.findall(plain) if "/CLAIM" in plain or "://" not in plain else []
    codes = [re.sub(r"[^A-Z2-7]", "", each) for each in found]
    certids = {_fingerprint(code[:52]) for code in codes if _check(code[:52]) == code[52:]}
    return certids.pop() if len(certids) == 1 and len(set(codes)) == 1 else None


def _corrected(plain: str) -> Fingerprint | None:
    """Return the fingerprint of a code that was typed through another keyboard layout, None for other text. Only a code
    with its prefix and matching check characters counts, so a wrong correction passes once in a million."""
    certids = set()
    for candidate in as_typed_on_us_keys(plain):
        match = _TYPED.fullmatch(re.sub(r"[\s\-]", "", candidate).upper())
        if match is not None and _check(match[1]) == match[2]:
            certids.add(_fingerprint(match[1]))
    return certids.pop() if len(certids) == 1 else None


def _reject(code: str, text: str) -> Fingerprint:
    """Raise the error for a label's code that no rule accepts. `code` is without separators, in upper case."""
    if _CODE.fullmatch(code):
        raise InvalidInput("INVALID_LABEL", f"got {shown(text)}, whose check characters do not match")
    raise InvalidInput("INVALID_LABEL", f"got {shown(text)}, want DL1: and 56 of the characters A-Z 2-7")


def _fingerprint(body: str) -> Fingerprint:
    return Fingerprint(base64.b32decode(body + "====").hex())


def _check(body: str) -> str:
    """Return 20 bits of SHA-256 over the body: a mistyped or swapped character is missed once in a million."""
    return base64.b32encode(hashlib.sha256(b"DL1:" + body.encode()).digest()[:5]).decode()[:4]
