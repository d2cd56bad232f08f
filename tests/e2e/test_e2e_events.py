"""Events on the deployed lobby: an operator's rule receives each transition, which the publisher's role publishes."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from lobby.names import Target
from tests.e2e.deployment import Deployment, until
from tests.e2e.fleet import Fleet, certid_of, name_of, wait_for_event

_NUMBERS = count(1)


@pytest.fixture
def received(deployed: Deployment) -> Iterator[list[dict[str, Any]]]:
    """The events of this lobby's bus, which a rule sends to a queue. Each read extends the list."""
    sqs, events = (deployed.client(deployed.lobby, service) for service in ("sqs", "events"))
    name = f"observer-{next(_NUMBERS)}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=name, EventBusName="device-lobby", EventPattern=json.dumps({"source": ["device-lobby"]}))
    events.put_targets(Rule=name, EventBusName="device-lobby", Targets=[{"Id": "queue", "Arn": arn}])
    found = Received(sqs, url)
    yield found
    events.remove_targets(Rule=name, EventBusName="device-lobby", Ids=["queue"])
    events.delete_rule(Name=name, EventBusName="device-lobby")
    sqs.delete_queue(QueueUrl=url)


class Received(list[dict[str, Any]]):
    """Events with EventBridge's envelope, in the order of their arrival."""

    def __init__(self, sqs: Any, url: str) -> None:
        super().__init__()
        self._sqs, self._url = sqs, url

    def of(self, certid: str) -> list[dict[str, Any]]:
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in self if event["detail"]["device"]["fingerprint"] == certid]


def test_each_transition_of_an_onboarding_is_published(
    deployed: Deployment, fleet: Fleet, second: Target, received: Received
) -> None:
    paths = fleet.make()
    certid, device = certid_of(paths), fleet.power_on(paths)
    deployed.wait(certid, "inlobby")
    deployed.claim(certid, second)
    wait_for_event(device, "arrived_at_target")
    deployed.wait(certid, "arrived")
    until(lambda: len(received.of(certid)) >= 5, lambda: received)
    events = {event["detail"]["seq"]: event for event in received.of(certid)}
    assert [events[seq]["detail-type"] for seq in sorted(events)] == [
        "device.admit",
        "device.hello",
        "device.claim",
        "device.commission",
        "device.arrive",
    ]
    assert {event["source"] for event in events.values()} == {"device-lobby"}
    claim = events[3]["detail"]
    assert (claim["device"]["name"], claim["before"], claim["after"]) == (name_of(paths), "inlobby", "claimed")
    assert claim["target"] == str(second)
    assert claim["actor"].startswith("user:")
    listed = deployed.api().ask("{ activity(first: 50) { nodes { certid event actor devicename } } }")["activity"]
    own = [(each["event"], each["devicename"]) for each in listed["nodes"] if each["certid"] == certid]
    assert own == [("claim", name_of(paths))]


def test_a_subscriber_gets_a_notice_that_a_device_waits(deployed: Deployment, fleet: Fleet) -> None:
    """A queue replaces the mailbox, because the emulator sends no mail."""
    sqs, sns = (deployed.client(deployed.lobby, service) for service in ("sqs", "sns"))
    url = sqs.create_queue(QueueName="mail-box")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    by_sns = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [by_sns | {"Resource": arn}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allowed})
    topic = f"arn:aws:sns:{deployed.lobby.region}:{deployed.lobby.account}:device-lobby-notices"
    policy = {"FilterPolicyScope": "MessageBody", "FilterPolicy": json.dumps({"notice": ["waiting"]})}
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=policy)["SubscriptionArn"]
    try:
        paths = fleet.make()
        fleet.power_on(paths)
        received: list[dict[str, Any]] = until(
            lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages")
        )
        messages = [json.loads(json.loads(each["Body"])["Message"]) for each in received]
        assert {each["notice"] for each in messages} == {"waiting"}
        assert f"Device {name_of(paths)} (fingerprint {certid_of(paths)}) waits in the lobby" in messages[0]["text"]
    finally:
        sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)
    api = deployed.api()
    api.ask('mutation { addAlert(email: "ann@example.com", notices: ["failed"]) { email } }')
    assert [each["email"] for each in api.ask("{ alerts { email confirmed } }")["alerts"]] == ["ann@example.com"]
