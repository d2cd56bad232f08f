"""Certificate signing requests (PKCS#10) of devices that generate their own key, which never leaves the device.

Only the public key, and the CN and serialNumber of the subject, are used. Requested extensions are ignored. Rejects a
request for a CA certificate, an invalid signature, a weak key, and a subject without exactly one CN.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from lobby.errors import InvalidInput
from lobby.names import ThingName, shown
from pki.ca.keys import PublicKey, check_public_key
from pki.ca.profile import device_name
from pki.devices.details import serial_number

MAX_REQUEST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """The fields used from a request whose signature proves possession of the private key."""

    name: ThingName
    public_key: PublicKey
    serial_number: str = ""
    """The product's serial number, from the subject."""


def parse_request(content: bytes, source: object) -> Request:
    """Return a validated request from PEM or DER; `source` is the file named in messages.

    Raise `InvalidInput` INVALID_CSR, WEAK_KEY or INVALID_THING_NAME.
    """
    csr = _load(content, source)
    _refuse_weak_hash(csr, source)
    try:
        valid = csr.is_signature_valid
        key = check_public_key(csr.public_key())
    except (ValueError, UnsupportedAlgorithm) as err:
        raise InvalidInput("INVALID_CSR", f"got {source} with an unsupported key or signature: {err}") from None
    if not valid:
        raise InvalidInput("INVALID_CSR", f"got {source}, want a signature by the key in the request")
    _refuse_ca(csr, source)
    return Request(_common_name(csr, source), key, _serial_number(csr, source))


def _load(content: bytes, source: object) -> x509.CertificateSigningRequest:
    if len(content) > MAX_REQUEST_BYTES:
        raise InvalidInput("INVALID_CSR", f"got {len(content)} bytes in {source}, want at most {MAX_REQUEST_BYTES}")
    load = x509.load_pem_x509_csr if b"-----BEGIN" in content else x509.load_der_x509_csr
    try:
        return load(content)
    except ValueError:
        raise InvalidInput(
            "INVALID_CSR", f"got {source}: {shown(content[:40])}, want a PKCS#10 request in PEM or DER"
        ) from None


def _refuse_weak_hash(csr: x509.CertificateSigningRequest, source: object) -> None:
    """Refuse a weak hash with its own message. The library cannot verify weak hashes, so such a signature would look as
    if another key had made it."""
    try:
        algorithm = csr.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm) as err:
        raise InvalidInput("INVALID_CSR", f"got {source} with an unsupported signature: {err}") from None
    if algorithm is not None and algorithm.name in {"md5", "sha1"}:
        raise InvalidInput(
            "INVALID_CSR",
            f"got {source} signed with {algorithm.name.upper()}, want SHA-256: create the request again with it",
        )


def _serial_number(csr: x509.CertificateSigningRequest, source: object) -> str:
    numbers = csr.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    if len(numbers) > 1:
        raise InvalidInput("INVALID_CSR", f"got {source} with {len(numbers)} serial numbers, want at most one")
    return serial_number(numbers[0].value) if numbers else ""


def _refuse_ca(csr: x509.CertificateSigningRequest, source: object) -> None:
    try:
        requested = [extension.value for extension in csr.extensions]
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as err:
        raise InvalidInput("INVALID_CSR", f"got {source} with extensions that do not parse: {err}") from None
    for value in requested:
        signs = isinstance(value, x509.KeyUsage) and (value.key_cert_sign or value.crl_sign)
        if signs or (isinstance(value, x509.BasicConstraints) and value.ca):
            raise InvalidInput("INVALID_CSR", f"got {source}, which requests a CA certificate, want a device's request")


def _common_name(csr: x509.CertificateSigningRequest, source: object) -> ThingName:
    try:
        names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError as err:
        raise InvalidInput("INVALID_CSR", f"got {source} with a subject that does not parse: {err}") from None
    if len(names) != 1:
        raise InvalidInput("INVALID_CSR", f"got {source} with {len(names)} common names, want one, the thing name")
    return device_name(names[0].value)
