"""Subscriptions to notices: an SNS topic, with a filter policy for each address.

SNS asks the owner of an address before it sends anything, and every mail has a link that ends the subscription (SNS
developer guide, "Email notifications"). So nothing here ends a subscription: the permission to do so would cover all
topics of an account.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lobby.domain.events.notice import Notice

if TYPE_CHECKING:
    from types_boto3_sns import SNSClient

FIELD: Final = "notice"
"""The field of a message that filter policies compare."""
_PENDING: Final = "PendingConfirmation"
_EMAIL: Final = "email"


@dataclass(frozen=True)
class Subscription:
    """`confirmed`: the owner of the address has agreed."""

    email: str
    confirmed: bool


@dataclass(frozen=True)
class Notices:
    """`sns` returns the client; `topic` is the ARN."""

    sns: Callable[[], "SNSClient"]
    topic: str

    def subscribe(self, email: str, notices: Sequence[Notice]) -> None:
        """Ask the owner of an address to confirm. Each repetition sends another mail until they have confirmed."""
        policy = {"FilterPolicyScope": "MessageBody", "FilterPolicy": json.dumps({FIELD: [*notices]})}
        self.sns().subscribe(TopicArn=self.topic, Protocol=_EMAIL, Endpoint=email, Attributes=policy)

    def all(self) -> list[Subscription]:
        """Return all subscriptions by e-mail, in the order of the addresses."""
        found = [
            Subscription(each["Endpoint"], each["SubscriptionArn"] != _PENDING)
            for each in self._subscriptions()
            if each["Protocol"] == _EMAIL
        ]
        return sorted(found, key=lambda each: each.email)

    def _subscriptions(self) -> Iterator[Any]:
        pages = self.sns().get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.topic)
        for page in pages:
            yield from page.get("Subscriptions", [])
