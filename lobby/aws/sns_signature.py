"""Verifies that Amazon SNS signed a message for the topic that the message names.

The envelope of a message in a queue proves nothing: with raw message delivery, a topic's owner chooses every byte of
the body. SNS signs the fields below (SNS developer guide, "Verifying the signatures of Amazon SNS messages"), and the
topic's ARN contains the account that SNS delivered for. The signed text separates fields by line breaks, so a field
other than the message that contains one is rejected: otherwise two envelopes could have the same signed text.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from lobby import strict_json
from lobby.errors import MessageRejected
from lobby.names import shown

NOTIFICATION: Final = "Notification"
CONFIRMATION: Final = "SubscriptionConfirmation"
_SIGNED: Final = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OPTIONAL: Final = "Subject"
_HASHES: Final[Mapping[object, SHA1 | SHA256]] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - SNS's default


def parse_envelope(body: str) -> dict[str, Any]:
    """Return the envelope in the body of a queue's message. Raise `MessageRejected`."""
    try:
        envelope = strict_json.loads(body)
    except (ValueError, RecursionError):
        envelope = None
    if not isinstance(envelope, dict):
        raise MessageRejected("NO_ENVELOPE", f"got {shown(body)}, want the JSON object that SNS puts into a queue")
    return envelope


def verify(envelope: Mapping[str, Any], key: RSAPublicKey) -> None:
    """Raise `MessageRejected` unless the holder of `key` signed the envelope."""
    algorithm = _HASHES.get(_text(envelope, "SignatureVersion"))
    if algorithm is None:
        raise MessageRejected(
            "SIGNATURE_VERSION", f"got SignatureVersion {shown(envelope['SignatureVersion'])}, want 1 or 2"
        )
    signed_text = string_to_sign(envelope)
    try:
        signature = base64.b64decode(_text(envelope, "Signature"), validate=True)
        key.verify(signature, signed_text.encode(), PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature):
        raise MessageRejected("BAD_SIGNATURE", "got a signature that is not SNS's for this message") from None


def string_to_sign(envelope: Mapping[str, Any]) -> str:
    """Return the text that SNS signs: the name and value of each signed field, each followed by a line break."""
    kind = _text(envelope, "Type")
    if kind not in _SIGNED:
        raise MessageRejected("UNKNOWN_TYPE", f"got Type {shown(kind)}, want one of {', '.join(_SIGNED)}")
    names = [name for name in _SIGNED[kind] if name != _OPTIONAL or envelope.get(name) is not None]
    return "".join(f"{name}\n{_text(envelope, name)}\n" for name in names)


def _text(envelope: Mapping[str, Any], name: str) -> str:
    value = envelope.get(name)
    if not isinstance(value, str) or (name != "Message" and "\n" in value):
        raise MessageRejected("NO_ENVELOPE", f"got {name} {shown(value)}, want a line of text")
    return value
