"""Signs exported histories with the lobby's key in AWS KMS.

The private key never leaves KMS, and only the API's role may sign with it. The key has no other use, so a signature
always means an export. It signs a digest, because KMS accepts at most 4,096 bytes (AWS KMS API reference, "Sign").
"""

import base64
from collections.abc import Callable
from typing import Any

from lobby.domain.history.history_export import ALGORITHM, Signature


class HistorySigner:
    """`kms` returns the client, `key` is the key's ARN."""

    def __init__(self, kms: Callable[[], Any], key: str) -> None:
        self._kms, self._key = kms, key
        self._public: bytes | None = None

    def sign(self, digest: bytes) -> Signature:
        """Sign a SHA-256. Raise `ClientError`."""
        if self._public is None:
            self._public = self._kms().get_public_key(KeyId=self._key)["PublicKey"]
        answer = self._kms().sign(KeyId=self._key, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM)
        return Signature(*(base64.b64encode(each).decode() for each in (self._public, answer["Signature"])))
