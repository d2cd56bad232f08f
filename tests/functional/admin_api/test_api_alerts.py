"""Notices by e-mail: subscriptions, and refused ones."""

import json
from typing import Any

import pytest

from tests.functional.admin_api.api_on_moto import Lobby, Response
from tests.functional.admin_api.lobby_over_http import Terminal
from tests.functional.admin_api.webhooks_on_moto import TOPIC

ADD = (
    "mutation($email: String!, $notices: [String!]) { addAlert(email: $email, notices: $notices) { email confirmed } }"
)


pytestmark = pytest.mark.usefixtures("topic")


def add(lobby: Lobby, email: str, notices: list[str] | None = None) -> Response:
    return lobby.ask(ADD, {"email": email, "notices": notices}, ("operator",))


@pytest.mark.parametrize(
    ("notices", "policy"),
    [
        (None, ["waiting", "failed", "refused", "suspected", "quarantined"]),
        (["failed", "waiting", "failed"], ["failed", "waiting"]),
    ],
    ids=str,
)
def test_an_address_is_subscribed_to_its_notices(
    lobby: Lobby, topic: Any, notices: list[str] | None, policy: list[str]
) -> None:
    assert add(lobby, "ann@example.com", notices).data["addAlert"] == {"email": "ann@example.com", "confirmed": False}
    [subscription] = topic.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ann@example.com")
    attributes = topic.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])["Attributes"]
    assert json.loads(attributes["FilterPolicy"]) == {"notice": policy}
    assert attributes["FilterPolicyScope"] == "MessageBody"


@pytest.mark.parametrize(
    ("email", "notices", "code"),
    [
        ("", None, "INVALID_EMAIL"),
        ("ann", None, "INVALID_EMAIL"),
        ("ann@localhost", None, "INVALID_EMAIL"),
        ("ann@example.com, bob@example.com", None, "INVALID_EMAIL"),
        ("ann@example.com\nBcc: bob@example.com", None, "INVALID_EMAIL"),
        ("a" * 250 + "@example.com", None, "INVALID_EMAIL"),
        ("https://example.com/", None, "INVALID_EMAIL"),
        ("ann@example.com", ["arrived"], "INVALID_NOTICE"),
    ],
    ids=str,
)
def test_other_values_are_refused(lobby: Lobby, topic: Any, email: str, notices: list[str] | None, code: str) -> None:
    assert add(lobby, email, notices).code == code
    assert topic.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"] == []


def test_lobbyctl_subscribes_and_lists(terminal: Terminal, topic: Any) -> None:
    assert (
        "asks ann@example.com to confirm" in terminal.run("alerts", "add", "ann@example.com", "--on", "waiting").stderr
    )
    queue = "arn:aws:sqs:eu-west-1:123456789012:another"
    topic.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=queue)
    listed = terminal.run("alerts", "list").stdout
    assert "ann@example.com" in listed
    assert queue not in listed
