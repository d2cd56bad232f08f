"""The notations in which tools print a fingerprint: openssl, sha256sum, keytool, certutil, browsers, and AWS.

Every code field accepts them, because users paste them. `visible` removes invisible characters. The error for a SHA-1
or MD5 fingerprint names the digest. Text with other words around the digits is rejected. The console has the same rules
(`notations.ts`).
"""

import re
import unicodedata
from typing import Final, Literal

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, parse_fingerprint, shown

_ARN: Final = re.compile(r"arn:aws[a-z-]*:iot:[a-z0-9-]+:\d{12}:cert/([0-9a-f]{64})", re.IGNORECASE)
_ALGORITHM: Final = re.compile(r"\bsha-?(?:2-)?256\b", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[\s:=\-,;\"'()\[\]{}<>|*]+")
_WORDS: Final = frozenset({"cert", "certid", "certificate", "certificateid", "digest", "fingerprint", "fingerprints"})
_MORE_WORDS: Final = frozenset({"hash", "id", "stdin", "thumbprint"})
_HEX: Final = re.compile(r"[0-9a-f]+")
_OTHER_DIGESTS: Final = {40: "SHA-1", 32: "MD5"}


def visible(text: str, form: Literal["NFC", "NFKC"] = "NFKC") -> str:
    """Return `text` without characters that are not visible (zero-width, bidirectional, soft hyphen, byte order mark),
    with every dash as ``-`` and every space as one. NFKC also turns full-width letters into ASCII."""
    folded = unicodedata.normalize(form, text)
    return "".join(_seen(character) for character in folded)


def parse_notation(plain: str, original: object) -> Fingerprint:
    """Return the fingerprint in `plain`, a text after `visible`. `original` is quoted in the error.

    Raise `InvalidInput` INVALID_FINGERPRINT."""
    arn = _ARN.fullmatch(plain.strip(" \"',"))
    if arn is not None:
        return parse_fingerprint(arn[1])
    digits = _digits(plain)
    if len(digits) in _OTHER_DIGESTS:
        got = f"got {shown(original)} ({_OTHER_DIGESTS[len(digits)]})"
        raise InvalidInput("INVALID_FINGERPRINT", f"{got}, want the certificate's SHA-256 fingerprint: 64 hex digits")
    return parse_fingerprint(digits if len(digits) == 64 else original)


def _digits(plain: str) -> str:
    """Return the hex digits after the words that name a fingerprint; empty if there is other text. A file name may
    follow, as `sha256sum` prints it."""
    words = [word for word in _SEPARATORS.split(_ALGORITHM.sub(" ", plain).lower()) if word]
    while words and words[0] in _WORDS | _MORE_WORDS:
        words.pop(0)
    digits = ""
    while words and _HEX.fullmatch(words[0]):
        digits += words.pop(0)
    return digits if not words or (len(words) == 1 and "." in words[0]) else ""


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    if character.isspace() or category.startswith("Z"):
        return " "
    if category == "Pd":
        return "-"
    # Variation selectors are marks (Mn) without a glyph of their own.
    return "" if category in {"Cf", "Cc", "Mn"} else character
