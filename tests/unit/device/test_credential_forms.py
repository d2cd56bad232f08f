"""Files with certificates and keys as users have them: resolved, or rejected before anything connects, with the fix."""

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from device.command_options import RUN, values
from device.credential_files import load
from device.errors import BadCredentials
from device.libraries import TlsFiles
from device.machine.plan import Timing
from device.options import Options
from device.portable.libraries import PortableLibraries
from device.settings import load_settings
from lobby.errors import InvalidInput, LobbyError

CA_KEY: Final = ec.generate_private_key(ec.SECP256R1())
KEY: Final = ec.generate_private_key(ec.SECP256R1())
NOW: Final = datetime.now(UTC)
PARAMETERS: Final = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def issued(key: Any = KEY, name: str = "sensor-1", *, ca: bool = False, days: int = 30, use: Any = None) -> bytes:
    named, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, "ca"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=90))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if use:
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    return builder.sign(CA_KEY, SHA256()).public_bytes(Encoding.PEM)


def key_of(
    key: Any, kind: PrivateFormat = PrivateFormat.PKCS8, form: Encoding = Encoding.PEM, secret: bytes = b""
) -> bytes:
    encoded: bytes = key.private_bytes(form, kind, BestAvailableEncryption(secret) if secret else NoEncryption())
    return encoded


def archive(form: Encoding, *pems: bytes) -> bytes:
    return pkcs7.serialize_certificates([x509.load_pem_x509_certificate(each) for each in pems], form)


def der(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


CA, CERT, PKCS8 = issued(CA_KEY, "ca", ca=True), issued(), key_of(KEY)
SEC1: Final = key_of(KEY, PrivateFormat.TraditionalOpenSSL)
EXPIRED: Final = issued(days=-30)
REQUEST: Final = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(x509.load_pem_x509_certificate(CERT).subject)
    .sign(KEY, SHA256())
    .public_bytes(Encoding.PEM)
)
PUBLIC: Final = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
WEAK, OTHER_CURVE, EDWARDS = (
    rsa.generate_private_key(65537, 1024),  # noqa: S505  # rejected
    ec.generate_private_key(ec.SECP256K1()),
    ed25519.Ed25519PrivateKey.generate(),
)
RESOLVED: Final[dict[str, tuple[bytes, bytes | None, bytes]]] = {
    "lines that end with CR": (CERT.replace(b"\n", b"\r"), PKCS8.replace(b"\n", b"\r"), CA),
    "one file without line ends between its parts": (CERT.rstrip() + PKCS8.rstrip(), None, CA.rstrip()),
    "PKCS#7": (archive(Encoding.PEM, CA, CERT), PKCS8, CA),
    "PKCS#7 and the key in one file": (archive(Encoding.PEM, CERT) + PKCS8, None, CA),
    "PKCS#7 in DER": (archive(Encoding.DER, CERT, CA), PKCS8, CA),
    "each certificate several times": (CERT * 3 + CA * 2, PKCS8, CA * 3),
    "the same key in two forms": (CERT, PKCS8 + SEC1, CA),
    "parameters after the key, CRLF": (CERT, (SEC1 + PARAMETERS).replace(b"\n", b"\r\n"), CA),
    "parameters next to the certificate": (PARAMETERS + CERT + SEC1, None, CA),
    "an expired certificate of the same key first": (EXPIRED + CERT, PKCS8, CA),
    "the servers' CA as DER": (CERT, PKCS8, der(CA)),
    "the servers' CA as PKCS#7": (CERT, PKCS8, archive(Encoding.PEM, CA)),
    "the servers' CA in UTF-16": (CERT, PKCS8, CA.decode().encode("utf-16")),
    "the servers' CA with a BOM and CRLF": (CERT, PKCS8, b"\xef\xbb\xbf" + CA.replace(b"\n", b"\r\n")),
    "the servers' CA next to a key": (CERT, PKCS8, key_of(CA_KEY) + CA),
    "the servers' CA next to the device's certificate": (CERT, PKCS8, CERT + CA),
}
REJECTED: Final[dict[str, tuple[bytes, bytes | None, bytes, str]]] = {
    "a chain that is cut off": (CERT + CA[:-40], PKCS8, CA, "2 certificates of which 1 are complete"),
    "a signing request": (REQUEST, PKCS8, CA, "x.crt with CERTIFICATE REQUEST, want the device's certificate"),
    "a certificate with trust settings": (CERT.replace(b"CERT", b"TRUSTED CERT"), PKCS8, CA, "openssl x509 -in FILE"),
    "certificate and key exchanged": (PKCS8, CERT, CA, "x.crt with PRIVATE KEY, want the device's certificate"),
    "a public key": (CERT, PUBLIC, CA, "x.key with PUBLIC KEY, want the device's private key"),
    "only parameters": (CERT, PARAMETERS, CA, "x.key with EC PARAMETERS, want the device's private key"),
    "an encrypted key in DER": (CERT, key_of(KEY, form=Encoding.DER, secret=b"x"), CA, "openssl pkey -in KEY"),
    "an encrypted key in the old format": (
        CERT + key_of(KEY, PrivateFormat.TraditionalOpenSSL, secret=b"x").replace(b"\n", b"\r\n"),
        None,
        CA,
        "openssl pkey -in KEY",
    ),
    "keys of two devices": (CERT, PKCS8 + key_of(CA_KEY), CA, "got 2 private keys"),
    "a key on a curve for signatures only": (issued(EDWARDS), key_of(EDWARDS), CA, "want an RSA or EC key"),
    "RSA of 1024 bits": (issued(WEAK), key_of(WEAK), CA, "RSA key of 1024 bits, want at least 2048"),
    "an unsupported curve": (issued(OTHER_CURVE), key_of(OTHER_CURVE), CA, "key on secp256k1, want P-256"),
    "the certificate of a server": (
        issued(use=ExtendedKeyUsageOID.SERVER_AUTH),
        PKCS8,
        CA,
        "CERTIFICATE_UNSUITABLE: .*want extendedKeyUsage clientAuth",
    ),
    "the certificate of a CA": (CA, key_of(CA_KEY), CA, "CERTIFICATE_UNSUITABLE: .*the certificate of a CA"),
    "the device's certificate as CA": (CERT, PKCS8, CERT, "CA_UNREADABLE: got the device's own certificate"),
    "a key as CA": (CERT, PKCS8, PKCS8, "CA_UNREADABLE: got .*x.ca with PRIVATE KEY, want the servers' CA"),
    "no CA": (CERT, PKCS8, b"", "CA_UNREADABLE"),
    "a large file": (CERT + b"#" * (1 << 20), PKCS8, CA, "x.crt with more than 1,048,576 bytes"),
    "a large key file": (CERT, b"#" * (1 << 20) + PKCS8, CA, "x.key with more than 1,048,576 bytes"),
    "a large CA file": (CERT, PKCS8, CA * 4000, "x.ca with more than 1,048,576 bytes"),
}


def started(cert: Path, key: Path | None, ca: Path) -> str:
    """Return the thing name with which the client starts. `load_settings` opens no connection."""
    options = Options(cert=cert, key=key, ca=ca, lobby=("localhost",), port=8883, state_dir=cert.parent)
    return load_settings(options, Timing(), exit_on_arrival=False).identity.thing


def written(folder: Path, cert: bytes, key: bytes | None, ca: bytes) -> tuple[Path, Path | None, Path]:
    paths = [folder / f"x.{suffix}" for suffix in ("crt", "key", "ca")]
    for path, content in zip(paths, (cert, key, ca), strict=True):
        path.write_bytes(content or b"")
    return paths[0], paths[1] if key is not None else None, paths[2]


@pytest.mark.parametrize("name", RESOLVED)
def test_the_client_starts_with(name: str, tmp_path: Path) -> None:
    cert, key, ca = written(tmp_path, *RESOLVED[name])
    assert started(cert, key, ca) == "sensor-1"
    assert load(cert, key or cert).certificate == x509.load_pem_x509_certificate(CERT)


@pytest.mark.parametrize("name", REJECTED)
def test_the_client_does_not_start_with(name: str, tmp_path: Path) -> None:
    cert, key, ca, message = REJECTED[name]
    with pytest.raises(LobbyError, match=message):
        started(*written(tmp_path, cert, key, ca))


def within_a_second(work: Callable[[], object]) -> list[BaseException]:
    """Return the error of `work`. A call that waits for a pipe never ends, so it gets its own thread."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except LobbyError as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits for the pipe"
    return errors


UNUSABLE: Final[dict[str, tuple[Callable[[Path], object], str]]] = {
    "a pipe": (os.mkfifo, "which is a pipe, want a file"),
    "a folder": (Path.mkdir, "which is a folder, want a file"),
    "a link to itself": (lambda path: path.symlink_to(path), "want a readable file"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "which is a device, want a file"),
}


@pytest.mark.parametrize("option", ["cert", "key", "ca", "pkcs11_pin_file"])
@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_path_that_is_not_a_file_is_named(kind: str, option: str, tmp_path: Path) -> None:
    create, message = UNUSABLE[kind]
    cert, key, ca = written(tmp_path, CERT, PKCS8, CA)
    create(tmp_path / "unusable")
    token = {"pkcs11_lib": tmp_path / "lib", "key": None} if option == "pkcs11_pin_file" else {}
    chosen: dict[str, Any] = {"cert": cert, "key": key, "ca": ca, **token, option: tmp_path / "unusable"}
    options = Options(lobby=("localhost",), port=8883, state_dir=tmp_path, **chosen)
    (error,) = within_a_second(lambda: load_settings(options, Timing(), exit_on_arrival=False))
    assert message in str(error)
    assert str(tmp_path / "unusable") in str(error)


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_settings_file_that_is_no_file_is_named(kind: str, tmp_path: Path) -> None:
    create, message = UNUSABLE[kind]
    create(tmp_path / "settings")
    (error,) = within_a_second(lambda: values(RUN, {"settings": str(tmp_path / "settings")}, {}))
    assert isinstance(error, InvalidInput)
    assert message in str(error)


@pytest.mark.parametrize("broken", ["cert", "key", "ca"])
def test_a_bundle_rejects_a_pipe(broken: str, tmp_path: Path) -> None:
    cert, key, ca = written(tmp_path, CERT, PKCS8, CA)
    os.mkfifo(tmp_path / "pipe")
    files: dict[str, Any] = {"cert": cert, "key": key, "ca": ca, broken: tmp_path / "pipe"}
    (error,) = within_a_second(lambda: PortableLibraries().opener(TlsFiles(**files), lambda: "x", 1))
    assert "which is a pipe, want a file" in str(error)
    (error,) = within_a_second(lambda: PortableLibraries().validity(tmp_path / "pipe"))
    assert "which is a pipe, want a file" in str(error)


@pytest.mark.parametrize("kind", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_bundle_does_not_ask_for_the_password_of_a_key(kind: PrivateFormat, tmp_path: Path) -> None:
    cert, key, ca = written(tmp_path, CERT, key_of(KEY, kind, secret=b"x"), CA)
    assert key is not None
    with pytest.raises(BadCredentials, match=r"KEY_UNREADABLE: .*an encrypted key: decrypt it with `openssl pkey"):
        PortableLibraries().opener(TlsFiles(cert, key, ca), lambda: "x", 1)
