"""A subscription of another account's queue is confirmed by its token, by anybody, from anywhere."""

import json
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from tests.infra.local.test_local_cloud import of, queue, received, until


def _anonymous(cloud: Emulator, region: str) -> Any:
    """As the arrivals Lambda confirms: unsigned, which the emulator takes for the lobby's account."""
    return boto3.client(
        "sns", region_name=region, endpoint_url=cloud.endpoint_url, config=Config(signature_version=UNSIGNED)
    )


def _asked(cloud: Emulator, name: str) -> tuple[str, str, str]:
    """A topic in the first target and a queue of the lobby that is asked to confirm: topic, queue, token."""
    url, arn = queue(cloud, name)
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    of(cloud, 0, "sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    topics = of(cloud, 1, "sns")
    topic = topics.create_topic(Name=name)["TopicArn"]
    topics.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    (asked,) = until(lambda: received(cloud, url))
    return topic, url, asked["Token"]


def test_who_has_the_token_confirms_without_being_of_the_topics_account(plain_cloud: Emulator) -> None:
    topic, url, token = _asked(plain_cloud, "from-afar")
    region = plain_cloud.layout.targets[0].region
    answer = _anonymous(plain_cloud, region).confirm_subscription(TopicArn=topic, Token=token)
    assert answer["SubscriptionArn"].startswith(topic)
    of(plain_cloud, 1, "sns").publish(TopicArn=topic, Message="after")
    (message,) = until(lambda: received(plain_cloud, url))
    assert message["Message"] == "after"


@pytest.mark.parametrize("wrong", ["token", "topic"])
def test_a_wrong_token_or_topic_confirms_nothing(plain_cloud: Emulator, wrong: str) -> None:
    topic, url, token = _asked(plain_cloud, f"wrong-{wrong}")
    asked = {"TopicArn": topic, "Token": token} | {
        "token": {"Token": "0" * len(token)},
        "topic": {"TopicArn": f"{topic}-not"},
    }[wrong]
    with pytest.raises(ClientError):
        _anonymous(plain_cloud, plain_cloud.layout.targets[0].region).confirm_subscription(**asked)
    of(plain_cloud, 1, "sns").publish(TopicArn=topic, Message="too early")
    found = of(plain_cloud, 1, "sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert len(found) == 1
    assert received(plain_cloud, url) == []
