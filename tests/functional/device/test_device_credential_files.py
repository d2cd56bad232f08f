"""Certificate, chain and key in files of common formats: the client connects, or ends with status 2."""

import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from device.credential_files import has_key, load
from device.credentials import FileCredentials
from device.errors import BadCredentials
from device.identity import read_identity
from lobby.wire import Route
from tests.functional.device.scripted_broker import Broker, serve
from tests.functional.device.tls_certificates import IssuedCertificate, issue

ROOT = Path(__file__).parents[3]


class Files:
    """A device below two CAs, with its certificates and key in files of different forms."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = issue(folder, "ca")
        self.device = issue(folder, "sensor-1", self.ca)
        self.other = issue(folder, "other", self.ca)
        self.device_pem, self.ca_pem, self.other_pem = (
            each.certificate.public_bytes(Encoding.PEM) for each in (self.device, self.ca, self.other)
        )
        self.key_pem = self.key(self.device)

    @staticmethod
    def key(issued: IssuedCertificate, kind: PrivateFormat = PrivateFormat.PKCS8, secret: bytes = b"") -> bytes:
        return issued.private.private_bytes(
            Encoding.PEM, kind, BestAvailableEncryption(secret) if secret else NoEncryption()
        )

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def pkcs12_dump(self) -> bytes:
        """Return the output of `openssl pkcs12 -nodes`: Bag Attributes, certificates in the order of the archive, the
        key."""
        archive = pkcs12.serialize_key_and_certificates(
            b"sensor",
            self.device.private,
            self.device.certificate,
            [self.ca.certificate],
            BestAvailableEncryption(b"x"),
        )
        path = self.write("device.p12", archive)
        command = ["openssl", "pkcs12", "-in", str(path), "-nodes", "-passin", "pass:x"]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def sm2_pem(self) -> bytes:
        """Return a certificate with a key that neither `cryptography` nor AWS IoT supports."""
        key = str(self.folder / "sm2.key")
        subprocess.run(["openssl", "genpkey", "-algorithm", "SM2", "-out", key], capture_output=True, check=True)
        command = ["openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=other"]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def der(self) -> bytes:
        return self.device.certificate.public_bytes(Encoding.DER)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


READABLE: dict[str, Callable[[Files], tuple[bytes, bytes | None]]] = {
    "two files": lambda f: (f.device_pem, f.key_pem),
    "one file": lambda f: (f.device_pem + f.ca_pem + f.key_pem, None),
    "one file, key first": lambda f: (f.key_pem + f.device_pem, None),
    "a dump of openssl pkcs12": lambda f: (f.pkcs12_dump(), None),
    "a dump of openssl pkcs12 for both": lambda f: (f.pkcs12_dump(), f.pkcs12_dump()),
    "the CA first": lambda f: (f.ca_pem + f.device_pem, f.key_pem),
    "next to another device": lambda f: (f.other_pem + f.ca_pem + f.device_pem, f.key_pem),
    "CRLF and a BOM": lambda f: (
        b"\xef\xbb\xbf" + f.device_pem.replace(b"\n", b"\r\n"),
        f.key_pem.replace(b"\n", b"\r\n"),
    ),
    "UTF-16, as PowerShell saves output": lambda f: (
        f.device_pem.decode().encode("utf-16"),
        f.key_pem.decode().encode("utf-16"),
    ),
    "one file in UTF-16": lambda f: ((f.device_pem + f.key_pem).decode().encode("utf-16"), None),
    "after a certificate of an unknown algorithm": lambda f: (f.sm2_pem() + f.device_pem, f.key_pem),
    "DER": lambda f: (f.der(), f.key_pem),
    "SEC 1 with parameters": lambda f: (
        f.device_pem,
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        + f.key(f.device, PrivateFormat.TraditionalOpenSSL),
    ),
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
def test_the_tls_library_accepts(content: Callable[[Files], tuple[bytes, bytes | None]], files: Files) -> None:
    cert, key = content(files)
    cert_path = files.write("device.crt", cert)
    key_path = cert_path if key is None else files.write("device.key", key)
    FileCredentials(cert_path, key_path, files.ca.cert).check()
    bundle = load(cert_path, key_path)
    assert bundle.certificate == files.device.certificate
    assert bundle.chain in {(), (files.ca.certificate,)}
    assert bundle.key_pem == files.key(files.device, PrivateFormat.TraditionalOpenSSL)
    assert has_key(cert_path) is (key is None or b"PRIVATE" in cert)


@pytest.mark.slow
def test_a_device_arrives_with_a_dump_of_openssl_pkcs12_only(files: Files) -> None:
    cert = files.write("device.pem", files.pkcs12_dump())
    server = issue(files.folder, "server", files.ca)
    with Broker(server, files.ca, serve(Route("127.0.0.1").encode()), serve()) as broker:
        lobby = f"127.0.0.1:{broker.port}"
        done = run(files, "--cert", str(cert), "--ca", str(files.ca.cert), "--exit-on-arrival", "--lobby", lobby)
    assert (done.returncode, done.stderr) == (0, "")


def run(files: Files, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "device", "run", "--state-dir", str(files.folder / "state"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


UNUSABLE: dict[str, tuple[Callable[[Files], tuple[bytes, bytes]], str]] = {
    "the key of another device": (lambda f: (f.device_pem, f.key(f.other)), "KEY_MISMATCH"),
    "an encrypted key": (lambda f: (f.device_pem, f.key(f.device, secret=b"x")), "openssl pkey"),
    "a PKCS#12 archive": (
        lambda f: (f.pkcs12_dump() and (f.folder / "device.p12").read_bytes(), f.key_pem),
        "pkcs12 -in",
    ),
    "two keys": (lambda f: (f.device_pem, f.key_pem + f.key(f.other)), "got 2 private keys"),
    "a certificate as key": (lambda f: (f.device_pem, f.device_pem), "KEY_UNREADABLE"),
    "an empty certificate file": (lambda f: (b"", f.key_pem), "CERTIFICATE_UNREADABLE"),
}


@pytest.mark.parametrize(("content", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_the_client_ends_before_it_connects_for(
    content: Callable[[Files], tuple[bytes, bytes]], message: str, files: Files
) -> None:
    cert, key = content(files)
    paths = files.write("device.crt", cert), files.write("device.key", key)
    done = run(
        files, "--cert", str(paths[0]), "--key", str(paths[1]), "--ca", str(files.ca.cert), "--lobby", "127.0.0.1:1"
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_the_certificate_without_a_key_is_the_one_that_issued_no_other(files: Files) -> None:
    bundle = files.write("bundle", files.ca_pem + files.device_pem)
    assert read_identity(bundle).thing == "sensor-1"
    loaded = load(bundle, None)
    assert (loaded.certificate, loaded.chain, loaded.key_pem) == (
        files.device.certificate,
        (files.ca.certificate,),
        b"",
    )


def test_files_that_the_tls_library_rejects_end_the_client(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def rejects(_: FileCredentials, **__: Any) -> None:
        raise RuntimeError("1033 (AWS_IO_TLS_CTX_ERROR)")

    monkeypatch.setattr(FileCredentials, "connection", rejects)
    with pytest.raises(BadCredentials, match="AWS_IO_TLS_CTX_ERROR"):
        FileCredentials(files.device.cert, files.device.key, files.ca.cert).check()


@contextmanager
def tls_server(files: Files, version: ssl.TLSVersion) -> Iterator[tuple[int, list[str]]]:
    """Accept one connection with this version of TLS only. Yield the port and the result of the handshake."""
    server, outcomes = issue(files.folder, "server", files.ca), []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(server.cert, server.key)
    context.load_verify_locations(files.ca.cert)
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)

    def accept() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                try:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        outcomes.append(secure.version() or "")
                except ssl.SSLError as error:
                    outcomes.append(str(error.reason))

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield listener.getsockname()[1], outcomes
    finally:
        thread.join(20)
        listener.close()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize(
    ("version", "outcome"),
    [
        (ssl.TLSVersion.TLSv1_1, "UNSUPPORTED_PROTOCOL"),
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ],
)
def test_the_client_uses_tls_1_2_or_newer(files: Files, version: ssl.TLSVersion, outcome: str) -> None:
    credentials = FileCredentials(files.device.cert, files.device.key, files.ca.cert)
    with tls_server(files, version) as (port, outcomes):
        connection = credentials.connection(
            endpoint="127.0.0.1", port=port, client_id="d", tcp_connect_timeout_ms=5000, ping_timeout_ms=1000
        )
        with pytest.raises(Exception, match="AWS_"):
            connection.connect().result(20)
    assert outcomes == [outcome]
