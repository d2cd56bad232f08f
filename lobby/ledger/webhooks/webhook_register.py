"""The register of webhooks. Each change requires that no other change came first. The result of a delivery is written
only if a webhook starts to fail or works again, and a user's change has precedence.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from pynamodb.exceptions import DeleteError, DoesNotExist, PutError

from lobby.domain.events.webhook import (
    MAX_WEBHOOKS,
    PREVIOUS_SECRET,
    Result,
    Webhook,
    WebhookId,
    WebhookState,
    new_webhook_id,
)
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.clock import now, timestamp
from lobby.ledger.dynamodb_errors import is_condition_unmet
from lobby.ledger.webhooks.webhook_rows import KIND, WebhookRow, row_of, webhook_of

_MAX_REASON: Final = 200


class Webhooks:
    """The register. `clock` returns the time; `new_id` returns a new unique id."""

    def __init__(self, clock: Callable[[], datetime] = now, new_id: Callable[[], WebhookId] = new_webhook_id) -> None:
        self._clock, self._new_id = clock, new_id

    def all(self, *, consistent: bool = True) -> list[Webhook]:
        """Return all webhooks, the oldest first, with one query."""
        found = [webhook_of(row) for row in WebhookRow.query(KIND, consistent_read=consistent)]
        return sorted(found, key=lambda webhook: webhook.created_at)

    def get(self, webhook: WebhookId) -> Webhook:
        """Return a webhook. Raise `NotFound` UNKNOWN_WEBHOOK."""
        found = self.find(webhook)
        if found is None:
            raise NotFound("UNKNOWN_WEBHOOK", f"got {webhook}, want the id of a webhook")
        return found

    def find(self, webhook: WebhookId) -> Webhook | None:
        try:
            return webhook_of(WebhookRow.get(KIND, webhook, consistent_read=True))
        except DoesNotExist:
            return None

    def new(self, url: str, events: tuple[str, ...], actor: str) -> Webhook:
        """Return a webhook that is not written yet. Raise `InvalidInput` INVALID_COUNT."""
        if len(self.all()) >= MAX_WEBHOOKS:
            raise InvalidInput("INVALID_COUNT", f"got one more webhook, want at most {MAX_WEBHOOKS}")
        return Webhook(self._new_id(), url, events, actor, timestamp(self._clock()))

    def add(self, webhook: Webhook) -> None:
        row_of(webhook).save(WebhookRow.kind.does_not_exist())

    def reserve(self, webhook: Webhook) -> Webhook:
        """Reserve the number of the next secret. From now on, an earlier rotation that has not recorded its secret
        cannot record it. Raise `Conflict` CHANGED_MEANWHILE."""
        return self.change(webhook, webhook.reserving())

    def rotate(self, reserved: Webhook) -> Webhook:
        """Make the reserved secret, which is stored, the current one. Raise `Conflict` CHANGED_MEANWHILE."""
        return self.change(reserved, reserved.rotated(timestamp(self._clock() + PREVIOUS_SECRET)))

    def set_state(self, webhook: Webhook, state: WebhookState, reason: str | None) -> Webhook:
        """Enable or disable a webhook. Raise `Conflict` CHANGED_MEANWHILE."""
        after = replace(webhook, state=state, reason=reason and reason[:_MAX_REASON])
        if state is WebhookState.ACTIVE:
            after = replace(after, failing_since=None)
        return self.change(webhook, after)

    def change(self, before: Webhook, after: Webhook) -> Webhook:
        """Write a change and return the webhook as it is now. Raise `Conflict` CHANGED_MEANWHILE."""
        if after == before:
            return before
        written = self._write(before, after)
        if written is None:
            raise Conflict("CHANGED_MEANWHILE", f"got {before.id}, which was changed just now; look at it, try again")
        return written

    def remove(self, webhook: Webhook) -> bool:
        """Remove a webhook, and return whether it has not changed in the meantime. Repeating it changes nothing."""
        unchanged = WebhookRow.kind.does_not_exist() | (WebhookRow.revision == webhook.revision)
        try:
            WebhookRow(KIND, webhook.id).delete(unchanged)
        except DeleteError as error:
            if not is_condition_unmet(error):
                raise
            return False
        return True

    def delivered(self, webhook: Webhook) -> None:
        """Record that a webhook has accepted a request."""
        if webhook.failing_since is not None:
            self._write(webhook, replace(webhook, failing_since=None))

    def failed(self, webhook: Webhook, result: Result, attempt: int) -> bool:
        """Record that a request has failed, the event's `attempt` (from 1). Return whether this disables the
        webhook."""
        at = timestamp(self._clock())
        if result is Result.GONE or webhook.gives_up(at, attempt):
            since = f" since {webhook.failing_since}" if webhook.failing_since else ""
            reason = f"{result.value}: no request was accepted{since}"
            return self._write(webhook, replace(webhook, state=WebhookState.DISABLED, reason=reason)) is not None
        if webhook.failing_since is None:
            self._write(webhook, replace(webhook, failing_since=at))
        return False

    @staticmethod
    def _write(before: Webhook, after: Webhook) -> Webhook | None:
        """Return the written webhook, or None if it was changed or removed in the meantime."""
        after = replace(after, revision=before.revision + 1)
        try:
            row_of(after).save(WebhookRow.revision == before.revision)
        except PutError as error:
            if not is_condition_unmet(error):
                raise
            return None
        return after


class RecentWebhooks:
    """A cache for the publisher: a new webhook gets events after `seconds` at the latest."""

    def __init__(self, webhooks: Webhooks, clock: Callable[[], datetime] = now, seconds: int = 30) -> None:
        self._webhooks, self._clock, self._seconds = webhooks, clock, seconds
        self._read: tuple[datetime, list[Webhook]] | None = None

    def all(self) -> list[Webhook]:
        at = self._clock()
        if self._read is None or (at - self._read[0]).total_seconds() >= self._seconds:
            self._read = (at, self._webhooks.all(consistent=False))
        return self._read[1]
