"""A circuit breaker for each target: a target that does not answer is not called for a while.

A call to a Region that is down lasts until its timeouts have passed, and so would the call for each further device.
After one such call, the target's devices are turned back at once, and a call is made only at intervals, so that the
records of other targets do not wait. The state is kept in memory: each Lambda instance has its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from commissioner.errors import CircuitOpen
from lobby.ledger.clock import now
from lobby.names import Target

CALL_INTERVAL: Final = timedelta(seconds=5)
"""Between two calls to a target that does not answer, at first."""
UNREACHABLE_AFTER: Final = timedelta(minutes=1)
"""Time without an answer after which the target's devices fail instead of waiting and delaying others."""
LATER_CALL_INTERVAL: Final = timedelta(seconds=30)
"""Between two calls to an unreachable target."""
_SERVER_ERROR: Final = 500


@dataclass
class _Outage:
    since: datetime
    last_call: datetime


class CircuitBreaker:
    """Tracks which targets do not answer."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._outages: dict[Target, _Outage] = {}

    def check(self, target: Target) -> None:
        """Raise `CircuitOpen` if the target must not be called now."""
        outage = self._outages.get(target)
        if outage is None:
            return
        interval = LATER_CALL_INTERVAL if self.is_unreachable(target) else CALL_INTERVAL
        if self._clock() < outage.last_call + interval:
            raise CircuitOpen(f"got no answer from {target} since {outage.since:%H:%M:%S}, not called for now")

    def is_unreachable(self, target: Target | None) -> bool:
        """Return whether the target has not answered for `UNREACHABLE_AFTER`."""
        outage = self._outages.get(target) if target else None
        return outage is not None and self._clock() >= outage.since + UNREACHABLE_AFTER

    @contextmanager
    def recording(self, target: Target) -> Iterator[None]:
        """Record whether the target answers the calls made inside. A refusal is an answer, and so is throttling."""
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            if _is_answer(error):
                self._outages.pop(target, None)
            else:
                at = self._clock()
                self._outages[target] = _Outage(self._outages.get(target, _Outage(at, at)).since, at)
            raise
        self._outages.pop(target, None)


def _is_answer(error: BotoCoreError | ClientError) -> bool:
    if not isinstance(error, ClientError):
        return False
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < _SERVER_ERROR
