"""Undelivered events of webhooks that are sent again, through the API and `lobbyctl`: all, or named ones."""

from collections.abc import Iterator
from typing import Any

import pytest

from lobby.aws.clients import client
from lobby.aws.webhook_queue import decode
from lobby.domain.events.webhook import Message, Result, Undelivered, WebhookId, WebhookState, body_of
from lobby.ledger.webhooks.deliveries import Deliveries
from lobby.ledger.webhooks.webhook_register import Webhooks
from tests.functional.admin_api.api_on_moto import Lobby, Response
from tests.functional.admin_api.lobby_over_http import Terminal
from tests.functional.admin_api.webhooks_on_moto import QUEUE

AT = "2026-11-29T12:00:00.000Z"
REDRIVE = """
mutation($id: ID!, $events: [String!]) { redriveWebhook(id: $id, events: $events) { redriven missing more } }"""


@pytest.fixture(autouse=True)
def queue(lobby: Lobby) -> Iterator[None]:
    """The queue of events, which is empty."""
    assert lobby
    client("sqs").create_queue(QueueName="device-lobby-webhooks")
    yield
    client("sqs").delete_queue(QueueUrl=QUEUE)
    for webhook in Webhooks().all():
        Webhooks().remove(webhook)


@pytest.fixture
def webhook() -> WebhookId:
    added = Webhooks().new("https://example.com/hook", (), "user:ann")
    Webhooks().add(added)
    return added.id


def ask(lobby: Lobby, text: str, **variables: Any) -> Response:
    return lobby.ask(text, variables, ("admin",))


def redrive(lobby: Lobby, webhook: str, *events: str) -> tuple[int, list[str], bool]:
    done = ask(lobby, REDRIVE, id=webhook, events=list(events) or None).data["redriveWebhook"]
    return done["redriven"], done["missing"], done["more"]


def run(terminal: Terminal, *arguments: str) -> str:
    result = terminal.run("--as", "admin", "webhooks", *arguments)
    assert result.exit_code == 0, result.stderr
    return " ".join(f"{result.stdout} {result.stderr}".split())


def queued() -> list[str]:
    received = client("sqs").receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return sorted(decode(each["Body"]).event for each in received.get("Messages", []))


def undelivered(webhook: WebhookId, *events: str) -> None:
    for event in events:
        Deliveries().keep(Undelivered(Message(webhook, event, body_of("device.claim", AT, {})), AT, Result.TIMEOUT, 8))


def kept(webhook: WebhookId) -> list[str]:
    return [each.message.event for each in Deliveries().undelivered(webhook, 1000)]


def test_undelivered_events_are_listed_and_sent_again_once(lobby: Lobby, webhook: WebhookId) -> None:
    undelivered(webhook, "a-1", "b-1")
    fields = "undeliveredCount undelivered { event type at result attempts }"
    [shown] = ask(lobby, f"{{ webhooks {{ {fields} }} }}").data["webhooks"]
    assert shown["undeliveredCount"] == 2
    first = {"event": "a-1", "type": "device.claim", "at": AT, "result": "TIMEOUT", "attempts": 8}
    assert shown["undelivered"][0] == first
    assert redrive(lobby, webhook) == (2, [], False)
    assert queued() == ["a-1", "b-1"]
    assert redrive(lobby, webhook) == (0, [], False)


def test_single_undelivered_events_are_sent_again(lobby: Lobby, webhook: WebhookId) -> None:
    undelivered(webhook, "a-1", "b-1", "c-1")
    unknown = ["unknown", "", "a" * 1025, "a\0"]
    assert redrive(lobby, webhook, "b-1", *unknown, "b-1") == (1, unknown, False)
    assert queued() == ["b-1"]
    assert redrive(lobby, webhook, "b-1") == (0, ["b-1"], False)
    for wrong in ([], [str(number) for number in range(101)]):
        assert ask(lobby, REDRIVE, id=webhook, events=wrong).code == "INVALID_COUNT"
    assert kept(webhook) == ["a-1", "c-1"]


def test_a_named_event_is_found_behind_the_first_hundred(lobby: Lobby, terminal: Terminal, webhook: WebhookId) -> None:
    undelivered(webhook, *(f"{number:03}-1" for number in range(103)))
    assert redrive(lobby, webhook, "102-1") == (1, [], False)
    assert queued() == ["102-1"]
    page = "query($after: String) { webhooks { undelivered(after: $after) { event } } }"
    [shown] = ask(lobby, page, after="099-1").data["webhooks"]
    assert [each["event"] for each in shown["undelivered"]] == ["100-1", "101-1"]
    assert ask(lobby, page, after="").code == "INVALID_CURSOR"
    assert "the first 100 of 102 undelivered events" in run(terminal, "show", webhook)
    assert redrive(lobby, webhook) == (100, [], True)
    assert redrive(lobby, webhook) == (2, [], False)


def test_events_that_the_queue_accepts_are_not_sent_again_with_those_that_it_refuses(
    lobby: Lobby, webhook: WebhookId, monkeypatch: pytest.MonkeyPatch
) -> None:
    undelivered(webhook, "a-1", "b-1")
    with monkeypatch.context() as patched:
        patched.setattr("lobby.aws.webhook_queue.WebhookQueue.send", lambda *_: {"a-1": "InternalError"})
        assert ask(lobby, REDRIVE, id=webhook).code == "INTERNAL"
    assert kept(webhook) == ["a-1"]


def test_lobbyctl_sends_all_events_again(terminal: Terminal, webhook: WebhookId) -> None:
    undelivered(webhook, *(f"{number:03}-1" for number in range(101)))
    assert "Sent 101 events again" in run(terminal, "redrive", webhook)
    assert kept(webhook) == []


def test_lobbyctl_sends_more_events_than_one_request_may_name(terminal: Terminal, webhook: WebhookId) -> None:
    names = [f"{number:03}-1" for number in range(101)]
    undelivered(webhook, *names)
    assert "Sent 101 of 101 events again" in run(terminal, "redrive", webhook, *names)
    assert kept(webhook) == []


def test_lobbyctl_says_which_events_are_not_undelivered(terminal: Terminal, webhook: WebhookId) -> None:
    undelivered(webhook, "a-1", "b-1")
    assert "Sent 1 of 1 events again" in run(terminal, "redrive", webhook, "b-1")
    partly = terminal.run("--as", "admin", "webhooks", "redrive", webhook, "a-1", "b-1")
    assert partly.exit_code == 5
    assert partly.stderr.splitlines() == ["Sent 1 of 2 events again", "Not undelivered: b-1"]
    assert terminal.run("--as", "admin", "webhooks", "redrive", webhook, "a-1").exit_code == 1


def test_lobbyctl_states_what_was_sent_before_an_error(terminal: Terminal, webhook: WebhookId, server: Any) -> None:
    undelivered(webhook, *(f"{number:03}-1" for number in range(101)))

    def disabled(_number: int) -> None:
        if len(kept(webhook)) == 1:
            Webhooks().set_state(Webhooks().get(webhook), WebhookState.DISABLED, "GONE")

    server.before_request = disabled
    stopped = terminal.run("--as", "admin", "webhooks", "redrive", webhook)
    assert stopped.exit_code == 1
    assert "Sent 100 events again; run the same command again to continue" in stopped.stderr
    assert "WEBHOOK_DISABLED" in stopped.stderr
