"""Signing secrets, and the headers of a request, as the Standard Webhooks specification 1.0 defines them.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme": HMAC
SHA-256 over id, time and body, with a secret of at least 24 random bytes. During a rotation a request has a signature
for each of two secrets.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final, NewType

Secret = NewType("Secret", str)
"""`whsec_` and the base64 of the key."""
_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = 32
_SHORTEST: Final = 24


def new_secret() -> Secret:
    return Secret(_PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())


def headers(event: str, timestamp: int, body: bytes, keys: Sequence[Secret]) -> dict[str, str]:
    """Return the headers of a request for an event. `timestamp` is the time of this attempt, in seconds since 1970.
    Raise `ValueError` for anything but a secret; the error does not quote it."""
    content = f"{event}.{timestamp}.".encode() + body
    return {
        "webhook-id": event,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_sign(key, content)}" for key in keys),
    }


def _sign(key: Secret, content: bytes) -> str:
    digest = hmac.new(_key_of(key), content, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _key_of(secret: Secret) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True) if secret.startswith(_PREFIX) else b""
    except binascii.Error:
        key = b""
    if len(key) < _SHORTEST:
        raise ValueError(f"got a secret that is not {_PREFIX} and the base64 of at least {_SHORTEST} bytes")
    return key
