"""The limits of MQTT topics and messages, and of SQS's parameters."""

from typing import Any

import pytest
from awscrt import mqtt
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.message_limits import MAX_PAYLOAD, hiding_problem, message_problem, topic_problem
from tests.infra.local.emulated_cloud import Device, Identity, aws, queue, register

DEEP = "/".join("abcdefghi")


@pytest.mark.parametrize(
    ("topic", "accepted"),
    [
        ("/".join("abcdefgh"), True),
        (DEEP, False),
        ("$aws/things/sensor/shadow/name/one/update/documents", True),
        ("$aws/rules/lobby", True),
        ("$aws/rules/lobby/" + "/".join("abcdefgh"), True),
        (f"$aws/rules/lobby/{DEEP}", False),
    ],
)
def test_a_topic_has_seven_slashes(topic: str, accepted: bool) -> None:
    assert (topic_problem(topic) is None) is accepted


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ({}, True),
        ({"DelaySeconds": 900, "MessageGroupId": "111122223333/eu-west-1", "MessageDeduplicationId": "a" * 128}, True),
        ({"DelaySeconds": 901}, False),
        ({"MessageGroupId": "a" * 129}, False),
        ({"MessageGroupId": "ü"}, False),
        ({"MessageDeduplicationId": "a b"}, False),
    ],
)
def test_the_ids_and_the_delay_of_a_message_have_limits(given: dict[str, Any], accepted: bool) -> None:
    assert (message_problem(given) is None) is accepted


@pytest.mark.parametrize(("seconds", "accepted"), [(0, True), (43_200, True), (43_201, False), (-1, False)])
def test_a_message_is_hidden_for_twelve_hours_at_most(seconds: int, accepted: bool) -> None:
    assert (hiding_problem({"VisibilityTimeout": seconds}) is None) is accepted


def test_the_data_plane_refuses_large_messages_and_deep_topics(emulator: Emulator) -> None:
    data = aws(emulator, 1, "iot-data")
    data.publish(topic="lobby/one", payload=b"x" * MAX_PAYLOAD)
    with pytest.raises(ClientError, match=r"InvalidRequestException.* got a message of 131073 bytes"):
        data.publish(topic="lobby/one", payload=b"x" * (MAX_PAYLOAD + 1))
    with pytest.raises(ClientError, match=r"InvalidRequestException.* with 8 slashes"):
        data.publish(topic=DEEP, payload=b"x")


def test_a_device_that_publishes_to_a_deep_topic_is_disconnected(emulator: Emulator) -> None:
    identity = Identity("deep")
    register(aws(emulator, 0, "iot"), identity)
    device = Device(emulator, identity, "127.0.0.1").connect()
    device.publish("lobby/one", "x")
    device._mqtt.publish(DEEP, "x", mqtt.QoS.AT_LEAST_ONCE)
    assert device.lost.wait(10)
    device.close()


def test_sqs_refuses_delays_and_visibility_timeouts_that_are_too_long(emulator: Emulator) -> None:
    sqs, (url, _) = aws(emulator, 0, "sqs"), queue(emulator, "limited")
    with pytest.raises(ClientError, match=r"InvalidParameterValue.* DelaySeconds"):
        sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=901)
    [failed] = sqs.send_message_batch(
        QueueUrl=url, Entries=[{"Id": "one", "MessageBody": "x", "MessageGroupId": "a b"}]
    )["Failed"]
    assert failed["Code"] == "InvalidParameterValue"
    sqs.send_message(QueueUrl=url, MessageBody="hidden")
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=43_200)
    with pytest.raises(ClientError, match=r"InvalidParameterValue.* VisibilityTimeout"):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=43_201)
