"""The owner of one target cannot report the arrival of another target's device.

The owner acts as the root user of their account, and has every resource of the target's stack.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.names import Target
from tests.e2e.deployment import Deployment, events, until
from tests.e2e.fleet import Fleet, certid_of
from tests.sns_messages import signed, sns_key

NAME = "device-lobby-arrivals"
FAR_FUTURE = 4102444800000


def _topic(target: Target) -> str:
    return f"arn:aws:sns:{target.region}:{target.account}:{NAME}"


class Owner:
    """The owner of `target`, who tries to report `certid` as arrived in `victim`."""

    def __init__(self, deployed: Deployment, target: Target, victim: Target, certid: str) -> None:
        self.deployed, self.target, self.victim = deployed, target, victim
        self.sns, self.sqs = (deployed.client(target, service) for service in ("sns", "sqs"))
        self.topic = _topic(target)
        self.message = json.dumps({"certid": certid, "devicename": "x", "connectedat": FAR_FUTURE})

    def client(self, service: str, where: Target) -> Any:
        """Return a client of the owner's account in the Region of `where`."""
        return self.deployed.client(Target(self.target.account, where.region), service)

    def publish(self, message: str) -> None:
        self.sns.publish(TopicArn=self.topic, Message=message)

    def genuine(self) -> dict[str, Any]:
        """Return the envelope of `message` that SNS signs for the owner's topic."""
        url = self.sqs.create_queue(QueueName="own")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        subscription = self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)
        try:
            self.publish(self.message)
            [received] = until(lambda: self.sqs.receive_message(QueueUrl=url).get("Messages"))
        finally:
            self.sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
            self.sqs.delete_queue(QueueUrl=url)
        envelope: dict[str, Any] = json.loads(received["Body"])
        return envelope

    @contextmanager
    def raw_delivery(self) -> Iterator[None]:
        """Let the lobby's queue receive each message as published."""
        subscriptions = self.sns.list_subscriptions_by_topic(TopicArn=self.topic)["Subscriptions"]
        [arn] = [each["SubscriptionArn"] for each in subscriptions if each["Endpoint"].endswith(f":{NAME}")]
        self._set_raw(arn, "true")
        try:
            yield
        finally:
            self._set_raw(arn, "false")

    def _set_raw(self, subscription: str, value: str) -> None:
        self.sns.set_subscription_attributes(
            SubscriptionArn=subscription, AttributeName="RawMessageDelivery", AttributeValue=value
        )

    def forgeries(self) -> dict[str, dict[str, Any]]:
        """Return envelopes of the victim's topic, by the code of their rejection."""
        genuine = self.genuine()
        forged = genuine | {"TopicArn": _topic(self.victim)}
        url = genuine["SigningCertURL"].replace(self.target.region, self.victim.region)
        own = signed(forged, signer=sns_key(1))
        return {
            "UNTRUSTED_CERTIFICATE_URL": forged,
            "BAD_SIGNATURE": forged | {"SigningCertURL": url},
            "BAD_SIGNATURE ": own | {"SigningCertURL": url},
            "BAD_CERTIFICATE": own,
            "NO_ENVELOPE": {name: value for name, value in forged.items() if name != "Signature"}
            | {"SigningCertURL": url},
            "WRONG_TOPIC": genuine | {"TopicArn": f"{_topic(self.victim)}-2"},
        }


def test_an_owner_cannot_report_the_arrival_of_another_targets_device(
    deployed: Deployment, fleet: Fleet, first: Target, second: Target
) -> None:
    paths = fleet.make()
    certid = certid_of(paths)
    device = fleet.power_on(paths)
    deployed.wait(certid, "inlobby")
    device.stop()
    fleet.powered.remove(device)
    deployed.claim(certid, first)
    deployed.wait(certid, "commissioned")
    owner = Owner(deployed, second, first, certid)
    with pytest.raises(ClientError, match=r"AuthorizationError|AccessDenied"):
        owner.client("sns", first).publish(TopicArn=_topic(first), Message=owner.message)
    with pytest.raises(ClientError, match="AccessDenied"):
        owner.client("sqs", deployed.lobby).send_message(QueueUrl=_arrivals_queue(deployed), MessageBody=owner.message)
    began = deployed.log_position()
    owner.publish(owner.message)
    # The Lambda reads the device, whose target is another one, and changes nothing.
    until(lambda: deployed.calls("device-lobby-arrivals", began)["dynamodb:GetItem"] >= 1)
    forgeries = owner.forgeries()
    rejected = len(deployed.log_lines("arrivals", "report rejected"))
    with owner.raw_delivery():
        for envelope in forgeries.values():
            owner.publish(json.dumps(envelope))
        until(lambda: len(deployed.log_lines("arrivals", "report rejected")) >= rejected + len(forgeries))
    lines = " ".join(deployed.log_lines("arrivals", "report rejected"))
    assert [code for code in forgeries if code.strip() not in lines] == []
    assert events(deployed.wait(certid, "commissioned"))[-1] == "commission"
    fleet.power_on(paths)
    assert events(deployed.wait(certid, "arrived"))[-1] == "arrive"


def _arrivals_queue(deployed: Deployment) -> str:
    sqs = deployed.client(deployed.lobby, "sqs")
    url: str = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
    return url
