"""Webhooks through the API and `lobbyctl`: secrets that are shown once, states, tests, and repeated events."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lobby.aws.clients import client
from lobby.aws.webhook_queue import decode
from lobby.aws.webhook_secrets import PREFIX, WebhookSecrets
from lobby.domain.events.webhook import Delivery, Message, Result, Undelivered, WebhookId, body_of
from lobby.ledger.webhooks.deliveries import Deliveries
from lobby.ledger.webhooks.webhook_register import Webhooks
from tests.functional.admin_api.api_on_moto import Lobby, Response
from tests.functional.admin_api.lobby_over_http import Terminal, error_of
from tests.functional.admin_api.webhooks_on_moto import QUEUE

URL = "https://example.com/hook"
ADD = """
mutation($url: String!, $events: [String!]) {
  addWebhook(url: $url, events: $events) { webhook { id url events state createdBy } secret }
}"""
AT = "2026-11-29T12:00:00.000Z"


@pytest.fixture(autouse=True)
def queue(lobby: Lobby) -> Iterator[None]:
    """The queue of events, which is empty."""
    client("sqs").create_queue(QueueName="device-lobby-webhooks")
    yield
    client("sqs").delete_queue(QueueUrl=QUEUE)
    for webhook in Webhooks().all():
        Webhooks().remove(webhook)


def ask(lobby: Lobby, text: str, **variables: Any) -> Response:
    return lobby.ask(text, variables, ("admin",))


def add(lobby: Lobby, url: str = URL, events: list[str] | None = None) -> dict[str, Any]:
    added: dict[str, Any] = ask(lobby, ADD, url=url, events=events).data["addWebhook"]
    return added


def change(lobby: Lobby, operation: str, webhook: str, fields: str) -> Response:
    return ask(lobby, f"mutation($id: ID!) {{ {operation}(id: $id) {{ {fields} }} }}", id=webhook)


def stored(webhook: str, number: int) -> str | None:
    ssm = client("ssm")
    try:
        found = ssm.get_parameter(Name=f"{PREFIX}/{webhook}/{number}", WithDecryption=True)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        return None
    assert found["Type"] == "SecureString"
    return str(found["Value"])


def queued() -> list[Message]:
    received = client("sqs").receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return [decode(each["Body"]) for each in received.get("Messages", [])]


def undelivered(webhook: str, *events: str) -> None:
    for event in events:
        message = Message(WebhookId(webhook), event, body_of("device.claim", AT, {"id": event}))
        Deliveries().keep(Undelivered(message, AT, Result.TIMEOUT, 8))


def test_a_webhook_is_added_and_its_secret_is_shown_once(lobby: Lobby) -> None:
    added = add(lobby, events=["claim", "device.arrive"])
    webhook, secret = added["webhook"], added["secret"]
    assert webhook.pop("createdBy").startswith("user:")
    assert webhook == {
        "id": webhook["id"],
        "url": URL,
        "events": ["device.claim", "device.arrive"],
        "state": "active",
    }
    assert stored(webhook["id"], 1) == secret
    shown = json.dumps(ask(lobby, "{ webhooks { id url events state reason } }").body)
    assert webhook["id"] in shown
    assert secret not in shown
    assert secret not in str(client("dynamodb").scan(TableName="device-lobby-webhooks")["Items"])


@pytest.mark.parametrize(
    ("url", "events", "code"),
    [
        ("http://example.com/", None, "INVALID_URL"),
        ("https://169.254.169.254/", None, "INVALID_URL"),
        ("https://localhost:9443/", None, "INVALID_URL"),
        (URL, ["party"], "INVALID_EVENT"),
    ],
)
def test_a_wrong_webhook_is_refused_and_leaves_no_secret(
    lobby: Lobby, url: str, events: list[str] | None, code: str
) -> None:
    before = client("ssm").describe_parameters()["Parameters"]
    assert ask(lobby, ADD, url=url, events=events).code == code
    assert Webhooks().all() == []
    assert client("ssm").describe_parameters()["Parameters"] == before


def test_the_twenty_first_webhook_is_refused(lobby: Lobby) -> None:
    for number in range(20):
        add(lobby, f"https://example.com/{number}")
    assert ask(lobby, ADD, url=URL).code == "INVALID_COUNT"


def test_a_rotation_keeps_the_previous_secret_for_a_day_and_deletes_the_one_before(lobby: Lobby) -> None:
    first = add(lobby)
    webhook = first["webhook"]["id"]
    second = change(lobby, "rotateWebhookSecret", webhook, "secret webhook { previousSecretUntil }").data
    assert (stored(webhook, 1), stored(webhook, 2)) == (first["secret"], second["rotateWebhookSecret"]["secret"])
    assert second["rotateWebhookSecret"]["webhook"]["previousSecretUntil"] > AT
    change(lobby, "rotateWebhookSecret", webhook, "secret")
    assert stored(webhook, 1) is None
    assert stored(webhook, 2) == second["rotateWebhookSecret"]["secret"]


def test_a_disabled_webhook_takes_no_test_and_no_redrive_until_it_is_enabled(lobby: Lobby) -> None:
    webhook = add(lobby)["webhook"]["id"]
    disabled = change(lobby, "disableWebhook", webhook, "state reason").data["disableWebhook"]
    assert disabled["state"] == "disabled"
    assert disabled["reason"].startswith("disabled by user:")
    for operation, field in (("testWebhook", "event"), ("redriveWebhook", "redriven")):
        assert change(lobby, operation, webhook, field).code == "WEBHOOK_DISABLED"
    assert queued() == []
    enabled = change(lobby, "enableWebhook", webhook, "state reason").data["enableWebhook"]
    assert enabled == {"state": "active", "reason": None}
    assert change(lobby, "enableWebhook", webhook, "state").codes == []


def test_a_removed_webhook_leaves_no_secret(lobby: Lobby) -> None:
    webhook = add(lobby)["webhook"]["id"]
    change(lobby, "rotateWebhookSecret", webhook, "secret")
    assert change(lobby, "removeWebhook", webhook, "id").data["removeWebhook"] == {"id": webhook}
    assert (stored(webhook, 1), stored(webhook, 2)) == (None, None)
    assert change(lobby, "removeWebhook", webhook, "id").code == "UNKNOWN_WEBHOOK"


def test_a_removed_webhook_leaves_no_secret_of_an_interrupted_rotation(lobby: Lobby) -> None:
    webhook = WebhookId(add(lobby)["webhook"]["id"])
    WebhookSecrets(lambda: client("ssm")).put(webhook, 2, "whsec_unused")
    change(lobby, "removeWebhook", webhook, "id")
    assert (stored(webhook, 1), stored(webhook, 2)) == (None, None)


def test_a_test_event_is_queued(lobby: Lobby) -> None:
    webhook = add(lobby, events=["claim"])["webhook"]["id"]
    event = change(lobby, "testWebhook", webhook, "event").data["testWebhook"]["event"]
    [message] = queued()
    assert (message.webhook, message.event, message.type) == (webhook, event, "test")
    assert message.body["data"]["id"] == event


def test_the_log_is_read_in_pages(lobby: Lobby) -> None:
    webhook = WebhookId(add(lobby)["webhook"]["id"])
    for attempt in range(1, 4):
        Deliveries().record(webhook, Delivery(AT, "a-1", "device.claim", attempt, Result.REJECTED, 500, 7))
    text = """
    query($id: ID!, $after: String) {
      webhookDeliveries(id: $id, first: 2, after: $after) { nodes { attempt result status } next }
    }"""
    page = ask(lobby, text, id=webhook).data["webhookDeliveries"]
    rest = ask(lobby, text, id=webhook, after=page["next"]).data["webhookDeliveries"]
    assert [each["attempt"] for each in (*page["nodes"], *rest["nodes"])] == [3, 2, 1]
    assert rest["next"] is None
    assert ask(lobby, text.replace("first: 2", "first: 101"), id=webhook).code == "INVALID_COUNT"
    for cursor in ("!", f"{AT}#{'a' * 1024}", f"{AT}#a\0"):
        assert ask(lobby, text, id=webhook, after=cursor).code == "INVALID_CURSOR"


def run(terminal: Terminal, *arguments: str) -> str:
    result = terminal.run("--as", "admin", "webhooks", *arguments)
    assert result.exit_code == 0, result.stderr
    return " ".join(f"{result.stdout} {result.stderr}".split())


def test_lobbyctl_adds_lists_shows_and_removes_a_webhook(terminal: Terminal) -> None:
    added = run(terminal, "add", URL, "--events", "claim, arrive")
    [webhook] = Webhooks().all()
    assert f"secret {stored(webhook.id, 1)}" in added
    assert f"{webhook.id} active {URL} claim, arrive" in run(terminal, "list")
    Deliveries().record(webhook.id, Delivery(AT, "a-1", "device.claim", 1, Result.REJECTED, 500, 7))
    undelivered(webhook.id, "a-1")
    shown = run(terminal, "show", webhook.id)
    assert "REJECTED 500" in shown
    assert "TIMEOUT" in shown
    assert "Sent 1 events again" in run(terminal, "redrive", webhook.id)
    assert "secret whsec_" in run(terminal, "rotate", webhook.id)
    run(terminal, "disable", webhook.id)
    run(terminal, "enable", webhook.id)
    run(terminal, "remove", webhook.id, "--yes")
    assert "no webhook" in run(terminal, "list")


def test_lobbyctl_reports_the_result_of_a_test(terminal: Terminal, server: Any) -> None:
    run(terminal, "add", URL)
    [webhook] = Webhooks().all()

    def answered(_number: int) -> None:
        for message in queued():
            Deliveries().record(webhook.id, Delivery(AT, message.event, "test", 1, Result.REJECTED, 404, 7))

    server.before_request = answered
    result = terminal.run("--as", "admin", "webhooks", "test", webhook.id)
    assert result.exit_code == 1
    assert "404" in result.stdout


def test_an_unknown_webhook_is_named(terminal: Terminal) -> None:
    error = error_of(terminal.run("--as", "admin", "--json", "webhooks", "show", "wh_1"))
    assert (error["code"], error["message"]) == ("UNKNOWN_WEBHOOK", "got 'wh_1', want one of: none yet")
