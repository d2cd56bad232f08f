"""The log of a webhook's requests, and the events that it has not accepted."""

from collections.abc import Iterable
from typing import Any, Final

from pynamodb.exceptions import DeleteError, DoesNotExist

from lobby.domain.events.webhook import LOG_KEPT, UNDELIVERED_KEPT, Delivery, Undelivered, WebhookId
from lobby.errors import InvalidInput
from lobby.ledger.dynamodb_errors import is_condition_unmet
from lobby.ledger.lists.cursors import require_place
from lobby.ledger.webhooks.webhook_rows import (
    DeliveryRow,
    UndeliveredRow,
    delivery_of,
    delivery_row,
    log_key,
    undelivered_key,
    undelivered_of,
    undelivered_row,
)
from lobby.names import shown

MAX_PAGE: Final = 100
_LONGEST_KEY: Final = 1024
"""Bytes of a sort key in DynamoDB."""


class Deliveries:
    """Requests and undelivered events of all webhooks."""

    def record(self, webhook: WebhookId, delivery: Delivery) -> None:
        delivery_row(webhook, delivery, LOG_KEPT).save()

    def keep(self, event: Undelivered) -> None:
        """Keep an event that was not delivered after all attempts, until a user sends it again."""
        undelivered_row(event, UNDELIVERED_KEPT).save()

    def log(self, webhook: WebhookId, count: int, before: str | None = None) -> tuple[list[Delivery], str | None]:
        """Return `count` requests, the newest first, and the key of the last one if there may be more; `before` is such
        a key. Raise `InvalidInput` INVALID_CURSOR."""
        key = log_key(webhook)
        start: Any = {"kind": {"S": key}, "name": {"S": require_place(before)}} if before else None
        found = list(DeliveryRow.query(key, limit=count, scan_index_forward=False, last_evaluated_key=start))
        more = found[-1].name if len(found) == count else None
        return [delivery_of(row) for row in found], more

    def undelivered(self, webhook: WebhookId, count: int, after: str | None = None) -> list[Undelivered]:
        """Return up to `count` events in the order of their ids, those after the id `after`. Raise `InvalidInput`
        INVALID_CURSOR."""
        later = None if after is None else UndeliveredRow.name > _require_event(after)
        rows: Iterable[UndeliveredRow] = UndeliveredRow.query(
            undelivered_key(webhook), later, limit=count, consistent_read=True
        )
        return [undelivered_of(row, webhook) for row in rows]

    def find_undelivered(self, webhook: WebhookId, event: str) -> Undelivered | None:
        """Return an event with this id, wherever it is in the list, or None if it is not undelivered."""
        if not _is_key(event):
            return None
        try:
            return undelivered_of(UndeliveredRow.get(undelivered_key(webhook), event, consistent_read=True), webhook)
        except DoesNotExist:
            return None

    def undelivered_count(self, webhook: WebhookId) -> int:
        return int(UndeliveredRow.count(undelivered_key(webhook)))

    def remove(self, event: Undelivered) -> None:
        """Remove an event that was sent again, unless all its attempts have failed again since. Repeating it changes
        nothing."""
        unchanged = (UndeliveredRow.at == event.at) & (UndeliveredRow.attempts == event.attempts)
        try:
            UndeliveredRow(undelivered_key(event.message.webhook), event.message.event).delete(unchanged)
        except DeleteError as error:
            if not is_condition_unmet(error):
                raise


def _require_event(text: str) -> str:
    if not _is_key(text):
        raise InvalidInput("INVALID_CURSOR", f"got {shown(text)}, want the id of the last event of an earlier page")
    return text


def _is_key(text: str) -> bool:
    return text.isprintable() and 0 < len(text.encode()) <= _LONGEST_KEY
