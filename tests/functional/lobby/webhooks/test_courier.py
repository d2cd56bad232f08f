"""The courier: deliveries, retries, the last attempt, and disabled webhooks."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lobby.aws.webhook_queue import WebhookQueue, decode, encode
from lobby.aws.webhook_secrets import WebhookSecrets
from lobby.domain.events.webhook import FAILING, WAITS, Delivery, Message, Result, Webhook, WebhookState, body_of
from lobby.errors import MessageRejected
from lobby.ledger.clock import timestamp
from lobby.ledger.webhooks.deliveries import Deliveries
from lobby.ledger.webhooks.webhook_register import Webhooks
from lobby.webhooks.courier import Courier, handler
from lobby.webhooks.sending import Outcome
from lobby.webhooks.signature import headers, new_secret
from tests import aws
from tests.aws import ENVIRONMENT, Calls, Clock

QUEUE = ENVIRONMENT["WEBHOOKS_QUEUE"]
EVENT = "ab" * 32 + "-3"
BODY = body_of("device.claim", "2026-11-29T12:00:00.000Z", {"seq": 3})


class FakeSender:
    """Records requests and returns `outcome`."""

    def __init__(self) -> None:
        self.outcome = Outcome(Result.DELIVERED, 200, 12)
        self.sent: list[tuple[str, bytes, Mapping[str, str]]] = []

    def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        self.sent.append((url, body, headers))
        return self.outcome


class CourierFixture:
    """A courier with one webhook."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.sender = clock, FakeSender()
        self.sqs = aws.client("sqs")
        self.sqs.create_queue(QueueName="device-lobby-webhooks")
        self.webhooks, self.deliveries = Webhooks(clock), Deliveries()
        self.secrets = WebhookSecrets(lambda: aws.client("ssm"))
        self.added = self.webhooks.new("https://example.com/hook", (), "user:ann")
        self.secret = new_secret()
        self.secrets.put(self.added.id, 1, self.secret)
        self.webhooks.add(self.added)
        queue = WebhookQueue(lambda: self.sqs, QUEUE)
        sender: Any = self.sender
        self.courier = Courier(sender, self.webhooks, self.deliveries, self.secrets, queue, clock, lambda: 0.0)

    @property
    def webhook(self) -> Webhook:
        return self.webhooks.get(self.added.id)

    @property
    def log(self) -> list[Delivery]:
        return self.deliveries.log(self.added.id, 100)[0]

    def deliver(self, attempt: int = 1, body: str | None = None) -> list[str]:
        """Deliver a message and return the ids of those that stay in the queue."""
        text = body or encode(Message(self.added.id, EVENT, BODY))
        record = {
            "messageId": "m1",
            "receiptHandle": "r1",
            "body": text,
            "attributes": {"ApproximateReceiveCount": str(attempt)},
        }
        return [
            each["itemIdentifier"] for each in handler({"Records": [record]}, None, self.courier)["batchItemFailures"]
        ]


@pytest.fixture
def fixture(calls: Calls, clock: Clock) -> CourierFixture:
    calls.instead["ChangeMessageVisibility"] = lambda _params, _call: {}
    return CourierFixture(clock)


def test_a_delivery_is_signed_and_recorded(fixture: CourierFixture, clock: Clock) -> None:
    assert fixture.deliver() == []
    [(url, body, sent)] = fixture.sender.sent
    assert url == "https://example.com/hook"
    assert json.loads(body) == BODY
    assert sent == headers(EVENT, int(clock().timestamp()), body, [fixture.secret])
    assert fixture.log == [Delivery(timestamp(clock()), EVENT, "device.claim", 1, Result.DELIVERED, 200, 12)]


def test_a_failed_request_is_repeated_later(fixture: CourierFixture, clock: Clock, calls: Calls) -> None:
    fixture.sender.outcome = Outcome(Result.REJECTED, 500, 12)
    calls.forget()
    assert fixture.deliver(attempt=2) == ["m1"]
    [hidden] = calls.of("ChangeMessageVisibility")
    assert (hidden.params["ReceiptHandle"], hidden.params["VisibilityTimeout"]) == ("r1", WAITS[1])
    [logged] = fixture.log
    assert (logged.attempt, logged.result, logged.status) == (2, Result.REJECTED, 500)
    assert logged.next_at == timestamp(clock() + timedelta(seconds=WAITS[1]))
    assert fixture.webhook.failing_since == timestamp(clock())
    assert fixture.deliveries.undelivered_count(fixture.added.id) == 0


def test_the_wait_that_a_receiver_asks_for_is_kept(fixture: CourierFixture, calls: Calls) -> None:
    fixture.sender.outcome = Outcome(Result.REJECTED, 429, 12, retry_after=77)
    fixture.deliver()
    assert [call.params["VisibilityTimeout"] for call in calls.of("ChangeMessageVisibility")] == [77]


def test_after_the_last_attempt_the_event_is_kept(fixture: CourierFixture, clock: Clock) -> None:
    fixture.sender.outcome = Outcome(Result.TIMEOUT)
    assert fixture.deliver(attempt=len(WAITS) + 1) == []
    [kept] = fixture.deliveries.undelivered(fixture.added.id, 10)
    assert kept.message == Message(fixture.added.id, EVENT, BODY)
    assert (kept.at, kept.result, kept.attempts) == (timestamp(clock()), Result.TIMEOUT, len(WAITS) + 1)
    assert fixture.webhook.is_active


def test_an_accepted_request_ends_the_failure(fixture: CourierFixture) -> None:
    fixture.sender.outcome = Outcome(Result.TIMEOUT)
    fixture.deliver()
    fixture.sender.outcome = Outcome(Result.DELIVERED, 200)
    fixture.deliver(attempt=2)
    assert fixture.webhook.failing_since is None


def test_a_working_webhook_costs_one_read_and_one_write(fixture: CourierFixture, calls: Calls) -> None:
    fixture.deliver()
    calls.forget()
    fixture.deliver()
    assert calls.names() == ["GetItem", "PutItem"]


def test_a_webhook_that_accepts_nothing_for_days_is_disabled(
    fixture: CourierFixture, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fixture.sender.outcome = Outcome(Result.CONNECTION_FAILED)
    fixture.deliver()
    since = timestamp(clock())
    clock.time += FAILING + timedelta(seconds=1)
    assert fixture.deliver(attempt=len(WAITS) + 1) == []
    assert (fixture.webhook.state, fixture.webhook.reason) == (
        WebhookState.DISABLED,
        f"CONNECTION_FAILED: no request was accepted since {since}",
    )
    assert [each.message.event for each in fixture.deliveries.undelivered(fixture.added.id, 10)] == [EVENT]
    assert '"WebhooksDisabled"' in capsys.readouterr().out


def test_one_failed_request_long_after_another_one_is_repeated(fixture: CourierFixture, clock: Clock) -> None:
    fixture.sender.outcome = Outcome(Result.REJECTED, 503)
    fixture.deliver(attempt=len(WAITS) + 1)
    clock.advance(days=30)
    assert fixture.deliver() == ["m1"]
    assert fixture.webhook.is_active
    fixture.sender.outcome = Outcome(Result.DELIVERED, 200)
    assert fixture.deliver(attempt=2) == []
    assert fixture.webhook.failing_since is None


def test_a_webhook_that_is_gone_is_disabled_immediately(fixture: CourierFixture) -> None:
    fixture.sender.outcome = Outcome(Result.GONE, 410)
    assert fixture.deliver() == []
    assert fixture.webhook.reason == "GONE: no request was accepted"
    assert fixture.deliveries.undelivered_count(fixture.added.id) == 1


def test_a_disabled_webhook_gets_no_request_and_its_events_are_kept(fixture: CourierFixture) -> None:
    fixture.webhooks.set_state(fixture.webhook, WebhookState.DISABLED, "by user:ann")
    assert fixture.deliver() == []
    assert fixture.sender.sent == []
    assert [each.result for each in fixture.deliveries.undelivered(fixture.added.id, 10)] == [Result.DISABLED]
    assert fixture.webhook.reason == "by user:ann"


def test_an_event_of_a_removed_webhook_is_dropped(fixture: CourierFixture) -> None:
    fixture.webhooks.remove(fixture.added)
    assert fixture.deliver() == []
    assert fixture.sender.sent == []


def test_during_a_rotation_both_secrets_sign(fixture: CourierFixture, clock: Clock) -> None:
    new = new_secret()
    fixture.secrets.put(fixture.added.id, 2, new)
    fixture.webhooks.rotate(fixture.webhooks.reserve(fixture.webhook))
    fixture.deliver()
    clock.advance(days=1)
    fixture.deliver()
    [during, later] = [each[2]["webhook-signature"].split(" ") for each in fixture.sender.sent]
    assert (len(during), len(later)) == (2, 1)
    body: bytes = fixture.sender.sent[0][1]
    at = int(clock().timestamp()) - 86_400
    assert during == [headers(EVENT, at, body, [key])["webhook-signature"] for key in (new, fixture.secret)]


def test_without_its_secret_a_webhook_gets_no_request(fixture: CourierFixture) -> None:
    fixture.secrets.delete(fixture.added.id, [1])
    assert fixture.deliver() == ["m1"]
    assert fixture.sender.sent == []
    assert [each.result for each in fixture.log] == [Result.NO_SECRET]


def test_a_user_who_changes_a_webhook_meanwhile_wins(fixture: CourierFixture, calls: Calls) -> None:
    def disable() -> None:
        fixture.webhooks.set_state(fixture.webhook, WebhookState.DISABLED, "by user:ann")

    fixture.sender.outcome = Outcome(Result.REJECTED, 500)
    calls.meanwhile["PutItem"] = disable
    assert fixture.deliver() == ["m1"]
    assert (fixture.webhook.state, fixture.webhook.failing_since) == (WebhookState.DISABLED, None)


def test_a_failed_call_leaves_the_message_in_the_queue(fixture: CourierFixture, calls: Calls) -> None:
    calls.fails["PutItem"] = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutItem")
    assert fixture.deliver() == ["m1"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "not JSON",
        '{"webhook": "x", "event": "e", "body": {"type": "t"}}',
        '{"webhook": "wh_0123456789abcdef", "event": 7, "body": {"type": "t"}}',
        '{"webhook": "wh_0123456789abcdef", "event": "e", "body": {}}',
        '{"webhook": "wh_0123456789abcdef", "event": "e", "body": []}',
        '{"webhook": "wh_0123456789abcdef", "event": "e", "body": {"type": 7}}',
    ],
)
def test_an_unreadable_message_stays_until_its_last_delivery(fixture: CourierFixture, text: str) -> None:
    with pytest.raises(MessageRejected):
        decode(text)
    assert fixture.deliver(body=text or " ") == ["m1"]
    assert fixture.sender.sent == []


def test_the_log_is_read_in_pages_and_expires(fixture: CourierFixture, clock: Clock) -> None:
    for _ in range(3):
        fixture.deliver()
        clock.advance(seconds=1)
    page, more = fixture.deliveries.log(fixture.added.id, 2)
    rest, end = fixture.deliveries.log(fixture.added.id, 2, more)
    assert (len(page), len(rest), end) == (2, 1, None)
    assert [each.at for each in (*page, *rest)] == sorted((each.at for each in fixture.log), reverse=True)
    [expiry] = {
        int(row["expires"]["N"]) - int(clock().timestamp()) + number
        for number, row in zip((3, 2, 1), _rows("deliveries#"), strict=True)
    }
    assert expiry == 7 * 86_400


def _rows(kind: str) -> list[dict[str, Any]]:
    return [row for row in aws.items("device-lobby-webhooks") if row["kind"]["S"].startswith(kind)]


def test_no_secret_is_in_the_table_or_the_log(fixture: CourierFixture, capsys: pytest.CaptureFixture[str]) -> None:
    fixture.deliver()
    fixture.sender.outcome = Outcome(Result.REJECTED, 500)
    fixture.deliver(attempt=len(WAITS) + 1)
    text = str(aws.items("device-lobby-webhooks")) + capsys.readouterr().out
    assert fixture.secret not in text
    assert fixture.secret.removeprefix("whsec_") not in text


def test_a_change_of_an_earlier_revision_is_refused(fixture: CourierFixture) -> None:
    before = fixture.webhook
    fixture.webhooks.change(before, replace(before, url="https://example.com/other"))
    assert not fixture.webhooks.failed(replace(before, failing_since=None), Result.TIMEOUT, 1)
    assert fixture.webhook.url == "https://example.com/other"
