"""Certificate signing requests from devices that make their own key, which then never leaves them.

Only two things are taken from a request: the public key and the subject CN. Requested extensions are ignored,
and a request that asks to be a CA is refused, as are a wrong signature, a weak key, and anything but one CN.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from lobby.errors import InvalidInput
from lobby.names import ThingName, shown
from pki.keys import PublicKey, check_public_key
from pki.profile import device_name

MAX_REQUEST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """What a request is good for: a name, and proof that its sender holds this key."""

    name: ThingName
    public_key: PublicKey


def parse_request(content: bytes, source: object) -> Request:
    """A checked request from PEM or DER; `source` is named in messages.

    Raises `InvalidInput`: INVALID_CSR, WEAK_KEY, INVALID_THING_NAME.
    """
    csr = _load(content, source)
    try:
        genuine = csr.is_signature_valid
        key = check_public_key(csr.public_key())
    except (ValueError, UnsupportedAlgorithm) as err:
        raise InvalidInput("INVALID_CSR", f"got {source} with a key or signature not understood: {err}") from None
    if not genuine:
        raise InvalidInput("INVALID_CSR", f"got {source} whose signature does not fit its own key")
    _refuse_ca(csr, source)
    return Request(_common_name(csr, source), key)


def _load(content: bytes, source: object) -> x509.CertificateSigningRequest:
    if len(content) > MAX_REQUEST_BYTES:
        raise InvalidInput("INVALID_CSR", f"got {len(content)} bytes in {source}, want at most {MAX_REQUEST_BYTES}")
    load = x509.load_pem_x509_csr if b"-----BEGIN" in content else x509.load_der_x509_csr
    try:
        return load(content)
    except ValueError:
        raise InvalidInput(
            "INVALID_CSR", f"got {source}: {shown(content[:40])}, want a PKCS#10 request, PEM or DER"
        ) from None


def _refuse_ca(csr: x509.CertificateSigningRequest, source: object) -> None:
    try:
        wanted = [extension.value for extension in csr.extensions]
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as err:
        raise InvalidInput("INVALID_CSR", f"got {source} with extensions that do not parse: {err}") from None
    for value in wanted:
        signs = isinstance(value, x509.KeyUsage) and (value.key_cert_sign or value.crl_sign)
        if signs or (isinstance(value, x509.BasicConstraints) and value.ca):
            raise InvalidInput("INVALID_CSR", f"got {source}, which asks to be a CA, want a device's request")


def _common_name(csr: x509.CertificateSigningRequest, source: object) -> ThingName:
    try:
        names = csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError as err:
        raise InvalidInput("INVALID_CSR", f"got {source} with a subject that does not parse: {err}") from None
    if len(names) != 1:
        raise InvalidInput("INVALID_CSR", f"got {source} with {len(names)} common names, want one: the thing name")
    return device_name(names[0].value)
