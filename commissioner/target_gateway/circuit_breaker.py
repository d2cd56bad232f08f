"""Targets that do not answer are left alone for a while, so that nobody waits behind them in the stream.

A call to a Region that is gone takes until its time-outs have passed, for each device anew. After one, the target's
devices are turned back at once, and a call is dared only now and then. Kept in memory: each Lambda finds out by itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from lobby.ledger.store import now
from lobby.names import Target

LEFT_ALONE: Final = timedelta(seconds=5)
"""Between two calls that are dared, at first …"""
SILENT_FOR: Final = timedelta(minutes=1)
"""… and after that, its devices show that it is unreachable, instead of waiting for it, and holding up others …"""
LEFT_ALONE_LATER: Final = timedelta(seconds=30)
"""… and so long is between two calls."""
_FAILS: Final = 500


class CircuitOpen(Exception):
    """The target did not answer just now, and was not asked again."""


@dataclass
class _Silence:
    since: datetime
    asked: datetime


class CircuitBreaker:
    """What is known of targets that do not answer."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._silences: dict[Target, _Silence] = {}

    def check(self, target: Target) -> None:
        """Raises `Silent` where the target is to be left alone."""
        silence = self._silences.get(target)
        if silence is None:
            return
        pause = LEFT_ALONE_LATER if self.is_long_silent(target) else LEFT_ALONE
        if self._clock() < silence.asked + pause:
            raise CircuitOpen(f"{target} has not answered since {silence.since:%H:%M:%S}, and is left alone for now")

    def is_long_silent(self, target: Target | None) -> bool:
        """Whether its devices shall wait no longer."""
        silence = self._silences.get(target) if target else None
        return silence is not None and self._clock() >= silence.since + SILENT_FOR

    @contextmanager
    def asking(self, target: Target) -> Iterator[None]:
        """What is asked of a target meanwhile tells whether it answers; a refusal is an answer, and so is too much."""
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            if _is_answer(error):
                self._silences.pop(target, None)
            else:
                at = self._clock()
                self._silences[target] = _Silence(self._silences.get(target, _Silence(at, at)).since, at)
            raise
        self._silences.pop(target, None)


def _is_answer(error: BotoCoreError | ClientError) -> bool:
    return (
        isinstance(error, ClientError) and error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < _FAILS
    )
