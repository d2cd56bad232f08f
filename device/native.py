"""The client's libraries with awscrt and cryptography: keys, certificates and connections.

`device.portable` has the same in pure Python.
"""

from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from device.credential_files import load
from device.credentials import FileCredentials
from device.identity import check_ca
from device.identity_store import MAX_COMMON_NAME
from device.libraries import TlsFiles
from device.mqtt import MqttConnection
from device.runtime import Opener
from device.validity import Validity
from lobby.names import ThingName


class NativeKeys:
    """`device.identity_store.Keys`."""

    def create(self) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    def public_key(self, key: bytes) -> bytes:
        return _parse(key).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def request(self, key: bytes, name: ThingName) -> str:
        names = [x509.NameAttribute(NameOID.COMMON_NAME, name)] if len(name) <= MAX_COMMON_NAME else []
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
        return builder.sign(_parse(key), SHA256()).public_bytes(Encoding.PEM).decode()


class NativeLibraries:
    """`device.libraries.Libraries`."""

    keys = NativeKeys()

    def validity(self, certificate: Path) -> Validity:
        found = load(certificate, None).certificate
        return Validity(found.not_valid_before_utc, found.not_valid_after_utc)

    def opener(self, files: TlsFiles, client_id: Callable[[], str], answer_s: float) -> Opener:
        check_ca(files.ca)
        credentials = FileCredentials(files.cert, files.key, files.ca)
        credentials.check()
        return lambda connection_id, report: MqttConnection(connection_id, report, credentials, client_id(), answer_s)


def _parse(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"got no private key ({error})") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("got a key that is not on P-256, want one on P-256")  # noqa: TRY004 - content of a file
    return key
