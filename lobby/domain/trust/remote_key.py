"""A private key that signs elsewhere, for example in AWS KMS, in the form in which `cryptography` takes a private key.

`CertificateBuilder.sign` then writes the right signature algorithm into the certificate, and calls `sign` with the part
to be signed. Only the SHA-256 of this part leaves the process. Keys are EC on P-256, or RSA with PKCS#1 v1.5. All other
operations of a private key are refused, because this object does not have the key.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, Hash, HashAlgorithm

SignDigest = Callable[[bytes], bytes]
"""Returns the signature of a SHA-256: DER for EC."""
KmsRequest = dict[str, Any]
RemoteKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
WANTED: Final = "EC on P-256, or RSA of at least 2048 bits"


def remote_key(public: object, sign_digest: SignDigest) -> RemoteKey:
    """Return the private key of `public`. Raise `TypeError` for a key of another kind."""
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return _RemoteEcKey(public, sign_digest)
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= 2048:
        return _RemoteRsaKey(public, sign_digest)
    raise TypeError(f"got a key of another kind, want {WANTED}")


def kms_request(arn: str, public: object, digest: bytes) -> KmsRequest:
    """Return the request for the signature of a SHA-256 by a key in AWS KMS (API reference, "Sign")."""
    algorithm = "RSASSA_PKCS1_V1_5_SHA_256" if isinstance(public, rsa.RSAPublicKey) else "ECDSA_SHA_256"
    return {"KeyId": arn, "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": algorithm}


def _digest(data: object, algorithm: object) -> bytes:
    if not isinstance(algorithm, SHA256):
        raise TypeError(f"got {algorithm}, want SHA-256")
    digest = Hash(SHA256())
    digest.update(data)  # type: ignore[arg-type]  # bytes or a view of them
    return digest.finalize()


def _elsewhere() -> NoReturn:
    raise TypeError("got a request for the private key, which is elsewhere; it can only sign")


class _RemoteEcKey(ec.EllipticCurvePrivateKey):
    def __init__(self, public: ec.EllipticCurvePublicKey, sign_digest: SignDigest) -> None:
        self._public, self._sign_digest = public, sign_digest

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        return self._sign_digest(_digest(data, signature_algorithm.algorithm))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def exchange(self, *_: object, **__: object) -> bytes:
        _elsewhere()

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        _elsewhere()

    def private_bytes(self, *_: object, **__: object) -> bytes:
        _elsewhere()

    def __copy__(self) -> "_RemoteEcKey":
        return self

    def __deepcopy__(self, _memo: object) -> "_RemoteEcKey":
        return self


class _RemoteRsaKey(rsa.RSAPrivateKey):
    def __init__(self, public: rsa.RSAPublicKey, sign_digest: SignDigest) -> None:
        self._public, self._sign_digest = public, sign_digest

    def sign(self, data: Any, padding_: Any, algorithm: HashAlgorithm | Any) -> bytes:
        if not isinstance(padding_, padding.PKCS1v15):
            raise TypeError(f"got {padding_}, want PKCS#1 v1.5")
        return self._sign_digest(_digest(data, algorithm))

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def decrypt(self, *_: object, **__: object) -> bytes:
        _elsewhere()

    def private_numbers(self) -> rsa.RSAPrivateNumbers:
        _elsewhere()

    def private_bytes(self, *_: object, **__: object) -> bytes:
        _elsewhere()

    def __copy__(self) -> "_RemoteRsaKey":
        return self

    def __deepcopy__(self, _memo: object) -> "_RemoteRsaKey":
        return self
