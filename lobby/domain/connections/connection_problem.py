"""Problems of a device's connections: refused attempts, and two devices with one identity.

One record per device and code counts the problems of an hour, so that a device that retries for days takes no
additional space. A single takeover is normal: a device that lost its network connects again before AWS IoT has noticed.
Several within an hour mean that two devices take the connection from each other.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from lobby.domain.connections.connectivity import DUPLICATE
from lobby.names import Fingerprint

DENIED: Final = "CONNECT_DENIED"
"""AWS IoT refused a connection: the device's policy does not allow its client id."""
_WINDOW_MS: Final = timedelta(hours=1) // timedelta(milliseconds=1)
_INTERVAL_MS: Final = timedelta(minutes=1) // timedelta(milliseconds=1)
_WRONG_MS: Final = timedelta(days=1) // timedelta(milliseconds=1)
WATCHED_MS: Final = _WINDOW_MS
"""How long after a takeover the connections of the device are recorded."""
TAKEOVERS: Final = 3
"""The number of takeovers within an hour that counts as a problem."""


@dataclass(frozen=True)
class ConnectionProblem:
    """`count` is the number since `first_at`, with at most an hour between each. `place` is `lobby` or a target's
    key. Times are in ms since 1970. `session` is AWS IoT's identifier of the last connection that was counted."""

    certid: Fingerprint
    code: str
    clientid: str
    place: str
    session: str
    first_at: int
    last_at: int
    count: int = 1

    @property
    def is_serious(self) -> bool:
        return self.code != DUPLICATE or self.count >= TAKEOVERS

    @property
    def message(self) -> str:
        """Return a description of the problem with advice."""
        if self.code == DUPLICATE:
            return (
                f"{self.count} connections were ended by another one with the same client id: two devices may use one "
                "certificate and key, or two programs on the device; find the copy, and revoke the certificate if it "
                "was stolen"
            )
        return (
            f"AWS IoT refused {self.count} connections with client id {self.clientid!r}: the client id must be the "
            "device's name, and a Last Will must not use a topic that the device may not publish to"
        )


def counted(known: ConnectionProblem | None, new: ConnectionProblem) -> ConnectionProblem | None:
    """Return the record after another occurrence. Return None if nothing must be written: the occurrence was counted
    before, or the problem is serious and was recorded within the last minute. A record that is dated more than a day
    after the occurrence is replaced. Its time is wrong, because a target's owner can send any report."""
    if known is None or not -_WRONG_MS < new.last_at - known.last_at <= _WINDOW_MS:
        return new
    if new.session == known.session or new.last_at < known.first_at - _WINDOW_MS:
        return None
    if known.is_serious and known.count >= TAKEOVERS and new.last_at - known.last_at < _INTERVAL_MS:
        return None
    last_at = max(known.last_at, new.last_at)
    return replace(new, first_at=min(known.first_at, new.last_at), last_at=last_at, count=known.count + 1)
