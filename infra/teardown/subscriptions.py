"""Deletes topics whose subscriptions CloudFormation cannot delete.

CloudFormation's handler refuses to delete a subscription that is not confirmed, and the deletion of the stack would
fail. A subscription stays unconfirmed if the lobby, or one of its Regions, does not exist. SNS deletes it with its
topic, and CloudFormation then counts both as deleted.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

TOPIC: Final = "AWS::SNS::Topic"
_PENDING: Final = "PendingConfirmation"
"""SNS returns this instead of an ARN while a subscription is not confirmed (SNS API reference, Subscription)."""


def delete_unconfirmed(sns: Any, topics: Iterable[str], report: Callable[[str], None]) -> None:
    """Delete each of the topics that has an unconfirmed subscription. `sns` is a client. Can be repeated."""
    for topic in topics:
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        try:
            arns = [each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]]
        except sns.exceptions.NotFoundException:
            continue
        if _PENDING in arns:
            report(f"deleting the topic {topic.rpartition(':')[2]}, because a subscription to it was never confirmed")
            sns.delete_topic(TopicArn=topic)
