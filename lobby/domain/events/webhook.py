"""A webhook: an address to which events are sent, and the rules for failed requests. A failed request is repeated after
growing waits. After the last attempt the event is `undelivered`, and a user can send it again. A webhook that accepts
no request for days, or answers that it is gone (410), is disabled with the reason.
"""

import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, NewType

from lobby.domain.events.device_events import TEST, TYPES, type_of
from lobby.domain.states import Event
from lobby.errors import InvalidInput
from lobby.names import shown

WebhookId = NewType("WebhookId", str)
MAX_WEBHOOKS: Final = 20
"""Limited, because all webhooks are read together, and each can cause a message for every event."""
WAITS: Final = (5, 300, 1800, 7200, 18_000, 36_000, 39_600)
"""Seconds before each repetition, 29 hours in total."""
LONGEST_WAIT: Final = 43_000
"""SQS hides a message for at most 12 hours (43,200 s) from its receipt, and refuses a longer wait instead of shortening
it (SQS API reference, ChangeMessageVisibility). So time remains for the run that has received the message."""
FAILING: Final = timedelta(days=3)
"""If an event's last attempt fails after this time without an accepted request, the webhook is disabled."""
ADDING: Final = "ADDING: the request that adds it has not ended"
"""The reason of a webhook that is disabled because its first secret may not be stored yet."""
LONGEST_ADDITION: Final = timedelta(minutes=10)
"""A request of the API ends within half a minute. After this time, an addition was interrupted."""
PREVIOUS_SECRET: Final = timedelta(days=1)
"""How long requests are also signed with the secret before the current one."""
LOG_KEPT: Final = timedelta(days=7)
UNDELIVERED_KEPT: Final = timedelta(days=14)
_ID: Final = re.compile(r"wh_[0-9a-f]{16}")


class WebhookState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class Result(StrEnum):
    """The result of one request."""

    DELIVERED = "DELIVERED"
    REJECTED = "REJECTED"
    """A response without a 2xx status."""
    REDIRECTED = "REDIRECTED"
    """A 3xx status: redirects are not followed."""
    GONE = "GONE"
    """Status 410: the receiver accepts no further requests."""
    TIMEOUT = "TIMEOUT"
    CONNECTION_FAILED = "CONNECTION_FAILED"
    TLS_FAILED = "TLS_FAILED"
    BAD_RESPONSE = "BAD_RESPONSE"
    """Not HTTP."""
    NAME_NOT_RESOLVED = "NAME_NOT_RESOLVED"
    ADDRESS_NOT_PUBLIC = "ADDRESS_NOT_PUBLIC"
    """The host has an address to which no request may be sent."""
    INVALID_URL = "INVALID_URL"
    """An earlier version accepted the address; this version does not."""
    NO_SECRET = "NO_SECRET"  # noqa: S105  # pragma: allowlist secret
    """The signing secret cannot be read."""
    DISABLED = "DISABLED"
    """The webhook was disabled after the event was accepted; no request was sent."""


@dataclass(frozen=True)
class Webhook:
    """A webhook as the ledger has it. Times are ISO 8601 UTC with milliseconds.

    `events` are the types that it receives; empty means all. `secret` is the number of the signing secret; the one
    before it, `previous`, is also used until `previous_until`. `failing_since` is the first failed request after the
    last accepted one. `revision` increases with each change by a user or by the service.

    A rotation reserves its number in `reserved` before it stores a secret, so no two rotations store the same number.
    Secrets have numbers from `oldest`. Webhooks of earlier versions have none of these three numbers."""

    id: WebhookId
    url: str
    events: tuple[str, ...]
    created_by: str
    created_at: str
    state: WebhookState = WebhookState.ACTIVE
    reason: str | None = None
    revision: int = 1
    secret: int = 1
    previous_until: str | None = None
    failing_since: str | None = None
    previous: int | None = None
    reserved: int | None = None
    oldest: int | None = None

    @property
    def is_active(self) -> bool:
        return self.state is WebhookState.ACTIVE

    def wants(self, type_: str) -> bool:
        """Return whether the webhook receives events of this type. Test events are always sent."""
        return self.is_active and (not self.events or type_ in self.events or type_ == TEST)

    def secret_numbers(self, at: str) -> tuple[int, ...]:
        """Return the secrets that sign a request at this time, the current one first."""
        also = self.previous_until is not None and at < self.previous_until
        return (self.secret, self.secret_before) if also else (self.secret,)

    @property
    def secret_before(self) -> int:
        """The number of the secret before the current one; 0 if there was none."""
        return self.secret - 1 if self.previous is None else self.previous

    @property
    def stored_numbers(self) -> range:
        """The numbers of all secrets that may be stored, also by interrupted rotations."""
        first = max(1, self.secret - 2) if self.oldest is None else self.oldest
        # A rotation of an earlier version stored its secret without a reservation.
        last = self.secret + 1 if self.reserved is None else self.reserved
        return range(first, last + 1)

    def adding(self) -> "Webhook":
        """Return the new webhook as it is written before its secret is stored."""
        return replace(self, state=WebhookState.DISABLED, reason=ADDING)

    @property
    def is_incomplete(self) -> bool:
        """Return whether the request that adds the webhook has not ended, and no rotation was recorded since. So the
        webhook may have no secret."""
        return self.reason == ADDING and self.previous is None

    def was_interrupted(self, at: str) -> bool:
        """Return whether the request that adds the webhook was interrupted, so that nobody has seen its secret."""
        age = datetime.fromisoformat(at) - datetime.fromisoformat(self.created_at)
        return self.is_incomplete and age > LONGEST_ADDITION

    def reserving(self) -> "Webhook":
        """Return the webhook with the number of the next secret reserved."""
        return replace(self, reserved=(self.reserved or self.secret) + 1)

    def rotated(self, until: str) -> "Webhook":
        """Return the webhook with the reserved secret as the current one. The one before is used until `until`. Only
        the current secret, the one before it, and the reserved one may still be stored."""
        return replace(
            self,
            secret=self.reserved or self.secret + 1,
            previous=self.secret,
            previous_until=until,
            oldest=self.secret_before or self.secret,
        )

    def gives_up(self, at: str, attempt: int) -> bool:
        """Return whether a failure at this time disables the webhook. Only the last attempt for an event does, so that
        a webhook with few events is not disabled by one failed request, long after another failure."""
        if self.failing_since is None or not is_last(attempt):
            return False
        return datetime.fromisoformat(at) - datetime.fromisoformat(self.failing_since) > FAILING


@dataclass(frozen=True)
class Message:
    """An event for one webhook. `body` is the content of the request, as Standard Webhooks recommends it: `type`,
    `timestamp` and `data`."""

    webhook: WebhookId
    event: str
    body: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.body["type"])


@dataclass(frozen=True)
class Delivery:
    """One request: the number of the attempt, its result, and the time of the next attempt (None: no more)."""

    at: str
    event: str
    type: str
    attempt: int
    result: Result
    status: int | None
    milliseconds: int
    next_at: str | None = None


@dataclass(frozen=True)
class Undelivered:
    """An event that a webhook has not accepted, with the result of the last request."""

    message: Message
    at: str
    result: Result
    attempts: int


def body_of(type_: str, at: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a request."""
    return {"type": type_, "timestamp": at, "data": content}


def new_webhook_id() -> WebhookId:
    return WebhookId(f"wh_{secrets.token_hex(8)}")


def parse_webhook_id(text: object) -> WebhookId:
    """Return the id in a text. Raise `InvalidInput` INVALID_WEBHOOK."""
    if isinstance(text, str) and _ID.fullmatch(text):
        return WebhookId(text)
    raise InvalidInput("INVALID_WEBHOOK", f"got {shown(text)}, want the id of a webhook: wh_ and 16 digits")


def parse_events(entered: Iterable[str]) -> tuple[str, ...]:
    """Return the types of events, each once. The texts are types (`device.claim`) or names (`claim`). Raise
    `InvalidInput` INVALID_EVENT."""
    short = {event.value: type_of(event) for event in Event}
    found: dict[str, None] = {}
    for text in entered:
        type_ = short.get(text, text)
        if type_ not in TYPES:
            raise InvalidInput("INVALID_EVENT", f"got {shown(text)}, want one of: {', '.join(short)}")
        found[type_] = None
    return tuple(found)


def is_last(attempt: int) -> bool:
    """Return whether no other attempt follows `attempt` (from 1)."""
    return attempt > len(WAITS)


def wait_after(attempt: int, spread: float, retry_after: int | None = None) -> int | None:
    """Return the seconds until the next attempt, or None if `attempt` (from 1) was the last. `spread`, from 0 to 1,
    lengthens the wait by up to a tenth, so that failed requests are not repeated at the same time. `retry_after` is the
    receiver's requested wait; it can only lengthen the wait."""
    if is_last(attempt):
        return None
    wait = max(round(WAITS[attempt - 1] * (1 + spread / 10)), retry_after or 0)
    return min(wait, LONGEST_WAIT)


def senders(webhooks: Collection[Webhook], type_: str) -> list[Webhook]:
    """Return the webhooks that receive events of this type."""
    return [webhook for webhook in webhooks if webhook.wants(type_)]
