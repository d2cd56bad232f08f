"""Policies that deny unencrypted transport are enforced, and loopback counts as encrypted."""

import json

import pytest

from infra.local.emulator import Emulator
from infra.local.ministack import transport
from tests.infra.local.emulated_cloud import Device, Identity, aws, queue, received, register, until


@pytest.mark.parametrize("secure", [False, True])
def test_a_request_is_marked_as_encrypted_with_its_source_address(secure: bool) -> None:
    pinned: list[tuple[str, bool]] = []
    transport._secure(lambda *origin: pinned.append(origin))("127.0.0.7", secure)
    assert pinned == [("127.0.0.7", True)]


@pytest.mark.parametrize("by", ["caller", "device"])
def test_a_queue_that_requires_encryption_receives_messages_of_callers_and_devices(emulator: Emulator, by: str) -> None:
    url, topic = _topic_and_queue(emulator, by)
    if by == "caller":
        aws(emulator, 0, "sns").publish(TopicArn=topic, Message='{"from": "caller"}')
    else:
        _publish_as_device(emulator, topic, '{"from": "device"}')
    (message,) = until(lambda: received(emulator, url))
    assert json.loads(message["Message"]) == {"from": by}


def _topic_and_queue(emulator: Emulator, name: str) -> tuple[str, str]:
    """Create a topic with a subscribed queue that both deny unencrypted transport. Return queue URL and topic ARN."""
    url, queue_arn = queue(emulator, f"secure-{name}")
    topics = aws(emulator, 0, "sns")
    topic = str(topics.create_topic(Name=f"secure-{name}")["TopicArn"])
    topics.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=_only_encrypted(topic, "sns"))
    attributes = {"Policy": _only_encrypted(queue_arn, "sqs")}
    aws(emulator, 0, "sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    return url, topic


def _only_encrypted(arn: str, service: str) -> str:
    anybody = {"Principal": "*", "Action": f"{service}:*", "Resource": arn}
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    statements = [{"Effect": "Allow", **anybody}, {"Effect": "Deny", **anybody, "Condition": plain}]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _publish_as_device(emulator: Emulator, topic: str, body: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = aws(emulator, 0, "iam").create_role(RoleName="to-topic", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    aws(emulator, 0, "iot").create_topic_rule(
        ruleName="to_topic",
        topicRulePayload={
            "sql": "SELECT * FROM 'encrypted'",
            "actions": [{"sns": {"targetArn": topic, "roleArn": role}}],
        },
    )
    identity = Identity("encrypted")
    register(aws(emulator, 0, "iot"), identity)
    device = Device(emulator, identity, emulator.layout.server_name(emulator.layout.lobby)).connect()
    device.publish("encrypted", body)
    device.close()
