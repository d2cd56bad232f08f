"""The certificate of a signature: which URLs are fetched, which certificates are accepted, and which are cached."""

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lobby.aws import signing_certificates
from lobby.aws.signing_certificates import RETRY_AFTER, SigningCertificates, fetcher
from lobby.errors import CertificateUnavailable, MessageRejected
from lobby.names import Region
from tests.aws import Clock
from tests.certificates import DAY, NOW, YEAR, key
from tests.sns_messages import FILE, SNS, certificate, certificate_url, sns_key

REGION = Region("eu-west-1")
URL = certificate_url(REGION)


class Published:
    """Returns `content` for every URL, or raises it; records the URLs."""

    def __init__(self, content: bytes | Exception) -> None:
        self.content, self.urls = content, list[str]()

    def __call__(self, url: str) -> bytes:
        self.urls.append(url)
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def rejection(url: object, content: bytes = b"", region: Region = REGION) -> tuple[str, list[str]]:
    """Return the code of the rejection and the URLs that were fetched."""
    published = Published(content)
    with pytest.raises(MessageRejected) as rejected:
        SigningCertificates(published, Clock()).key(url, region)
    return rejected.value.code, published.urls


@pytest.mark.parametrize(
    "url",
    [
        URL.replace("https:", "http:"),
        URL.replace("https:", "HTTPS:"),
        URL.replace("amazonaws.com", "amazonaws.com.evil.example"),
        URL.replace("amazonaws.com", "amazonaws.com.cn"),
        URL.replace("eu-west-1", "us-east-1"),
        URL.replace("eu-west-1", "evil"),
        URL.replace("sns.", "sns.s3."),
        URL.replace("sns.eu-west-1", "sns-eu-west-1"),
        URL.replace("sns.", "evil-sns."),
        URL.replace("sns.", "user@sns."),
        URL.replace("sns.", "evil.example#@sns."),
        URL.replace("sns.", "evil.example\\@sns."),
        URL.replace(".com/", ".com:8443/"),
        URL.replace(".com/", ".com@evil.example/"),
        URL.replace(".com/", ".com/../"),
        URL.replace(".com/", ".com//"),
        URL.replace(".com/", ".com/x/"),
        URL.replace(".com/", ".com/%2e%2e/"),
        URL.replace(".com/", ".com/?Action=GetTopicAttributes&x="),
        URL.replace(".pem", ".pem?x"),
        URL.replace(".pem", ".pem#x"),
        URL.replace(".pem", ".pem/x"),
        URL.replace(".pem", ".pem\n"),
        URL.replace(".pem", ".cer"),
        URL.replace(FILE, "evil.pem"),
        URL.replace(FILE, "SimpleNotificationService-fake.pem"),
        f" {URL}",
        f"file:///{FILE}",
        f"https://evil.example/{URL}",
        "",
        None,
        7,
        [URL],
        {},
    ],
    ids=str,
)
def test_a_certificate_is_fetched_only_from_sns_in_the_topics_region(url: object) -> None:
    assert rejection(url, certificate(SNS)) == ("UNTRUSTED_CERTIFICATE_URL", [])
    assert not SigningCertificates(Published(b""), Clock()).holds(url)


@pytest.mark.parametrize(
    ("region", "content"),
    [
        ("eu-west-1", certificate(SNS)),
        ("eu-west-1", certificate("other.example", SNS)),
        ("eu-west-1", certificate()),
        ("eu-south-1", certificate("sns-signing.eu-south-1.amazonaws.com")),
    ],
    ids=["name", "names", "common name", "opt-in Region"],
)
def test_a_certificate_of_sns_is_accepted(region: str, content: bytes) -> None:
    certificates = SigningCertificates(Published(content), Clock())
    assert certificates.key(certificate_url(region), Region(region)) == sns_key().public_key()


@pytest.mark.parametrize(
    "content",
    [
        certificate("evil.example"),
        certificate("evil.example", cn=SNS),
        certificate("sns.amazonaws.com.evil.example"),
        certificate("*.amazonaws.com"),
        certificate("sns-signing.us-east-1.amazonaws.com"),
        certificate(cn="sns.eu-west-1.amazonaws.com"),
        certificate(SNS, end=NOW - DAY),
        certificate(SNS, begin=NOW + DAY),
        certificate(SNS, signer=key("SECP256R1")),
        certificate(SNS, signer=key("rsa-1024")),
        certificate(SNS) * 2,
        certificate(SNS).replace(b"MII", b"MIJ", 1),
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"<html>not found</html>",
        b"\xff" * 1000,
        b"",
    ],
    ids=range(16),
)
def test_another_certificate_is_rejected(content: bytes) -> None:
    assert rejection(URL, content) == ("BAD_CERTIFICATE", [URL])


def test_a_certificate_is_fetched_once_and_its_validity_checked_each_time() -> None:
    published, clock = Published(certificate(SNS)), Clock()
    certificates = SigningCertificates(published, clock)
    assert not certificates.holds(URL)
    for _ in range(3):
        certificates.key(URL, REGION)
    assert (published.urls, certificates.holds(URL)) == ([URL], True)
    clock.time = NOW + YEAR + timedelta(seconds=1)
    with pytest.raises(MessageRejected, match="BAD_CERTIFICATE"):
        certificates.key(URL, REGION)


@pytest.mark.parametrize("error", [CertificateUnavailable("X", "down"), MessageRejected("X", "none")], ids=str)
def test_a_failed_fetch_is_not_repeated_for_each_message_of_a_batch(error: Exception) -> None:
    published, clock = Published(error), Clock()
    certificates = SigningCertificates(published, clock)
    for _ in range(3):
        with pytest.raises(type(error)):
            certificates.key(URL, REGION)
    assert published.urls == [URL]
    published.content = certificate(SNS)
    clock.time += RETRY_AFTER
    certificates.key(URL, REGION)
    assert published.urls == [URL, URL]


class _Sns(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        status, body = self.answers[self.path.rpartition("/")[2]]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status in (301, 302):
            self.send_header("Location", "/moved")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Print nothing."""


@pytest.fixture
def emulator() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Sns)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, bytes], None]:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr(_Sns, "paths", [])
    return lambda status, body: monkeypatch.setattr(_Sns, "answers", {FILE: (status, body), "moved": (200, body)})


def test_an_emulator_serves_the_certificate_below_its_region(
    emulator: str, answer: Callable[[int, bytes], None]
) -> None:
    answer(200, certificate(SNS))
    SigningCertificates(fetcher(emulator), Clock()).key(URL, REGION)
    assert _Sns.paths == [f"/sns-signing/eu-west-1/{FILE}"]
    assert fetcher(None) is signing_certificates.fetch


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, b"", MessageRejected),
        (404, b"", MessageRejected),
        (200, b"x" * (signing_certificates.MAX_SIZE + 1), MessageRejected),
        (301, b"", CertificateUnavailable),
        (302, b"", CertificateUnavailable),
        (408, b"", CertificateUnavailable),
        (429, b"", CertificateUnavailable),
        (500, b"", CertificateUnavailable),
        (503, b"", CertificateUnavailable),
    ],
)
def test_only_failures_that_can_pass_are_tried_again(
    emulator: str, answer: Callable[[int, bytes], None], status: int, body: bytes, error: type[Exception]
) -> None:
    answer(status, body)
    with pytest.raises(error):
        fetcher(emulator)(URL)
    assert len(_Sns.paths) == 1, "redirects are not followed"


def test_an_unreachable_host_is_a_failure_that_can_pass() -> None:
    with pytest.raises(CertificateUnavailable):
        fetcher("http://127.0.0.1:9")(URL)


def test_a_host_whose_own_certificate_has_no_public_issuer_is_not_trusted(tmp_path: Path) -> None:
    own = sns_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = tmp_path / "chain.pem"
    chain.write_bytes(certificate("localhost", end=datetime.now(UTC) + YEAR) + own)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Sns) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with pytest.raises(CertificateUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            fetcher(f"https://localhost:{server.server_port}")(URL)
        server.shutdown()
