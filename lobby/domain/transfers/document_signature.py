"""Verifies the signature of another lobby's document, with a key that the user names.

The document contains the public key. Only the key's fingerprint, which the user has received separately, shows whose
key it is. It rejects every other key, algorithm and content. `cryptography` is imported on first use, because most
requests verify nothing.
"""

import base64
import hashlib
import re
from typing import Any, Final

from lobby.domain.history.history_export import ALGORITHM, canonical
from lobby.domain.transfers.transfer_documents import Document
from lobby.errors import InvalidInput
from lobby.names import shown

_KEY: Final = re.compile(r"(?:SHA256:)?([0-9a-f]{64})")


def parse_key_fingerprint(text: object) -> str:
    """Return the SHA-256 of a public key in DER, as hex. Raise `InvalidInput` INVALID_KEY."""
    found = _KEY.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise InvalidInput("INVALID_KEY", f"got {shown(text)}, want SHA256: and 64 hex digits")
    return found[1]


def require_signed(document: Document, key: str) -> None:
    """Raise `InvalidInput` SIGNATURE_INVALID, or UNTRUSTED_KEY for the signature of another key than `key`."""
    der, value = _parts(document["signature"])
    got = hashlib.sha256(der).hexdigest()
    if got != key:
        message = (
            f"got the signature of key SHA256:{got}, want that of SHA256:{key}; ask the other operator for its key"
        )
        raise InvalidInput("UNTRUSTED_KEY", message)
    if not _matches(der, value, canonical(document)):
        raise _invalid("a signature that does not match: the document was changed after it was signed")


def _parts(signature: dict[str, Any]) -> tuple[bytes, bytes]:
    if signature.keys() != {"algorithm", "key", "value"} or signature["algorithm"] != ALGORITHM:
        raise _invalid(f"a signature that is not by {ALGORITHM}")
    try:
        return base64.b64decode(signature["key"], validate=True), base64.b64decode(signature["value"], validate=True)
    except (ValueError, TypeError):
        raise _invalid("a signature that is not base64") from None


def _matches(der: bytes, value: bytes, content: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    try:
        key = serialization.load_der_public_key(der)
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            return False
        key.verify(value, content, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _invalid(what: str) -> InvalidInput:
    return InvalidInput("SIGNATURE_INVALID", f"got {what}")
