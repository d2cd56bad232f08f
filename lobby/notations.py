"""The notations in which tools print a fingerprint: openssl, sha256sum, keytool, certutil, browsers, and AWS.

Every code field accepts them, because users paste them. `visible` removes invisible characters. The error for a SHA-1
or MD5 fingerprint names the digest. Text with other words around the digits is rejected, and text with two different
fingerprints. The console has the same rules (`notations.ts`).
"""

import re
import unicodedata
from typing import Final, Literal

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, parse_fingerprint, shown

_FORMS: Final = tuple(
    re.compile(form.replace("HEX", "([0-9a-f]{64})"), re.IGNORECASE)
    for form in (
        r"arn:aws[a-z-]*:iot:[a-z0-9-]+:\d{12}:cert/HEX",
        # The page of a certificate in the console of AWS.
        r"https://(?:[a-z0-9-]+\.)*console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)/iot/\S*"
        r"#/certificate/HEX(?:[/?]\S*)?",
        r"\\?HEX [ *]\S.*",  # sha256sum FILE; a backslash if the file's name has one
        r"sha-?(?:2-)?256 ?\(.*\) ?= ?HEX",  # openssl dgst FILE, sha256sum --tag FILE
        r"(?:algorithm +hash +path[ -]+)?sha256 +HEX +\S.*",  # Get-FileHash of PowerShell
        r"algorithm *: *sha256 +hash *: *HEX +path *:.*",  # Get-FileHash | Format-List
    )
)
"""The notations that contain other text than words: an address or the path of a file."""
_FINGERPRINT: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", re.IGNORECASE)
_ALGORITHM: Final = re.compile(r"\bsha-?(?:2-)?256\b", re.IGNORECASE)
_OTHER_DIGEST: Final = re.compile(
    r"\b(?:sha-?1(?: fingerprint)?[ :=]*(?:[0-9a-f]{2}[: ]?){20}|md5(?: fingerprint)?[ :=]*(?:[0-9a-f]{2}[: ]?){16})"
    r"(?![0-9a-f])",
    re.IGNORECASE,
)
_PUBLIC_KEY: Final = re.compile(r"\bpublic key\b.*", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[\s:=\-,;\"'`“”„‘’«»•·()\[\]{}<>|*]+")
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
    digits = _in_form(plain.strip(" \"',")) or _digits(plain)
    if len(digits) in _OTHER_DIGESTS:
        got = f"got {shown(original)} ({_OTHER_DIGESTS[len(digits)]})"
        raise InvalidInput("INVALID_FINGERPRINT", f"{got}, want the certificate's SHA-256 fingerprint: 64 hex digits")
    return parse_fingerprint(digits if len(digits) == 64 else original)


def _in_form(text: str) -> str:
    """Return the fingerprint in a text that one of `_FORMS` describes; empty for other text."""
    if len({found.lower() for found in _FINGERPRINT.findall(text)}) != 1:
        return ""
    return next((match[1].lower() for form in _FORMS if (match := form.fullmatch(text))), "")


def _digits(plain: str) -> str:
    """Return the hex digits after the words that name a fingerprint; empty if there is other text. A file name may
    follow, as `sha256sum` prints it. Viewers also print the SHA-1 or MD5 fingerprint, and that of the public key."""
    if _ALGORITHM.search(plain):
        plain = _PUBLIC_KEY.sub("", _OTHER_DIGEST.sub(" ", plain))
    words = [word for word in _SEPARATORS.split(_ALGORITHM.sub(" ", plain).lower()) if word]
    while words and words[0] in _WORDS | _MORE_WORDS:
        words.pop(0)
    if words:
        words[0] = words[0].removeprefix("0x")
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
