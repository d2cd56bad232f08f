"""The certificates with which Amazon SNS signs messages, fetched from SNS and cached.

A message names its certificate by URL, so the sender chooses the URL. This module accepts only files that SNS publishes
on the SNS endpoint of the topic's Region. The path is fixed as well, because the same host also returns API responses
whose text an attacker can choose. SNS publishes a single certificate without intermediates. Its authenticity follows
from TLS: the endpoint's own certificate must have a valid chain and match the host. The certificate must also be issued
to SNS and be within its validity.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID
from urllib3.exceptions import HTTPError

from lobby.errors import CertificateUnavailable, MessageRejected
from lobby.ledger.clock import now
from lobby.names import Region, shown

Fetch = Callable[[str], bytes]
"""Returns the content of a URL. Raises `MessageRejected` if there is none, and `CertificateUnavailable`."""
RETRY_AFTER: Final = timedelta(seconds=10)
"""How long a failed fetch is not repeated, so that a batch does not wait for each of its messages."""
MAX_SIZE: Final = 16 * 1024
_TIMEOUT: Final = 3
"""Seconds to connect, and to read."""
_MAX_FAILURES: Final = 100
_FILE: Final = re.compile(r"SimpleNotificationService-[0-9a-f]{32,128}\.pem")
_MIN_RSA_BITS: Final = 2048
_UNREADABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion)


class SigningCertificates:
    """The certificates that this process has fetched. Their number is bounded by what SNS publishes."""

    def __init__(self, fetch: Fetch, clock: Callable[[], datetime] = now) -> None:
        self._fetch, self._clock = fetch, clock
        self._fetched: dict[str, x509.Certificate] = {}
        self._failed: dict[str, tuple[datetime, MessageRejected | CertificateUnavailable]] = {}

    def holds(self, url: object) -> bool:
        """Return whether the certificate was fetched before."""
        return isinstance(url, str) and url in self._fetched

    def key(self, url: object, region: Region) -> RSAPublicKey:
        """Return the public key of the certificate at `url` for messages of `region`. Raise `MessageRejected`, or
        `CertificateUnavailable` if trying again can help."""
        parsed = parse_url(url, region)
        certificate = self._fetched.get(parsed) or self._new(parsed)
        _require_valid(certificate, region, self._clock())
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey) or key.key_size < _MIN_RSA_BITS:
            raise MessageRejected("BAD_CERTIFICATE", f"got another key, want RSA of at least {_MIN_RSA_BITS} bits")
        self._fetched[parsed] = certificate
        return key

    def _new(self, url: str) -> x509.Certificate:
        failed = self._failed.get(url)
        if failed is not None and failed[0] > self._clock() - RETRY_AFTER:
            raise failed[1]
        try:
            return _load(self._fetch(url))
        except (MessageRejected, CertificateUnavailable) as error:
            if len(self._failed) >= _MAX_FAILURES:
                self._failed.clear()
            self._failed[url] = (self._clock(), error)
            raise


def parse_url(url: object, region: Region) -> str:
    """Return the URL of a signing certificate of `region`. Raise `MessageRejected` for any other value."""
    origin = f"https://sns.{region}.amazonaws.com/"
    if not isinstance(url, str) or not url.startswith(origin) or not _FILE.fullmatch(url.removeprefix(origin)):
        raise MessageRejected(
            "UNTRUSTED_CERTIFICATE_URL", f"got {shown(url)}, want {origin}SimpleNotificationService-<hex>.pem"
        )
    return url


def _load(content: bytes) -> x509.Certificate:
    try:
        [certificate] = x509.load_pem_x509_certificates(content)
    except _UNREADABLE as error:
        raise MessageRejected("BAD_CERTIFICATE", f"got {shown(content)}, want one certificate as PEM") from error
    return certificate


def _require_valid(certificate: x509.Certificate, region: Region, at: datetime) -> None:
    """Require a valid certificate that names SNS. In opt-in Regions, the name contains the Region (AWS SDK for Java,
    message manager of SNS)."""
    wanted = {"sns.amazonaws.com", f"sns-signing.{region}.amazonaws.com"}
    try:
        issued_to = _names(certificate)
    except _UNREADABLE as error:
        raise MessageRejected("BAD_CERTIFICATE", "got a certificate with unreadable names") from error
    if not wanted & issued_to:
        raise MessageRejected("BAD_CERTIFICATE", f"got one for {shown(sorted(issued_to))}, want {sorted(wanted)}")
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise MessageRejected("BAD_CERTIFICATE", f"got one valid until {certificate.not_valid_after_utc}, at {at}")


def _names(certificate: x509.Certificate) -> set[str]:
    """Return the DNS names of a certificate, or its common name if it has none (RFC 6125, section 6.4.4)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return {str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)}
    return set(extension.value.get_values_for_type(x509.DNSName))


def fetcher(emulator: str | None) -> Fetch:
    """Return the function that fetches certificates: from SNS, or from an emulator on the loopback interface, which
    serves all Regions at one address. Both are verified in the same way."""
    return fetch if emulator is None else lambda url: fetch(emulated_url(emulator, url))


def emulated_url(emulator: str, url: str) -> str:
    """Return where an emulator serves the certificate that has `url` on AWS."""
    host, _, file = url.removeprefix("https://").partition("/")
    return f"{emulator}/sns-signing/{host.split('.')[1]}/{file}"


def fetch(url: str) -> bytes:
    """Fetch a certificate: TLS as for all calls to AWS, no proxy, no redirect."""
    session = URLLib3Session(timeout=_TIMEOUT)
    try:
        response = session.send(AWSRequest("GET", url, stream_output=True).prepare())
        content: bytes = response.raw.read(MAX_SIZE + 1)
    except (BotoCoreError, HTTPError, OSError) as error:
        raise CertificateUnavailable("CERTIFICATE_UNAVAILABLE", f"cannot fetch {url}: {error}") from error
    finally:
        session.close()
    status = response.status_code
    if 400 <= status < 500 and status not in (408, 429):
        raise MessageRejected("BAD_CERTIFICATE", f"got status {status} for {url}, want a certificate of SNS")
    if status != 200:
        raise CertificateUnavailable("CERTIFICATE_UNAVAILABLE", f"got status {status} for {url}, want 200")
    if len(content) > MAX_SIZE:
        raise MessageRejected("BAD_CERTIFICATE", f"got more than {MAX_SIZE} bytes from {url}, want a certificate")
    return content
