"""A certificate signing request (PKCS#10) of a device for its own key. Its signature proves that the device has the
private key. AWS IoT uses only its key and subject, so the subject must have one CN, the thing name. Refuses unreadable
requests, wrong or weak signatures, keys that AWS IoT does not accept, and requests for a CA certificate.
"""

import re
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from lobby.domain.trust import keys
from lobby.domain.trust.reading import Unreadable, read
from lobby.errors import InvalidInput
from lobby.names import ThingName, shown

MAX_CHARACTERS: Final = 12 * 1024
"""Larger than a request with an RSA key of 16384 bits."""
_ONE_PEM: Final = re.compile(
    r"\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----\s[A-Za-z0-9+/=\s]+-----END (NEW )?CERTIFICATE REQUEST-----\s*"
)


def parse_signing_request(text: object, name: ThingName) -> x509.CertificateSigningRequest:
    """Return the request for a certificate of `name`. Raise `InvalidInput` INVALID_CSR, CSR_WEAK_SIGNATURE,
    CSR_WEAK_KEY or CSR_OTHER_NAME."""
    csr = _load(text)
    _check_key(csr)
    _check_signature(csr)
    _check_purpose(csr)
    _check_name(csr, name)
    return csr


def public_key_of(signed: keys.Signed) -> bytes:
    """Return the public key as DER, to compare two. Raise `Unreadable`."""
    return read(lambda: signed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def _load(text: object) -> x509.CertificateSigningRequest:
    if not isinstance(text, str):
        raise _invalid(f"{shown(text)}, want text: PKCS#10 in PEM")
    if len(text) > MAX_CHARACTERS:
        raise _invalid(f"{len(text)} characters, want at most {MAX_CHARACTERS}")
    if "PRIVATE KEY" in text:  # not quoted, because messages are logged
        raise _invalid("a private key, which must never leave the device; make another one, and send a request for it")
    if not _ONE_PEM.fullmatch(text):
        raise _invalid(f"{shown(text, 60)}, want one request: PKCS#10 in PEM")
    try:
        csr = read(lambda: x509.load_pem_x509_csr(text.encode()))
        read(lambda: (csr.subject, list(csr.extensions)))
    except Unreadable as error:
        raise _invalid(f"a request that cannot be read ({error}), want PKCS#10 in PEM") from None
    return csr


def _check_key(csr: x509.CertificateSigningRequest) -> None:
    """Check the key. Its size is checked before the key is used."""
    try:
        key = keys.key_of(csr)
    except Unreadable as error:
        raise InvalidInput("CSR_WEAK_KEY", f"got a key that is not supported ({error}), want {keys.WANTED}") from None
    if wrong := keys.weakness(key) or keys.excess(key):
        raise InvalidInput("CSR_WEAK_KEY", f"got {wrong}, want {keys.WANTED}")


def _check_signature(csr: x509.CertificateSigningRequest) -> None:
    """Check the hash, then the signature. The library cannot verify weak hashes, so a signature with one would look
    like a wrong signature."""
    try:
        weak = keys.weak_hash(csr)
    except Unreadable as error:
        weak = str(error)
    if weak:
        raise InvalidInput("CSR_WEAK_SIGNATURE", f"got a signature with {weak}, want SHA-256, SHA-384 or SHA-512")
    try:
        genuine = read(lambda: csr.is_signature_valid)
    except Unreadable:
        genuine = False
    if not genuine:
        raise _invalid("a signature that is not by the key in the request, want one that is")


def _check_purpose(csr: x509.CertificateSigningRequest) -> None:
    for extension in csr.extensions:
        match extension.value:
            case x509.BasicConstraints(ca=True) | x509.KeyUsage(key_cert_sign=True):
                raise _invalid("a request for a CA certificate, want a device's")


def _check_name(csr: x509.CertificateSigningRequest, name: ThingName) -> None:
    found = [each.value for each in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if found != [name]:
        got = ", ".join(shown(each) for each in found) or "none"
        raise InvalidInput("CSR_OTHER_NAME", f"got CN {got} in the request, want one, the thing name {name}")


def _invalid(what: str) -> InvalidInput:
    return InvalidInput("INVALID_CSR", f"got {what}")
