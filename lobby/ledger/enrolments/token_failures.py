"""Counts requests with a wrong token, and limits them: in each minute, by source address, and by token and address.

Above a limit, requests of this source are refused without a check of the token until the minute ends. A limit by the
token alone would let anyone who knows its identifier block its devices. IPv6 addresses are counted by their /64, which
belongs to one subscriber (RFC 6177).
"""

import ipaddress
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from lobby.ledger.clock import now, timestamp
from lobby.ledger.enrolments.enrolment_rows import FailureRow
from lobby.names import TokenId

PER_TOKEN: Final = 10
PER_SOURCE: Final = 60
"""Larger than the limit of one token, because devices behind one address share it."""
_KEPT: Final = timedelta(hours=1)
_SUBSCRIBER: Final = 64
_MINUTE: Final = len("2026-11-30T12:00")


class TokenFailures:
    """The counts. `clock` returns the time."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock

    def is_limited(self, source: str, token: TokenId | None) -> bool:
        """Return whether the source has sent too many wrong tokens in this minute."""
        limits = self._limits(source, token)
        rows = FailureRow.batch_get([(kind, self._minute) for kind in limits], consistent_read=True)
        return any(row.number >= limits[row.kind] for row in rows)

    def record(self, source: str, token: TokenId | None) -> None:
        deleteat = int((self._clock() + _KEPT).timestamp())
        for kind in self._limits(source, token):
            FailureRow(kind, self._minute).update([FailureRow.number.add(1), FailureRow.deleteat.set(deleteat)])

    @property
    def _minute(self) -> str:
        return timestamp(self._clock())[:_MINUTE]

    @staticmethod
    def _limits(source: str, token: TokenId | None) -> dict[str, int]:
        """Return the limit of each kind of count."""
        place = _subscriber(source)
        limits = {f"failures#{place}": PER_SOURCE}
        return limits | ({f"failures#{place}#{token}": PER_TOKEN} if token else {})


def _subscriber(source: str) -> str:
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _SUBSCRIBER), strict=False))
    return str(address)
