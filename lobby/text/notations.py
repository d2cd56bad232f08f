"""The notations in which tools print a fingerprint: openssl, sha256sum, keytool, certutil, browsers, and AWS.

Every code field accepts them, because users paste them. `visible` removes invisible characters. Text with other words
is accepted only if it names SHA-256 or contains a certificate's ARN. Text with two fingerprints, or with the
fingerprint of a public key, is rejected. The error names what the text is instead, for example a SHA-1 fingerprint. The
console has the same rules (`notations.ts`).
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, parse_fingerprint, shown

_FORMS: Final = tuple(
    re.compile(form.replace("HEX", "([0-9a-f]{64})"), re.IGNORECASE)
    for form in (
        r"arn:aws[a-z-]*:iot:[a-z0-9-]+:\d{12}:cert/HEX",
        # The page of a certificate in the AWS console.
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
_ARN: Final = re.compile(r"\barn:aws[a-z-]*:iot:[a-z0-9-]+:\d{12}:cert/([0-9a-f]{64})(?![0-9a-z])", re.IGNORECASE)
_ALGORITHM: Final = re.compile(r"(?<![0-9a-z])sha-?(?:2-)?256(?![0-9a-z])", re.IGNORECASE)
_OTHER_DIGEST: Final = re.compile(
    r"\b(?:sha-?1(?: fingerprint)?[ :=]*(?:[0-9a-f]{2}[: ]?){20}|md5(?: fingerprint)?[ :=]*(?:[0-9a-f]{2}[: ]?){16})"
    r"(?![0-9a-f])",
    re.IGNORECASE,
)
_PUBLIC_KEY: Final = re.compile(
    r"(?:\bpublic[ -]?key\b|\bpubkey\b|\bspki\b|\bsubjectpublickey|öffentlicher? schlüssel|clé publique|clave pública"
    r"|chiave pubblica|chave pública|(?:открытый|публичный) ключ|公钥|公鑰|公開鍵|公開キー|공개 ?키).*",
    re.IGNORECASE,
)
_BYTE: Final = re.compile(r"(?<![0-9a-z])(?:0x|\\x)([0-9a-f]{2})(?![0-9a-f])|\\x([0-9a-f]{2})", re.IGNORECASE)
"""A byte in source code: ``0x2d``, ``\\x2d``."""
_SEPARATORS: Final = re.compile(r"[\s:=\-,;\"'`“”„‘’«»•·()\[\]{}<>|*]+")
_WORDS: Final = frozenset({"cert", "certid", "certificate", "certificateid", "digest", "fingerprint", "fingerprints"})
_MORE_WORDS: Final = frozenset({"hash", "id", "stdin", "thumbprint"})
_HEX: Final = re.compile(r"[0-9a-f]+")
_OTHER_DIGESTS: Final = {40: "SHA-1", 32: "MD5", 56: "SHA-224", 96: "SHA-384", 128: "SHA-512"}
"""Other digests by their number of hex digits."""
_OTHER_KINDS: Final = (
    (re.compile(r"\bsha-?1(?![0-9a-z])", re.IGNORECASE), "SHA-1"),
    (re.compile(r"\bmd5(?![0-9a-z])", re.IGNORECASE), "MD5"),
    (re.compile(r"\bsha-?(?:2-)?384(?![0-9a-z])", re.IGNORECASE), "SHA-384"),
    (re.compile(r"\bsha-?(?:2-)?512(?![0-9a-z])", re.IGNORECASE), "SHA-512"),
    (re.compile(r":cacert/[0-9a-f]{64}", re.IGNORECASE), "a CA"),
    (re.compile(r"-----BEGIN "), "a file in PEM"),
    (re.compile(r"(?<![\w+])[\w+/-]{43}=?(?![\w+/=])", re.ASCII), "in base64"),
)
"""Texts that are often mistaken for a fingerprint, and their names."""
_LENGTH: Final = 64
_UNSEEN: Final = frozenset("\u115f\u1160\u2800\u3164\ufffc")
"""Characters without a glyph that Unicode does not count as format characters: fillers, blanks, placeholders."""


def visible(text: str, form: Literal["NFC", "NFKC"] = "NFKC") -> str:
    """Return `text` without characters that are not visible (zero-width, bidirectional, soft hyphen, byte order mark),
    with every kind of dash as ``-``, every kind of space as a plain one, and the digits of every script as ``0`` to
    ``9``. NFKC also turns full-width letters into ASCII."""
    folded = unicodedata.normalize(form, text)
    return "".join(_seen(character) for character in folded)


def parse_notation(plain: str, original: object) -> Fingerprint:
    """Return the fingerprint in `plain`, a text after `visible`. `original` is quoted in the error.

    Raise `InvalidInput` INVALID_FINGERPRINT."""
    plain = _BYTE.sub(lambda byte: f"{byte[1] or byte[2]} ", plain)
    stripped = plain.strip(" \"',.")
    digits = _in_form(stripped) or _in_form(stripped.replace(" ", "")) or _digits(plain) or _among_words(plain)
    kind = "" if len(digits) == _LENGTH else _other_kind(plain, digits)
    if kind:
        got = f"got {shown(original)} ({kind})"
        raise InvalidInput("INVALID_FINGERPRINT", f"{got}, want the certificate's SHA-256 fingerprint: 64 hex digits")
    return parse_fingerprint(digits if len(digits) == _LENGTH else original)


def _other_kind(plain: str, digits: str) -> str:
    """Return what a text without a fingerprint is, if that is known; otherwise an empty text."""
    known = _OTHER_DIGESTS.get(len(digits), "")
    return known or next((kind for form, kind in _OTHER_KINDS if form.search(plain)), "")


def _in_form(text: str) -> str:
    """Return the fingerprint in a text that one of `_FORMS` describes; empty for other text. The text may be without
    its spaces, because an address may be wrapped."""
    if len({found.lower() for found in _FINGERPRINT.findall(text)}) != 1:
        return ""
    return next((match[1].lower() for form in _FORMS if (match := form.fullmatch(text))), "")


def _digits(plain: str) -> str:
    """Return the hex digits after the words that name a fingerprint; empty if there is other text. A file name may
    follow, as `sha256sum` prints it. Viewers also print the SHA-1 or MD5 fingerprint, and the fingerprint of the public
    key."""
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


def _among_words(plain: str) -> str:
    """Return the only fingerprint in a text that names SHA-256 or has a certificate's ARN; empty for other text.
    Viewers print it in the user's language, tools in JSON and next to other digests."""
    found = {match.lower() for match in _ARN.findall(plain)}
    others = {match.lower() for match in _FINGERPRINT.findall(plain)}
    if not found and _ALGORITHM.search(plain):
        found = others = set(_runs(_ALGORITHM.sub(" sha256 ", _PUBLIC_KEY.sub("", plain)).lower()))
    return found.pop() if len(found) == 1 and others <= found else ""


def _runs(text: str) -> Iterator[str]:
    """Yield the fingerprints in `text`: groups of the same number of digits, without a further such group next to
    them."""
    groups = itertools.groupby(_SEPARATORS.split(text), lambda word: len(word) if _HEX.fullmatch(word) else 0)
    for length, words in groups:
        digits = "".join(words)
        if length and len(digits) == _LENGTH:
            yield digits


def _seen(character: str) -> str:
    if character in _UNSEEN:
        return ""
    category = unicodedata.category(character)
    if character.isspace() or category.startswith("Z"):
        return " "
    if category == "Pd":
        return "-"
    if category == "Nd":
        return str(unicodedata.decimal(character))
    # Variation selectors are marks (Mn) without a glyph of their own.
    return "" if category in {"Cf", "Cc", "Mn"} else character
