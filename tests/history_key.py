"""The key that signs exported histories in tests: one P-256 key for the run."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lobby.domain.history.history_export import Signature

KEY = ec.derive_private_key(0xC0FFEE, ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
KEY_NAME = hashlib.sha256(PUBLIC).hexdigest()


def sign_history(digest: bytes) -> Signature:
    return sign_with(KEY, digest)


def sign_with(key: ec.EllipticCurvePrivateKey, digest: bytes) -> Signature:
    """Sign a SHA-256 as AWS KMS does (ECDSA_SHA_256, MessageType DIGEST)."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    value = key.sign(digest, ec.ECDSA(Prehashed(SHA256())))
    return Signature(base64.b64encode(public).decode(), base64.b64encode(value).decode())
