"""The messages that start a lane's worker: tokens in the queue of lanes, and announcements in the express queue.

Both queues are FIFO with the lane as message group, so each lane has one message in progress at a time.

A *token* means that rows may wait in a lane. Tokens of the same lane within `BUCKET_SECONDS` have the same
deduplication id, so a thousand changes send one token. A token must therefore exist until its bucket has ended and the
index shows what was written during the bucket: until `Token.settled_at`. An *announcement* names rows for which
somebody waits. An *entry* is a row in one announcement, `<fingerprint>#<tag>`; if the row is announced again, the tag
differs.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from lobby import strict_json
from lobby.chunks import chunks
from lobby.deployment import NAMES
from lobby.domain.lanes.lane import Lane, parse_lane
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, parse_fingerprint, shown

TOKENS: Final = NAMES.name("lanes.fifo")
EXPRESS: Final = NAMES.name("express.fifo")
BUCKET_SECONDS: Final = 2
INDEX_LAG_SECONDS: Final = 2
"""The maximum delay of the by-turn index. The sweeper finds rows that appear even later."""
MAX_ANNOUNCED: Final = 25
"""Rows in one announcement."""
_TAG_LENGTH: Final = 12
_TAG: Final = re.compile(f"[0-9a-f]{{{_TAG_LENGTH}}}|")
"""An earlier version sent no tag."""


@dataclass(frozen=True)
class Token:
    """`settled_at` is in seconds since 1970; None: the token may be deleted immediately."""

    lane: Lane
    settled_at: float | None = None
    announced: tuple[Fingerprint, ...] = ()
    tag: str = ""
    """Of this announcement."""

    @property
    def is_express(self) -> bool:
        return bool(self.announced)

    @property
    def entries(self) -> tuple[str, ...]:
        """Return the announced rows as entries."""
        return tuple(f"{certid}#{self.tag}" for certid in self.announced)

    @classmethod
    def decode(cls, body: str) -> "Token":
        """Return the token in the body of a message. Raise `InvalidInput` INVALID_TOKEN."""
        try:
            found = strict_json.loads(body)
            lane, settled_at = parse_lane(found["lane"]), _seconds(found.get("settledAt"))
            announced = tuple(parse_fingerprint(each) for each in found.get("announced", ()))
            return cls(lane, settled_at, announced, _tag(found.get("tag", "")))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidInput):
            raise InvalidInput("INVALID_TOKEN", f"got {shown(body)}, want a lane's token") from None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise TypeError
    return None if value is None else float(value)


def bucket_of(at: float) -> int:
    """Return the bucket of a time in seconds since 1970: tokens of one lane and bucket are one message."""
    return math.floor(at / BUCKET_SECONDS)


def token_message(lane: Lane, at: float) -> dict[str, Any]:
    """Return the parameters of SendMessage for a token. `at`: seconds since 1970, read immediately before."""
    bucket = bucket_of(at)
    settled_at = (bucket + 1) * BUCKET_SECONDS + INDEX_LAG_SECONDS
    return _message({"lane": lane, "settledAt": settled_at}, lane, f"{lane}#{bucket}")


def fresh_token_message(lane: Lane, unique: str) -> dict[str, Any]:
    """Return the parameters for a token that is sent in any case. `unique` is used once."""
    return _message({"lane": lane}, lane, f"{lane}#{unique}")


def announcement_messages(lane: Lane, certids: Iterable[Fingerprint], unique: str) -> list[dict[str, Any]]:
    """Return the parameters for announcements of these rows. `unique`: the same if the same records are delivered
    again."""
    parts = list(chunks(dict.fromkeys(certids), MAX_ANNOUNCED))
    identities = [f"{lane}#{unique}#{number}" for number in range(len(parts))]
    return [
        _message({"lane": lane, "announced": part, "tag": _digest(identity)[:_TAG_LENGTH]}, lane, identity)
        for part, identity in zip(parts, identities, strict=True)
    ]


def row_of(entry: str) -> Fingerprint:
    """Return the row of an entry."""
    return Fingerprint(entry.partition("#")[0])


def _tag(value: object) -> str:
    if not (isinstance(value, str) and _TAG.fullmatch(value)):
        raise ValueError
    return value


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()


def _message(body: dict[str, Any], lane: Lane, identity: str) -> dict[str, Any]:
    """SQS allows letters, digits and punctuation in both ids, at most 128 characters (API reference, SendMessage)."""
    return {
        "MessageBody": json.dumps(body, separators=(",", ":")),
        "MessageGroupId": lane,
        "MessageDeduplicationId": _digest(identity),
    }
