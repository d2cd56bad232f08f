"""Messages of SNS: genuine ones are accepted, forged and altered ones rejected."""

import json
from typing import Any

import pytest

from lobby.aws.sns_signature import parse_envelope, string_to_sign, verify
from lobby.errors import MessageRejected
from tests.sns_messages import EVENTS, report, signed, sns_key

TOPIC = "arn:aws:sns:eu-west-1:111111111111:device-lobby-arrivals"
OTHER_TOPIC = TOPIC.replace("1" * 12, "2" * 12)
KEY = sns_key().public_key()
REPORT = report("1a" * 32, 1795348801000, TOPIC)
CONFIRMATION = signed(json.loads((EVENTS / "subscription_confirmation.json").read_text()))


def rejection(envelope: dict[str, Any]) -> str:
    with pytest.raises(MessageRejected) as rejected:
        verify(envelope, KEY)
    return rejected.value.code


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("envelope", [REPORT, REPORT | {"Subject": "a subject"}, CONFIRMATION], ids=range(3))
def test_a_message_that_sns_signed_is_accepted(envelope: dict[str, Any], version: str) -> None:
    verify(signed(envelope, version), KEY)


def test_the_signed_text_of_a_notification_is_that_of_the_developer_guide() -> None:
    """The example in "Verifying the signatures of Amazon SNS messages"."""
    envelope = {
        "Type": "Notification",
        "MessageId": "4d4dc071-ddbf-465d-bba8-08f81c89da64",
        "TopicArn": "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P",
        "Subject": "My subject",
        "Message": "Test message",
        "Timestamp": "2019-01-31T04:37:04.321Z",
    }
    assert string_to_sign(envelope) == (
        "Message\nTest message\nMessageId\n4d4dc071-ddbf-465d-bba8-08f81c89da64\nSubject\nMy subject\n"
        "Timestamp\n2019-01-31T04:37:04.321Z\n"
        "TopicArn\narn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P\nType\nNotification\n"
    )


@pytest.mark.parametrize(
    ("original", "field", "value"),
    [
        (REPORT, "TopicArn", OTHER_TOPIC),
        (REPORT, "Message", REPORT["Message"].replace("1a", "2b")),
        (REPORT, "Message", REPORT["Message"] + " "),
        (REPORT, "MessageId", "other"),
        (REPORT, "Timestamp", "2026-11-22T13:00:01.000Z"),
        (REPORT, "Subject", "added"),
        (CONFIRMATION, "TopicArn", OTHER_TOPIC),
        (CONFIRMATION, "Token", "0" * 10),
        (CONFIRMATION, "SubscribeURL", "https://evil.example/"),
        (REPORT, "Signature", CONFIRMATION["Signature"]),
        (REPORT, "Signature", signed(REPORT, signer=sns_key(1))["Signature"]),
        (REPORT, "Signature", "FAKE"),
        (REPORT, "Signature", ""),
        (REPORT, "Signature", "not base64!"),
        (REPORT, "Signature", f" {REPORT['Signature']}"),
        (REPORT, "Signature", REPORT["Signature"] * 100),
        (REPORT, "SignatureVersion", "2"),
        (REPORT, "Message", "\ud800"),
    ],
)
def test_an_altered_message_is_rejected(original: dict[str, Any], field: str, value: str) -> None:
    assert rejection(original | {field: value}) == "BAD_SIGNATURE"


@pytest.mark.parametrize("version", ["0", "3", "1 ", "SHA1", ""])
def test_an_unknown_signature_version_is_rejected(version: str) -> None:
    assert rejection(REPORT | {"SignatureVersion": version}) == "SIGNATURE_VERSION"


@pytest.mark.parametrize("value", [None, 1, True, [], {}], ids=str)
@pytest.mark.parametrize("field", ["Message", "MessageId", "Timestamp", "TopicArn", "Signature", "SignatureVersion"])
def test_a_field_of_another_type_is_rejected(field: str, value: object) -> None:
    assert rejection(REPORT | {field: value}) == "NO_ENVELOPE"


@pytest.mark.parametrize("kind", ["UnsubscribeConfirmation", "notification", "", "Notification "])
def test_a_message_of_another_type_is_rejected(kind: str) -> None:
    assert rejection(REPORT | {"Type": kind}) == "UNKNOWN_TYPE"


def _with_the_same_signed_text() -> list[dict[str, Any]]:
    """Return envelopes whose fields, split differently, give the text of a genuine message of another topic."""
    forged = report("1a" * 32, 1, TOPIC)
    tail = f"{REPORT['MessageId']}\nTimestamp\n{REPORT['Timestamp']}\nTopicArn\n{OTHER_TOPIC}"
    text = f"{forged['Message']}\nMessageId\n1\nTimestamp\n2\nTopicArn\n{TOPIC}\nType\nNotification"
    genuine = signed(REPORT | {"TopicArn": OTHER_TOPIC, "Message": text})
    moved = {"Message": forged["Message"], "MessageId": "1", "Timestamp": "2", "TopicArn": TOPIC}
    return [
        genuine | moved | {"Type": f"Notification\nMessageId\n{tail}\nType\nNotification"},
        genuine | moved | {"TopicArn": f"{TOPIC}\nType\nNotification\nMessageId\n{tail}"},
        genuine | moved | {"Timestamp": f"2\nTopicArn\n{TOPIC}\nType\nNotification\nMessageId\n{tail}"},
        genuine | moved | {"MessageId": f"1\nTimestamp\n2\nTopicArn\n{TOPIC}\nType\nNotification\nMessageId\n{tail}"},
    ]


@pytest.mark.parametrize("envelope", _with_the_same_signed_text(), ids=["type", "topic", "time", "id"])
def test_line_breaks_in_fields_cannot_turn_one_message_into_another(envelope: dict[str, Any]) -> None:
    assert rejection(envelope) == "NO_ENVELOPE"


@pytest.mark.parametrize(
    "body",
    ["", "nonsense", "null", "7", "[]", '"text"', '{"a":', "[" * 200_000, '{"a":' * 100_000, "9" * 10_000, "\x00"],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_without_an_envelope_is_rejected(body: str) -> None:
    with pytest.raises(MessageRejected) as rejected:
        parse_envelope(body)
    assert rejected.value.code == "NO_ENVELOPE"
    assert len(rejected.value.message) < 300
