"""Blocked users, whom the API refuses even with a valid token.

A token is valid for up to 15 minutes after Cognito has disabled its user, which is too long for a stolen phone. Every
request needs the list, so it is cached for 5 seconds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from lobby.domain.events.activity import activity_of_user, partitions_of
from lobby.errors import InvalidInput
from lobby.ledger.activity.activity_rows import row_of
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connection_of
from lobby.ledger.users.user_rows import BLOCKS, BlockRow
from lobby.names import shown

READ_EVERY: Final = 5.0
"""Seconds."""
_ACTOR: Final = "user:"
"""The prefix of a user's name in histories and in the activity log."""
_MAX_NAME: Final = 128
"""The length of a Cognito user name (API reference, AdminCreateUser)."""


@dataclass(frozen=True)
class BlockedUser:
    """A blocked user, who blocked them, and when (ISO 8601, UTC)."""

    name: str
    by: str
    at: str


def blocked_among(actors: Iterable[str]) -> frozenset[str]:
    """Return those of these actors (`user:` and a name) who are blocked users, with a consistent read of each."""
    return frozenset(actor for actor in set(actors) if actor.startswith(_ACTOR) and _is_blocked(actor))


def _is_blocked(actor: str) -> bool:
    try:
        return bool(BlockRow.get(BLOCKS, actor.removeprefix(_ACTOR), consistent_read=True).blocked)
    except DoesNotExist:
        return False


class UserBlocks:
    """`clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._read: tuple[float, frozenset[str]] | None = None

    def is_blocked(self, name: str) -> bool:
        """Return whether a user is blocked, as of the last 5 seconds."""
        if self._read is None or self._clock() - self._read[0] >= READ_EVERY:
            self._read = self._clock(), frozenset(each.name for each in self.all())
        return name in self._read[1]

    def all(self) -> Sequence[BlockedUser]:
        """Return the blocked users by name."""
        rows = BlockRow.query(BLOCKS, consistent_read=True)
        return [BlockedUser(row.name, row.by, row.at) for row in rows if row.blocked]

    def set_blocked(self, name: str, by: str, *, blocked: bool) -> BlockedUser:
        """Block or unblock a user, and write the entry of the activity log. Repeating it changes only the recorded user
        and time. Raise `InvalidInput` INVALID_USER for a name that no user can have, or for the caller's own name."""
        if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
            raise InvalidInput("INVALID_USER", f"got {shown(name)}, want a user name of 1 to {_MAX_NAME} characters")
        if name.startswith(_ACTOR):
            plain = shown(name.removeprefix(_ACTOR))
            message = f"got {shown(name)}, as histories show a user; want {plain}"
            raise InvalidInput("INVALID_USER", message)
        if by == f"{_ACTOR}{name}":
            raise InvalidInput("INVALID_USER", f"got {shown(name)}, which is you, want another user")
        at = timestamp(now())
        activity = activity_of_user(name, by, at, blocked=blocked)
        with TransactWrite(connection=connection_of(BlockRow), client_request_token=str(uuid4())) as transaction:
            transaction.save(BlockRow(BLOCKS, name, blocked=blocked, by=by, at=at))
            for partition in partitions_of(activity):
                transaction.save(row_of(activity, partition))
        self._read = None
        return BlockedUser(name, by, at)
