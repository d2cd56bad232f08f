"""Key pairs: the supported types, how they are generated, encoded and decoded, and the minimum strength.

The types are accepted by AWS IoT in client certificates (developer guide, "X.509 client certificates") and that small
devices can use. Device keys are written in the traditional format (SEC 1, PKCS#1), which every TLS library reads; CA
keys are written in PKCS#8, which supports a passphrase. RSA keys under 2048 bits and other curves are rejected.
"""

from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from lobby.errors import InvalidInput
from pki.errors import AuthorityError, StorageError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
RSA_BITS = range(2048, 4096 + 1)
_RSA_EXPONENT = 65537


class KeyType(StrEnum):
    """The key types that these tools generate."""

    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    RSA_2048 = "rsa-2048"
    RSA_4096 = "rsa-4096"


def generate(key_type: KeyType) -> PrivateKey:
    match key_type:
        case KeyType.EC_P256:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyType.EC_P384:
            return ec.generate_private_key(ec.SECP384R1())
        case KeyType.RSA_2048 | KeyType.RSA_4096:
            return rsa.generate_private_key(_RSA_EXPONENT, int(key_type.removeprefix("rsa-")))


def describe(key: object) -> str:
    """Return a public key's type as a `KeyType` value, or a similar name for other types."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "ec-p256", "secp384r1": "ec-p384"}.get(key.curve.name, f"ec-{key.curve.name}")
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    return type(key).__name__.removesuffix("PublicKey").lower()


def check_public_key(key: object) -> PublicKey:
    """Return `key` if it is allowed for a device. Raise `InvalidInput` WEAK_KEY with its type otherwise."""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size in RSA_BITS:
        if key.public_numbers().e >= _RSA_EXPONENT:
            return key
        raise InvalidInput("WEAK_KEY", f"got RSA exponent {key.public_numbers().e}, want at least {_RSA_EXPONENT}")
    raise InvalidInput("WEAK_KEY", f"got a key {describe(key)}, want EC P-256, EC P-384 or RSA of 2048 to 4096 bits")


def same_key(one: object, other: object) -> bool:
    """Return whether two public keys have the same encoding."""
    return isinstance(one, PublicKey) and isinstance(other, PublicKey) and _spki(one) == _spki(other)


def _spki(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def encode_device_key(key: PrivateKey) -> bytes:
    """Return the PEM of a device's private key, unencrypted: nobody can enter a passphrase when a device starts."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def encode_ca_key(key: PrivateKey, passphrase: bytes | None) -> bytes:
    encryption: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def decode_private_key(pem: bytes, source: object, passphrase: bytes | None = None) -> PrivateKey:
    """Return a private key from PEM; `source` is the file named in messages.

    Raise `AuthorityError` BAD_PASSPHRASE, or `StorageError` BROKEN_FILE.
    """
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError:
        got = "no passphrase for the encrypted key" if passphrase is None else "a passphrase for the unencrypted key"
        want = "its passphrase" if passphrase is None else "no passphrase"
        raise AuthorityError("BAD_PASSPHRASE", f"got {got} {source}, want {want}") from None
    except (ValueError, UnsupportedAlgorithm):
        if b"ENCRYPTED" in pem:
            raise AuthorityError("BAD_PASSPHRASE", f"got a passphrase that does not decrypt {source}") from None
        raise StorageError(
            "BROKEN_FILE", f"got {source}, which is not a complete PEM private key: move it away"
        ) from None
    if not isinstance(key, PrivateKey):
        raise StorageError("BROKEN_FILE", f"got a key {describe(key.public_key())} in {source}, want EC or RSA")
    return key
