"""The operations of users on webhooks: add, rotate, enable, disable, remove, test, and send undelivered events again.

A new secret is shown once, in the response to the request that creates it. A secret is stored before the webhook uses
its number, and after a record that has the number: a rotation reserves it, and a new webhook is disabled until its
secret is stored. So an active webhook always has a secret, which the user of the recorded rotation has seen, and an
interrupted request leaves no secret without a record and can be repeated.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final
from uuid import uuid4

from lobby.aws.clients import LobbyClients
from lobby.aws.webhook_queue import WebhookQueue
from lobby.aws.webhook_secrets import WebhookSecrets
from lobby.domain.events.device_events import TEST, VERSION
from lobby.domain.events.webhook import (
    Message,
    Undelivered,
    Webhook,
    WebhookId,
    WebhookState,
    body_of,
    parse_events,
    parse_webhook_id,
)
from lobby.errors import Conflict, InvalidInput
from lobby.ledger.clock import now, timestamp
from lobby.ledger.webhooks.deliveries import Deliveries
from lobby.ledger.webhooks.webhook_register import Webhooks
from lobby.names import Region
from lobby.webhooks.signature import Secret, new_secret
from lobby.webhooks.urls import Loopback, parse_url

REDRIVEN: Final = 100
"""The maximum number of events that one request sends again."""
_REMOVALS: Final = 3
"""How often a removal is tried while the webhook changes, so that no secret of a rotation at the same time remains."""


class QueueFailed(Exception):
    """The queue did not accept an event."""


@dataclass(frozen=True)
class WithSecret:
    """A webhook with a secret that cannot be read again."""

    webhook: Webhook
    secret: Secret = field(repr=False)


@dataclass(frozen=True)
class Redriven:
    """How many undelivered events were sent again. `missing` are the named events that are not undelivered; `more`
    means that there are undelivered events at which the request has not looked."""

    count: int
    missing: tuple[str, ...] = ()
    more: bool = False


@dataclass(frozen=True)
class WebhookAdministration:
    """`lobby` is the lobby's key; `allowed` permits receivers on this machine; `make_secret` returns a new secret."""

    queue: WebhookQueue
    secrets: WebhookSecrets
    lobby: str
    allowed: Loopback | None = None
    webhooks: Webhooks = field(default_factory=Webhooks)
    deliveries: Deliveries = field(default_factory=Deliveries)
    clock: Callable[[], datetime] = now
    make_secret: Callable[[], Secret] = new_secret

    @classmethod
    def of(cls, queue: str, lobby: str, clients: LobbyClients, elsewhere: Iterable[Region]) -> "WebhookAdministration":
        """Return the operations for the queue with this URL. `elsewhere` are the lobby's other Regions."""
        secrets = WebhookSecrets(lambda: clients.ssm, [partial(clients.ssm_of, region) for region in elsewhere])
        return cls(WebhookQueue(lambda: clients.sqs, queue), secrets, lobby, Loopback.of_environment(os.environ))

    def get(self, webhook: str) -> Webhook:
        """Return a webhook. Raise `InvalidInput` INVALID_WEBHOOK or `NotFound` UNKNOWN_WEBHOOK."""
        return self.webhooks.get(parse_webhook_id(webhook))

    def add(self, url: str, events: Sequence[str], actor: str) -> WithSecret:
        """Add a webhook and return it with its secret. Raise `InvalidInput` INVALID_URL, INVALID_EVENT or
        INVALID_COUNT, or `Conflict` CHANGED_MEANWHILE if another user has removed the webhook again."""
        parse_url(url, self.allowed)
        types = parse_events(events)
        self._remove_interrupted()
        webhook, secret = self.webhooks.new(url, types, actor).adding(), self.make_secret()
        self.webhooks.add(webhook)
        self.secrets.put(webhook.id, webhook.secret, secret)
        return WithSecret(self._activate(webhook), secret)

    def _remove_interrupted(self) -> None:
        """Remove webhooks whose addition was interrupted, with their secrets. The reservation of a number comes first:
        an earlier rotation cannot be recorded after it, and a later one uses another number. So no secret that a user
        has seen is deleted."""
        at = timestamp(self.clock())
        for each in self.webhooks.all():
            if each.was_interrupted(at):
                with suppress(Conflict):  # a simultaneous addition has removed it, or a user has changed it
                    reserved = self.webhooks.reserve(each)
                    self.secrets.delete(reserved.id, reserved.stored_numbers)
                    self.webhooks.remove(reserved)

    def _activate(self, webhook: Webhook) -> Webhook:
        """Activate a new webhook. If it was removed in the meantime, delete its secret and raise `Conflict`."""
        try:
            return self.webhooks.set_state(webhook, WebhookState.ACTIVE, None)
        except Conflict:
            found = self.webhooks.find(webhook.id)
            # A client that repeats a write without a response gets a conflict with its own write.
            if found is not None and found.is_active:
                return found
            if found is None:
                self.secrets.delete(webhook.id, [webhook.secret])
            raise

    def rotate(self, webhook: str) -> WithSecret:
        """Replace the secret of a webhook. For a day, requests are also signed with the previous secret. Raise the
        errors of `get`, or `Conflict` CHANGED_MEANWHILE."""
        before, secret = self.get(webhook), self.make_secret()
        reserved = self.webhooks.reserve(before)
        number = reserved.stored_numbers[-1]
        used = (before.secret, before.secret_before, number)
        self.secrets.delete(before.id, [each for each in reserved.stored_numbers if each not in used])
        self.secrets.put(before.id, number, secret)
        after = self._rotate(reserved, number)
        if before.secret_before:
            self.secrets.delete(after.id, [before.secret_before])
        return WithSecret(after, secret)

    def _rotate(self, reserved: Webhook, number: int) -> Webhook:
        """Record a stored secret. If another change came first, delete the secret and raise `Conflict`."""
        try:
            return self.webhooks.rotate(reserved)
        except Conflict:
            found = self.webhooks.find(reserved.id)
            # A client that repeats a write without a response gets a conflict with its own write.
            if found is not None and number in (found.secret, found.previous):
                return found
            self.secrets.delete(reserved.id, [number])
            raise

    def set_state(self, webhook: str, state: WebhookState, actor: str) -> Webhook:
        """Enable or disable a webhook. Raise as `rotate`, and `Conflict` WEBHOOK_INCOMPLETE if the request that adds it
        has not ended, because it may have no secret, and nobody knows it."""
        found = self.get(webhook)
        if found.state is state:
            return found
        if state is WebhookState.ACTIVE and found.is_incomplete:
            raise Conflict(
                "WEBHOOK_INCOMPLETE", f"got {found.id}, whose addition has not ended; rotate its secret, or remove it"
            )
        reason = f"disabled by {actor}" if state is WebhookState.DISABLED else None
        return self.webhooks.set_state(found, state, reason)

    def remove(self, webhook: str) -> WebhookId:
        """Remove a webhook with its secrets. Events in its queue are no longer sent. Raise as `rotate`."""
        found = self.get(webhook)
        for _ in range(_REMOVALS):
            self.secrets.delete(found.id, found.stored_numbers)
            if self.webhooks.remove(found):
                return found.id
            found = self.get(webhook)
        raise Conflict("CHANGED_MEANWHILE", f"got {found.id}, which is being changed; try again")

    def test(self, webhook: str) -> str:
        """Send a test event, and return its id. Raise as `get`, `Conflict` WEBHOOK_DISABLED, or `QueueFailed`."""
        found, at = self._active(webhook), timestamp(self.clock())
        event = f"test-{uuid4().hex}"
        content = {"version": VERSION, "id": event, "type": TEST, "at": at, "lobby": self.lobby}
        self._send([Message(found.id, event, body_of(TEST, at, content))])
        return event

    def redrive(self, webhook: str, only: Sequence[str] | None = None) -> Redriven:
        """Send up to `REDRIVEN` undelivered events again. `only` names events, each of which is looked up. Events that
        were sent again are no longer undelivered, so the call can be repeated. Raise as `test`, or `InvalidInput`
        INVALID_COUNT."""
        if only is not None and not 1 <= len(only) <= REDRIVEN:
            raise InvalidInput("INVALID_COUNT", f"got {len(only)} events, want 1 to {REDRIVEN}")
        found = self._active(webhook)
        if only is None:
            listed = self.deliveries.undelivered(found.id, REDRIVEN + 1)
            events = listed[:REDRIVEN]
            self._send_again(events)
            return Redriven(len(events), more=len(listed) > REDRIVEN)
        looked_up = {event: self.deliveries.find_undelivered(found.id, event) for event in only}
        events = [event for event in looked_up.values() if event]
        self._send_again(events)
        return Redriven(len(events), tuple(name for name, event in looked_up.items() if event is None))

    def _send_again(self, events: Sequence[Undelivered]) -> None:
        """Send events again. Those that the queue accepts are no longer undelivered, also if it refuses others. Raise
        `QueueFailed`."""
        failed = self.queue.send([event.message for event in events])
        for event in events:
            if event.message.event not in failed:
                self.deliveries.remove(event)
        _require_none(failed, len(events))

    def _active(self, webhook: str) -> Webhook:
        found = self.get(webhook)
        if not found.is_active:
            raise Conflict("WEBHOOK_DISABLED", f"got {found.id}, which is disabled ({found.reason}); enable it first")
        return found

    def _send(self, messages: Sequence[Message]) -> None:
        _require_none(self.queue.send(messages), len(messages))


def _require_none(failed: Mapping[str, str], count: int) -> None:
    if failed:
        raise QueueFailed(f"got {len(failed)} of {count} events not accepted: {failed}"[:400])
