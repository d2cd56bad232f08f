"""Policies that refuse unencrypted transport hold here, and refuse nobody: loopback counts as encrypted."""

import json

import pytest

from infra.local.emulator import Emulator
from infra.local.ministack import transport
from tests.infra.local.test_local_cloud import Device, Identity, of, queue, received, register, until


@pytest.mark.parametrize("secure", [False, True])
def test_a_request_is_pinned_as_encrypted_from_where_it_came(secure: bool) -> None:
    pinned: list[tuple[str, bool]] = []
    transport._secure(lambda *origin: pinned.append(origin))("127.0.0.7", secure)
    assert pinned == [("127.0.0.7", True)]


@pytest.mark.parametrize("by", ["caller", "device"])
def test_a_queue_that_wants_encryption_gets_what_a_caller_and_what_the_broker_sends(
    plain_cloud: Emulator, by: str
) -> None:
    url, topic = _chain(plain_cloud, by)
    if by == "caller":
        of(plain_cloud, 0, "sns").publish(TopicArn=topic, Message='{"from": "caller"}')
    else:
        _device_says(plain_cloud, topic, '{"from": "device"}')
    (message,) = until(lambda: received(plain_cloud, url))
    assert json.loads(message["Message"]) == {"from": by}


def _chain(cloud: Emulator, name: str) -> tuple[str, str]:
    """A topic, and a queue behind it, that both refuse what is not encrypted."""
    url, queue_arn = queue(cloud, f"secure-{name}")
    topics = of(cloud, 0, "sns")
    topic = str(topics.create_topic(Name=f"secure-{name}")["TopicArn"])
    topics.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=_only_encrypted(topic, "sns"))
    attributes = {"Policy": _only_encrypted(queue_arn, "sqs")}
    of(cloud, 0, "sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    return url, topic


def _only_encrypted(arn: str, service: str) -> str:
    anybody = {"Principal": "*", "Action": f"{service}:*", "Resource": arn}
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    statements = [{"Effect": "Allow", **anybody}, {"Effect": "Deny", **anybody, "Condition": plain}]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _device_says(cloud: Emulator, topic: str, body: str) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = of(cloud, 0, "iam").create_role(RoleName="to-topic", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    of(cloud, 0, "iot").create_topic_rule(
        ruleName="to_topic",
        topicRulePayload={
            "sql": "SELECT * FROM 'tell'",
            "actions": [{"sns": {"targetArn": topic, "roleArn": role}}],
        },
    )
    identity = Identity("teller")
    register(of(cloud, 0, "iot"), identity)
    device = Device(cloud, identity, cloud.layout.endpoint(cloud.layout.lobby).host).connect()
    device.publish("tell", body)
    device.close()
