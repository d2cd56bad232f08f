"""A subscription of another account's queue is pending until any caller returns its token."""

import json
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from tests.infra.local.emulated_cloud import aws, queue, received, until


def test_a_topic_owner_cannot_subscribe_anothers_queue_without_confirmation(emulator: Emulator) -> None:
    url, arn = queue(emulator, "arrivals")
    topics = aws(emulator, 1, "sns")
    topic = topics.create_topic(Name="arrivals")["TopicArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    aws(emulator, 0, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    response = topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    assert response["SubscriptionArn"] == "pending confirmation"
    topics.publish(TopicArn=topic, Message="too early")
    (request,) = until(lambda: received(emulator, url))
    assert (request["Type"], request["TopicArn"]) == ("SubscriptionConfirmation", topic)
    topics.confirm_subscription(TopicArn=topic, Token=request["Token"])
    topics.publish(TopicArn=topic, Message="now")
    (message,) = until(lambda: received(emulator, url))
    assert (message["Message"], message["TopicArn"]) == ("now", topic)


def _anonymous(emulator: Emulator, region: str) -> Any:
    """Return an unsigned client, as the arrivals function uses. The emulator assigns it to the lobby's account."""
    return boto3.client(
        "sns", region_name=region, endpoint_url=emulator.endpoint_url, config=Config(signature_version=UNSIGNED)
    )


def _pending(emulator: Emulator, name: str) -> tuple[str, str, str]:
    """Subscribe a queue of the lobby to a topic of the first target. Return the topic, the queue and the token."""
    url, arn = queue(emulator, name)
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    aws(emulator, 0, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    topics = aws(emulator, 1, "sns")
    topic = topics.create_topic(Name=name)["TopicArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    (request,) = until(lambda: received(emulator, url))
    return topic, url, request["Token"]


def test_any_caller_with_the_token_confirms(emulator: Emulator) -> None:
    topic, url, token = _pending(emulator, "from-afar")
    region = emulator.layout.targets[0].region
    response = _anonymous(emulator, region).confirm_subscription(TopicArn=topic, Token=token)
    assert response["SubscriptionArn"].startswith(topic)
    aws(emulator, 1, "sns").publish(TopicArn=topic, Message="after")
    (message,) = until(lambda: received(emulator, url))
    assert message["Message"] == "after"


@pytest.mark.parametrize("wrong", ["token", "topic"])
def test_a_wrong_token_or_topic_confirms_nothing(emulator: Emulator, wrong: str) -> None:
    topic, url, token = _pending(emulator, f"wrong-{wrong}")
    request = {"TopicArn": topic, "Token": token} | {
        "token": {"Token": "0" * len(token)},
        "topic": {"TopicArn": f"{topic}-not"},
    }[wrong]
    with pytest.raises(ClientError):
        _anonymous(emulator, emulator.layout.targets[0].region).confirm_subscription(**request)
    aws(emulator, 1, "sns").publish(TopicArn=topic, Message="too early")
    subscriptions = aws(emulator, 1, "sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert len(subscriptions) == 1
    assert received(emulator, url) == []
