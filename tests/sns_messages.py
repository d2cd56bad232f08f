"""Messages as Amazon SNS puts them into queues: signed with a certificate like that of SNS."""

import base64
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from lobby.aws.signing_certificates import SigningCertificates
from lobby.names import Region
from tests.certificates import NOW, YEAR, Key, key, named, pem_of

FILE: Final = f"SimpleNotificationService-{'0a' * 16}.pem"
SNS: Final = "sns.amazonaws.com"
REGIONS: Final = ("eu-west-1", "us-east-1", "ap-south-1", "ap-northeast-1")
EVENTS: Final = Path(__file__).parent / "events"


def certificate_url(region: str) -> str:
    return f"https://sns.{region}.amazonaws.com/{FILE}"


def sns_key(number: int = 0) -> RSAPrivateKey:
    """Return the key of SNS, or another one."""
    rsa = key("rsa-2048", 1000 + number)
    assert isinstance(rsa, RSAPrivateKey)
    return rsa


def certificate(
    *names: str, begin: datetime = NOW - YEAR, end: datetime = NOW + YEAR, signer: Key | None = None, cn: str = SNS
) -> bytes:
    """Return a certificate for SNS as PEM, or for `names`. Without names, it has only a common name."""
    own = signer or sns_key()
    builder = x509.CertificateBuilder().subject_name(named(cn)).issuer_name(named("Amazon RSA 2048 M01"))
    builder = builder.public_key(own.public_key()).serial_number(7).not_valid_before(begin).not_valid_after(end)
    if names:
        extension = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(extension, critical=False)
    return pem_of(builder.sign(sns_key(), SHA256())).encode()


def certificates(clock: Callable[[], datetime], regions: Iterable[str] = REGIONS) -> SigningCertificates:
    """Return the cached certificates of a Lambda that has processed messages of `regions`."""
    result = SigningCertificates(lambda _url: certificate(SNS), clock)
    for region in regions:
        result.key(certificate_url(region), Region(region))
    return result


def signed(envelope: dict[str, Any], version: str = "1", signer: RSAPrivateKey | None = None) -> dict[str, Any]:
    """Return `envelope` with the signature that SNS creates for it."""
    names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"]
    names += [name for name in ("Subject", "SubscribeURL", "Token") if envelope.get(name) is not None]
    text = "".join(f"{name}\n{envelope[name]}\n" for name in sorted(names))
    digest = SHA256() if version == "2" else SHA1()  # noqa: S303 - SNS's default
    signature = (signer or sns_key()).sign(text.encode(), PKCS1v15(), digest)
    return envelope | {
        "SignatureVersion": version,
        "Signature": base64.b64encode(signature).decode(),
        "SigningCertURL": certificate_url(envelope["TopicArn"].split(":")[3]),
    }


def report(certid: object, at: object, topic: str, received: object = None) -> dict[str, Any]:
    """Return the signed report of a connection. `at` is the time in the event, `received` that of the rule, if it sends
    one; both in milliseconds since 1970."""
    envelope: dict[str, Any] = json.loads((EVENTS / "device_connected.json").read_text())
    message = {"certid": certid, "devicename": "sensor-1", "connectedat": at} | (
        {} if received is None else {"receivedat": received}
    )
    return signed(envelope | {"TopicArn": topic, "Message": json.dumps(message)})
