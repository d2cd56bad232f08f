"""The table of webhooks: their settings, the log of requests, and events that were not delivered.

Secrets are not in it (`lobby.aws.webhook_secrets`). Log and undelivered events are deleted by DynamoDB's time to live.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from pynamodb.attributes import JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from lobby.deployment import NAMES
from lobby.domain.events.webhook import Delivery, Message, Result, Undelivered, Webhook, WebhookId, WebhookState
from lobby.ledger.table_calls import Calls

KIND: Final = "webhook"


class WebhookRow(Model):
    """A webhook (kind `webhook`)."""

    class Meta(Calls):
        table_name = NAMES.name("webhooks")

    kind = UnicodeAttribute(hash_key=True, default=KIND)
    name = UnicodeAttribute(range_key=True)
    url = UnicodeAttribute()
    events: ListAttribute[Any] = ListAttribute()
    created_by = UnicodeAttribute(attr_name="createdby")
    created_at = UnicodeAttribute(attr_name="createdat")
    state = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    revision = NumberAttribute()
    secret = NumberAttribute()
    previous_until = UnicodeAttribute(null=True, attr_name="previousuntil")
    failing_since = UnicodeAttribute(null=True, attr_name="failingsince")
    previous = NumberAttribute(null=True)
    reserved = NumberAttribute(null=True)
    oldest = NumberAttribute(null=True)


class DeliveryRow(Model):
    """One request, in the same table: of kind `deliveries#` and the webhook, in the order of time."""

    class Meta(Calls):
        table_name = NAMES.name("webhooks")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    event = UnicodeAttribute()
    type = UnicodeAttribute()
    attempt = NumberAttribute()
    result = UnicodeAttribute()
    status = NumberAttribute(null=True)
    milliseconds = NumberAttribute(attr_name="ms")
    next_at = UnicodeAttribute(null=True, attr_name="nextat")
    expires = NumberAttribute()


class UndeliveredRow(Model):
    """An event that was not delivered, in the same table: of kind `undelivered#` and the webhook, by the event's id."""

    class Meta(Calls):
        table_name = NAMES.name("webhooks")

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    at = UnicodeAttribute()
    body = JSONAttribute()
    result = UnicodeAttribute()
    attempts = NumberAttribute()
    expires = NumberAttribute()


def log_key(webhook: WebhookId) -> str:
    return f"deliveries#{webhook}"


def undelivered_key(webhook: WebhookId) -> str:
    return f"undelivered#{webhook}"


def webhook_of(row: WebhookRow) -> Webhook:
    return Webhook(
        WebhookId(row.name),
        row.url,
        tuple(row.events),
        row.created_by,
        row.created_at,
        WebhookState(row.state),
        row.reason,
        int(row.revision),
        int(row.secret),
        row.previous_until,
        row.failing_since,
        _number(row.previous),
        _number(row.reserved),
        _number(row.oldest),
    )


def row_of(webhook: Webhook) -> WebhookRow:
    return WebhookRow(
        KIND,
        webhook.id,
        url=webhook.url,
        events=list(webhook.events),
        created_by=webhook.created_by,
        created_at=webhook.created_at,
        state=webhook.state.value,
        reason=webhook.reason,
        revision=webhook.revision,
        secret=webhook.secret,
        previous_until=webhook.previous_until,
        failing_since=webhook.failing_since,
        previous=webhook.previous,
        reserved=webhook.reserved,
        oldest=webhook.oldest,
    )


def delivery_row(webhook: WebhookId, delivery: Delivery, kept: timedelta) -> DeliveryRow:
    """Return the item of a request. Its key orders by time and is the same if it is written again."""
    return DeliveryRow(
        log_key(webhook),
        f"{delivery.at}#{delivery.event}#{delivery.attempt}",
        at=delivery.at,
        event=delivery.event,
        type=delivery.type,
        attempt=delivery.attempt,
        result=delivery.result.value,
        status=delivery.status,
        milliseconds=delivery.milliseconds,
        next_at=delivery.next_at,
        expires=_expiry(delivery.at, kept),
    )


def delivery_of(row: DeliveryRow) -> Delivery:
    return Delivery(
        row.at,
        row.event,
        row.type,
        int(row.attempt),
        Result(row.result),
        _number(row.status),
        int(row.milliseconds),
        row.next_at,
    )


def undelivered_row(event: Undelivered, kept: timedelta) -> UndeliveredRow:
    message = event.message
    return UndeliveredRow(
        undelivered_key(message.webhook),
        message.event,
        at=event.at,
        body=message.body,
        result=event.result.value,
        attempts=event.attempts,
        expires=_expiry(event.at, kept),
    )


def undelivered_of(row: UndeliveredRow, webhook: WebhookId) -> Undelivered:
    return Undelivered(Message(webhook, row.name, row.body), row.at, Result(row.result), int(row.attempts))


def _number(stored: float | None) -> int | None:
    return None if stored is None else int(stored)


def _expiry(at: str, kept: timedelta) -> int:
    return int((datetime.fromisoformat(at) + kept).timestamp())
