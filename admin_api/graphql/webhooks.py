"""Webhooks in the API: the types, the query of deliveries, and the mutations.

A signing secret is returned once, in the response that creates it. `admin_api.operations.webhooks` has the operations,
`lobby.domain.events.webhook` the rules.
"""

from typing import Annotated

import strawberry

from admin_api.graphql.arguments import After, First, described
from admin_api.graphql.context import ABSENT, Context, Info, computed, given, operation
from admin_api.graphql.value_lists import one_of
from admin_api.operations.webhooks import WithSecret
from lobby.domain.events import webhook as domain
from lobby.domain.events.webhook import WebhookState
from lobby.errors import InvalidInput
from lobby.ledger.lists.listing import DEFAULT_PAGE
from lobby.ledger.webhooks.deliveries import MAX_PAGE

Id = Annotated[strawberry.ID, described("The webhook's id.")]


@strawberry.type(description="An event that a webhook has not accepted. It is kept for 14 days.")
class UndeliveredEvent:
    event: str = strawberry.field(description="The event's id.")
    type: str = strawberry.field(description="The event's type.")
    at: str = strawberry.field(description="When the last request failed, ISO 8601 UTC.")
    result: str = strawberry.field(description=f"How the last request ended. {one_of(domain.Result)}")
    attempts: int = strawberry.field(description="How many requests were sent.")


@strawberry.type(description="An address to which events are sent. Times are ISO 8601, UTC.")
class Webhook:
    row: strawberry.Private[domain.Webhook]

    id: strawberry.ID = strawberry.field(description="Its id.")
    url: str = strawberry.field(description="The address.")
    events: list[str] = strawberry.field(description="The types of events that it gets; empty for all.")
    state: str = strawberry.field(description=one_of(WebhookState))
    reason: str | None = strawberry.field(description="Why the webhook is disabled.")
    failing_since: str | None = strawberry.field(
        description="The first failed request after the last accepted one. After three days, an event's last failed"
        " attempt disables the webhook."
    )
    previous_secret_until: str | None = strawberry.field(
        description="Until when requests are also signed with the secret before the last rotation."
    )
    created_by: str = strawberry.field(description="Who added it.")
    created_at: str = strawberry.field(description="When it was added.")

    @computed("The number of undelivered events.")
    def undelivered_count(self, info: Info) -> int:
        return info.context.services.webhooks.deliveries.undelivered_count(self.row.id)

    @computed("Up to 100 undelivered events, in the order of their ids.")
    def undelivered(
        self,
        info: Info,
        after: Annotated[
            str | None, described("The id of the last event of the previous page; by default the first page.")
        ] = ABSENT,
    ) -> list[UndeliveredEvent]:
        events = info.context.services.webhooks.deliveries.undelivered(self.row.id, MAX_PAGE, given(after))
        return [
            UndeliveredEvent(
                event=each.message.event,
                type=each.message.type,
                at=each.at,
                result=each.result.value,
                attempts=each.attempts,
            )
            for each in events
        ]


@strawberry.type(description="A webhook with a new secret, which cannot be read again.")
class WebhookWithSecret:
    webhook: Webhook = strawberry.field(description="The webhook.")
    secret: str = strawberry.field(
        description="The signing secret (Standard Webhooks): `whsec_` and the base64 of the key."
    )


@strawberry.type(description="One request to a webhook. Requests are kept for 7 days.")
class WebhookDelivery:
    at: str = strawberry.field(description="When it was sent, ISO 8601 UTC.")
    event: str = strawberry.field(description="The event's id.")
    type: str = strawberry.field(description="The event's type.")
    attempt: int = strawberry.field(description="The number of the attempt for this event, from 1.")
    result: str = strawberry.field(description=f"How it ended. {one_of(domain.Result)}")
    status: int | None = strawberry.field(description="The HTTP status, if there was a response.")
    milliseconds: int = strawberry.field(description="The duration of the request.")
    next_at: str | None = strawberry.field(description="When the next attempt follows; null for none.")


@strawberry.type(description="A page of requests, the newest first.")
class WebhookDeliveryPage:
    nodes: list[WebhookDelivery] = strawberry.field(description="The requests.")
    next: str | None = strawberry.field(description="The cursor of the next page; null on the last page.")


@strawberry.type(description="The result of sending undelivered events again.")
class RedrivenWebhook:
    id: strawberry.ID = strawberry.field(description="The webhook's id.")
    redriven: int = strawberry.field(description="How many events were sent again, at most 100.")
    missing: list[str] = strawberry.field(
        description="The events of `events` that are not undelivered: they were sent again before, or are unknown."
    )
    more: bool = strawberry.field(
        description="Whether there are undelivered events at which this request has not looked. Then repeat it."
    )


@strawberry.type(description="A webhook that was removed.")
class RemovedWebhook:
    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="A test event that was sent to a webhook.")
class WebhookTest:
    event: str = strawberry.field(description="The event's id in the delivery log.")


@strawberry.type(description="The operations that read webhooks.")
class WebhookQuery:
    @operation("Returns all webhooks, the oldest first.")
    def webhooks(self, info: Info) -> list[Webhook]:
        return [webhook_from(row) for row in info.context.services.webhooks.webhooks.all()]

    @operation("Returns a page of the requests to a webhook, the newest first; at most 100 on a page.")
    def webhook_deliveries(
        self,
        info: Info,
        id: Id,  # noqa: A002  # the field's name
        first: First = DEFAULT_PAGE,
        after: After = ABSENT,
    ) -> WebhookDeliveryPage:
        return deliveries_of(info.context, id, first, given(after))


@strawberry.type(description="The operations that change webhooks.")
class WebhookMutation:
    @operation("Adds a webhook: events are sent to its address, signed with the secret in the answer.")
    def add_webhook(
        self,
        info: Info,
        url: Annotated[str, described("HTTPS, with a public host name, on port 443 or 8443.")],
        events: Annotated[
            list[str] | None, described("Types of events, such as device.claim, or claim; by default all.")
        ] = ABSENT,
    ) -> WebhookWithSecret | None:
        context = info.context
        return _with_secret(context.services.webhooks.add(url, given(events) or (), context.caller.actor))

    @operation("Replaces the secret of a webhook. For a day, requests are also signed with the previous secret.")
    def rotate_webhook_secret(self, info: Info, id: Id) -> WebhookWithSecret | None:  # noqa: A002  # the field's name
        return _with_secret(info.context.services.webhooks.rotate(id))

    @operation("Disables a webhook. Events that occur until it is enabled again are never sent to it.")
    def disable_webhook(self, info: Info, id: Id) -> Webhook | None:  # noqa: A002
        return _set_state(info.context, id, WebhookState.DISABLED)

    @operation("Enables a webhook. redriveWebhook sends its undelivered events again.")
    def enable_webhook(self, info: Info, id: Id) -> Webhook | None:  # noqa: A002
        return _set_state(info.context, id, WebhookState.ACTIVE)

    @operation("Removes a webhook with its secrets. Events that wait for it are not sent.")
    def remove_webhook(self, info: Info, id: Id) -> RemovedWebhook | None:  # noqa: A002
        return RemovedWebhook(id=strawberry.ID(info.context.services.webhooks.remove(id)))

    @operation("Sends a test event to a webhook. Its delivery log shows the result.")
    def test_webhook(self, info: Info, id: Id) -> WebhookTest | None:  # noqa: A002
        return WebhookTest(event=info.context.services.webhooks.test(id))

    @operation("Sends up to 100 undelivered events of a webhook again.")
    def redrive_webhook(
        self,
        info: Info,
        id: Id,  # noqa: A002
        events: Annotated[
            list[str] | None,
            described("Ids of 1 to 100 undelivered events, each of which is looked up; by default the first 100."),
        ] = ABSENT,
    ) -> RedrivenWebhook | None:
        done = info.context.services.webhooks.redrive(id, given(events))
        return RedrivenWebhook(id=id, redriven=done.count, missing=list(done.missing), more=done.more)


def deliveries_of(context: Context, webhook: str, first: int, after: str | None) -> WebhookDeliveryPage:
    """Return a page of the requests to a webhook. Raise `InvalidInput` INVALID_WEBHOOK, INVALID_COUNT or
    INVALID_CURSOR, or `NotFound` UNKNOWN_WEBHOOK."""
    if not 1 <= first <= MAX_PAGE:
        raise InvalidInput("INVALID_COUNT", f"got {first}, want 1 to {MAX_PAGE}")
    webhooks = context.services.webhooks
    found, more = webhooks.deliveries.log(webhooks.get(webhook).id, first, after)
    return WebhookDeliveryPage(nodes=[delivery_from(each) for each in found], next=more)


def webhook_from(row: domain.Webhook) -> Webhook:
    return Webhook(
        row=row,
        id=strawberry.ID(row.id),
        url=row.url,
        events=list(row.events),
        state=row.state.value,
        reason=row.reason,
        failing_since=row.failing_since,
        previous_secret_until=row.previous_until,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def delivery_from(delivery: domain.Delivery) -> WebhookDelivery:
    return WebhookDelivery(
        at=delivery.at,
        event=delivery.event,
        type=delivery.type,
        attempt=delivery.attempt,
        result=delivery.result.value,
        status=delivery.status,
        milliseconds=delivery.milliseconds,
        next_at=delivery.next_at,
    )


def _with_secret(made: WithSecret) -> WebhookWithSecret:
    return WebhookWithSecret(webhook=webhook_from(made.webhook), secret=made.secret)


def _set_state(context: Context, webhook: str, state: WebhookState) -> Webhook:
    return webhook_from(context.services.webhooks.set_state(webhook, state, context.caller.actor))
