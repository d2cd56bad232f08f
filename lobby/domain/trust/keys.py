"""Checks of public keys and signatures: minimum strength, maximum size, and the verification of a signature.

Sizes are checked before any operation with a key. RSA needs 2048 to 16384 bits, OpenSSL's limit, and an odd exponent of
3 to 64 bits; EC needs P-256, P-384 or P-521. Those are the keys that AWS IoT accepts (developer guide, "X.509 client
certificates"), and the hashes that it accepts are SHA-256, SHA-384 and SHA-512.
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from lobby.domain.trust.reading import Unreadable, body_of, elements, read

RSA_BITS: Final = range(2048, 16384 + 1)
MAX_EXPONENT_BITS: Final = 64
CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
HASHES: Final = ("sha256", "sha384", "sha512")
WANTED: Final = "RSA of at least 2048 bits, or EC on P-256, P-384 or P-521"

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
Signed = x509.Certificate | x509.CertificateSigningRequest


def key_of(certificate: Signed) -> PublicKey:
    """Return the key. Raise `Unreadable` with the type of any key that is neither RSA nor EC on an accepted curve."""
    key = read(certificate.public_key)
    if isinstance(key, rsa.RSAPublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        return key
    raise Unreadable(key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__)


def weakness(key: PublicKey) -> str:
    """Return what makes the key weak, or an empty string."""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS.start:
        return f"RSA of {key.key_size} bits"
    return ""


def excess(key: PublicKey) -> str:
    """Return what makes the key larger than TLS libraries accept, or an empty string."""
    if not isinstance(key, rsa.RSAPublicKey):
        return ""
    if key.key_size not in RSA_BITS:
        return f"RSA of {key.key_size} bits, want at most {RSA_BITS[-1]}"
    bits = key.public_numbers().e.bit_length()
    return f"an RSA exponent of {bits} bits, want at most {MAX_EXPONENT_BITS}" if bits > MAX_EXPONENT_BITS else ""


def weak_hash(certificate: Signed) -> str:
    """Return the hash of the signature if it is not one of `HASHES`, or an empty string. Raise `Unreadable`."""
    algorithm: HashAlgorithm | None = read(lambda: certificate.signature_hash_algorithm)
    name = algorithm.name if algorithm else f"no hash ({certificate.signature_algorithm_oid.dotted_string})"
    return "" if name in HASHES else name


def is_signed_by(certificate: x509.Certificate, key: PublicKey) -> bool:
    """Return whether `key` made the certificate's signature, and the signature algorithm is the same inside and outside
    of the signed part (RFC 5280, 4.1.1.2). The caller has checked the hash and the key's size.

    Names are not compared here. `trust.distinguished_names` compares them as RFC 5280 requires;
    `verify_directly_issued_by` would compare bytes."""
    try:
        read(lambda: _verify(certificate, key))
    except Unreadable:
        return False
    return True


def _verify(certificate: x509.Certificate, key: PublicKey) -> None:
    parameters, algorithm = certificate.signature_algorithm_parameters, certificate.signature_hash_algorithm
    signature, body = certificate.signature, certificate.tbs_certificate_bytes
    outside = list(elements(body_of(certificate.public_bytes(Encoding.DER))))[1]
    if outside not in list(elements(body_of(body)))[1:3]:  # behind the version, if any, and the serial number
        raise ValueError("the signature algorithm inside differs from the one outside")
    if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.PKCS1v15 | padding.PSS) and algorithm:
        key.verify(signature, body, parameters, algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
        key.verify(signature, body, parameters)
    else:
        raise TypeError("the signature is of another kind than the key")
