"""A receiver of webhooks on this machine: HTTPS with its own CA, scripted responses, and a record of requests."""

import base64
import hashlib
import hmac
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Request:
    """A received request. Names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """Verify the signature as the Standard Webhooks specification describes it for receivers."""
        content = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        want = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return f"v1,{want}" in self.headers["webhook-signature"].split(" ")


@dataclass(frozen=True)
class Answer:
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent in place of a response."""
    block: threading.Event | None = None
    """Before the answer, wait for it."""
    trickle: threading.Event | None = None
    """Until it is set, send the answer's header byte by byte, without an end."""


class Receiver:
    """`answer` decides by request. `roots` is the file with its CA."""

    def __init__(self, port: int, roots: Path) -> None:
        self.port, self.roots = port, roots
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda _request: Answer()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/hook"


@contextmanager
def receiving(directory: Path, name: str = "localhost") -> Iterator[Receiver]:
    """Run a receiver with a certificate for `name`, with its files in `directory`."""
    roots, chain = directory / "roots.pem", directory / "receiver.pem"
    _write_certificates(roots, chain, name)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.receiver = Receiver(server.server_address[1], roots)
    server.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.tls.load_cert_chain(chain)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver
    tls: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            with self.tls.wrap_socket(request, server_side=True) as encrypted:
                super().finish_request(encrypted, client_address)
        except OSError:
            return  # the sender has refused the certificate or has disconnected


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        receiver.requests.append(request)
        answer = receiver.answer(request)
        if answer.block:
            answer.block.wait(20)
        if answer.trickle:
            self._trickle(answer.trickle)
            return
        if answer.raw is not None:
            self.wfile.write(answer.raw)
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": "0", **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def _trickle(self, ended: threading.Event) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
        while not ended.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Log nothing."""


def _write_certificates(roots: Path, chain: Path, name: str) -> None:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "webhook receiver CA")])
    authority = (
        _builder(issuer, issuer, authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_signs_certificates(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    leaf = (
        _builder(subject, issuer, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    roots.write_bytes(authority.public_bytes(pem))
    chain.write_bytes(leaf.public_bytes(pem) + private)


def _signs_certificates() -> x509.KeyUsage:
    """Return the key usage of a CA, which Python 3.13 requires."""
    return x509.KeyUsage(
        key_cert_sign=True,
        crl_sign=True,
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
