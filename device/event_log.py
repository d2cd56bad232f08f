"""The log: every event of the journey as one line, for people (text) or for programs (json).

A log that cannot be written, because its disk is full, its reader is gone or reads no more, must not stop a device:
lines are dropped and counted, and the count is told as soon as a line can be written again.
"""

import json
import select
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

Format = Literal["text", "json"]
"""How a line is written."""
_PATIENCE_MS: Final = 250
"""For a reader that is behind; one that has let this pass is not waited for again until it reads."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Chronicle:
    """Writes events to a stream, one line each, flushed."""

    def __init__(self, form: Format, stream: TextIO, clock: Callable[[], datetime] = utc_now) -> None:
        self._form = form
        self._stream = stream
        self._clock = clock
        self._lost = 0
        self._room = _room_in(stream)

    def record(self, event: str, fields: Mapping[str, object]) -> None:
        at = self._clock().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        lost: dict[str, object] = {"lines_lost": self._lost} if self._lost else {}
        told = {"at": at, "event": event, **fields, **lost}
        try:
            if not self._room(0 if self._lost else _PATIENCE_MS):
                raise BlockingIOError
            self._stream.write((json.dumps(told) if self._form == "json" else _text(at, event, fields, lost)) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._lost += 1
        else:
            self._lost = 0


def _room_in(stream: TextIO) -> Callable[[int], bool]:
    """Whether the stream takes a line without making the device wait for longer than so many milliseconds."""
    try:
        handle = stream.fileno()
    except (OSError, AttributeError):
        return lambda _: True  # no file: what is in memory does not wait
    poll = select.poll()
    poll.register(handle, select.POLLOUT)
    return lambda patience: bool(poll.poll(patience))


def _text(at: str, event: str, *fields: Mapping[str, object]) -> str:
    told = "  ".join(f"{key}={value}" for some in fields for key, value in some.items() if value not in (None, ""))
    return f"{at}  {event.replace('_', ' '):<18}  {told}".rstrip()
