"""The emulator signs SNS envelopes as AWS does: the lobby's code verifies them with the served certificate."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from infra.local.emulator import Emulator
from infra.local.ministack.signatures import Signer
from lobby.aws.signing_certificates import SigningCertificates, emulated_url, fetcher
from lobby.aws.sns_signature import verify
from lobby.errors import MessageRejected
from tests.infra.local.emulated_cloud import aws, queue, received, until


def _topic(emulator: Emulator, name: str, **attributes: str) -> tuple[str, str, dict[str, Any]]:
    """Subscribe a queue of the lobby to a topic of the first target. Return queue, topic and confirmation request."""
    url, arn = queue(emulator, name)
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    aws(emulator, 0, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns = aws(emulator, 1, "sns")
    topic = sns.create_topic(Name=name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    (request,) = until(lambda: received(emulator, url))
    sns.confirm_subscription(TopicArn=topic, Token=request["Token"])
    return url, topic, request


def _verify(emulator: Emulator, envelope: dict[str, Any]) -> None:
    certificates = SigningCertificates(fetcher(emulator.endpoint_url))
    verify(envelope, certificates.key(envelope["SigningCertURL"], emulator.layout.targets[0].region))


@pytest.mark.parametrize("version", ["1", "2"])
def test_notifications_and_confirmations_have_valid_signatures(emulator: Emulator, version: str) -> None:
    url, topic, request = _topic(emulator, f"signed-{version}")
    _verify(emulator, request)
    sns = aws(emulator, 1, "sns")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version)
    sns.publish(TopicArn=topic, Message='{"text": "ä\n"}', Subject="subject")
    (envelope,) = until(lambda: received(emulator, url))
    assert envelope["SignatureVersion"] == version
    _verify(emulator, envelope)
    with pytest.raises(MessageRejected, match="BAD_SIGNATURE"):
        _verify(emulator, envelope | {"Message": "other"})


def test_a_raw_message_is_delivered_as_published(emulator: Emulator) -> None:
    url, topic, _ = _topic(emulator, "raw", RawMessageDelivery="true")
    aws(emulator, 1, "sns").publish(TopicArn=topic, Message='{"TopicArn": "forged"}')
    (body,) = until(lambda: received(emulator, url))
    assert body == {"TopicArn": "forged"}


def test_only_the_certificate_of_this_deployment_is_served(emulator: Emulator) -> None:
    file = emulated_url(
        emulator.endpoint_url, f"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{'0' * 32}.pem"
    )
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(file, timeout=5)  # noqa: S310 - our own loopback


def test_the_key_is_kept_and_private(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    envelope = dict.fromkeys(("Message", "MessageId", "Timestamp"), "x") | {
        "Type": "Notification",
        "TopicArn": "arn:aws:sns:eu-west-1:111111111111:t",
    }
    first, second = (Signer(path).sign(envelope, "2") for _ in range(2))
    assert first == second
    assert path.stat().st_mode & 0o777 == 0o600
