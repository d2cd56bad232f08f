"""Signs the envelopes that SNS puts into SQS queues, and serves the certificate.

Difference from AWS: SNS signs every notification and confirmation request with the key of a certificate that it
publishes on its endpoint (SNS developer guide, "Verifying the signatures of Amazon SNS messages"). MiniStack puts a
constant into the envelope and serves no certificate. A receiver that verifies signatures would reject every message.

The patch signs with a key of this deployment, in the version that the topic's attribute `SignatureVersion` names, by
default 1. Messages name the certificate by its URL on AWS; the gateway serves it below `/sns-signing/<Region>/`. The
text to sign is not composed by the receiver's code, so that tests detect an error in that code. Raw messages are passed
on as published, as on AWS.

Unnecessary when: MiniStack signs messages with a certificate that it serves.
"""

import base64
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.subscriptions import DELIVER, TOPICS

PATCH_POINTS: Final[tuple[PatchPoint, ...]] = (DELIVER, TOPICS)
_NAME: Final = "sns.amazonaws.com"
_PATH: Final = re.compile(r"/sns-signing/[a-z0-9-]+/(?P<file>SimpleNotificationService-[0-9a-f]+\.pem)")
_SKEW: Final = timedelta(days=1)
_VALIDITY: Final = timedelta(days=3650)


class Signer:
    """The signing key of this deployment, kept in `path` for messages that wait in a queue during a restart."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            _create(path)
        content = path.read_bytes()
        key = load_pem_private_key(content, None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError(f"got {path} with another key, want RSA")
        certificate = x509.load_pem_x509_certificate(content)
        self._key, self._pem = key, certificate.public_bytes(Encoding.PEM)
        self._file = f"SimpleNotificationService-{certificate.fingerprint(SHA256()).hex()[:32]}.pem"

    def sign(self, envelope: dict[str, Any], version: str) -> dict[str, Any]:
        """Return the envelope with the signature of its topic's Region."""
        second = "Subject" if envelope["Type"] == "Notification" else "SubscribeURL"
        lines = []
        for name in ("Message", "MessageId", second, "Timestamp", "Token", "TopicArn", "Type"):
            if name in envelope:
                lines += [name, envelope[name]]
        text = "\n".join(lines) + "\n"
        signature = self._key.sign(text.encode(), PKCS1v15(), SHA256() if version == "2" else SHA1())  # noqa: S303
        region = envelope["TopicArn"].split(":")[3]
        return envelope | {
            "SignatureVersion": version,
            "Signature": base64.b64encode(signature).decode(),
            "SigningCertURL": f"https://sns.{region}.amazonaws.com/{self._file}",
        }

    def published(self, path: str) -> bytes | None:
        """Return the certificate if `path` is its path on the gateway."""
        match = _PATH.fullmatch(path)
        return self._pem if match and match["file"] == self._file else None


def apply(signer: Signer) -> None:
    """Sign every envelope that is delivered to a queue."""
    DELIVER.wrap(lambda original: _signing(original, signer))


def _signing(original: Callable[..., Any], signer: Signer) -> Callable[..., Any]:
    def deliver(endpoint: str, envelope: str, raw: bool, raw_message: str, **rest: Any) -> Any:
        if not raw:
            content = json.loads(envelope)
            topic = TOPICS.resolve()(content["TopicArn"])
            version = topic["attributes"].get("SignatureVersion", "1") if topic else "1"
            envelope = json.dumps(signer.sign(content, version))
        return original(endpoint, envelope, raw, raw_message, **rest)

    return deliver


async def respond(certificate: bytes, send: Any) -> None:
    """Send the certificate as the response to a request for it."""
    headers = [(b"content-type", b"application/x-pem-file"), (b"content-length", str(len(certificate)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": certificate})


def _create(path: Path) -> None:
    key = generate_private_key(65537, 2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _VALIDITY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .sign(key, SHA256())
    )
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        out.write(certificate.public_bytes(Encoding.PEM))
    temporary.replace(path)
