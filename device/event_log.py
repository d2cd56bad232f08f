"""Event log: one line per event, as text for people or as JSON for programs.

The device does not stop if the log cannot be written (disk full, reader ended or too slow). Such lines are dropped and
counted. The next written line contains the count as `lines_lost`.
"""

import json
import select
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

Format = Literal["text", "json"]
"""How a line is written."""
_WRITE_TIMEOUT_MS: Final = 250
"""How long to wait for a slow reader. After one timeout, later lines do not wait until the reader reads again."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class EventLog:
    """Write events to a stream, one line each, and flush after each line."""

    def __init__(self, line_format: Format, stream: TextIO, clock: Callable[[], datetime] = utc_now) -> None:
        self._format = line_format
        self._stream = stream
        self._clock = clock
        self._lost = 0
        self._wait_writable = _wait_writable(stream)

    def record(self, event: str, fields: Mapping[str, object]) -> None:
        """Write one line, or count it as lost. Never raise."""
        at = self._clock().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        try:
            if not self._wait_writable(0 if self._lost else _WRITE_TIMEOUT_MS):
                raise BlockingIOError
            self._stream.write(self._line(at, event, fields) + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._lost += 1
        else:
            self._lost = 0

    def _line(self, at: str, event: str, fields: Mapping[str, object]) -> str:
        lost: dict[str, object] = {"lines_lost": self._lost} if self._lost else {}
        if self._format == "json":
            return json.dumps({"at": at, "event": event, **fields, **lost})
        return _text_line(at, event, {**fields, **lost})


def _wait_writable(stream: TextIO) -> Callable[[int], bool]:
    """Return a function that waits up to the given milliseconds and returns whether the stream accepts a line."""
    try:
        handle = stream.fileno()
    except (OSError, AttributeError):
        return lambda _: True  # a stream in memory never blocks
    poll = select.poll()
    poll.register(handle, select.POLLOUT)
    return lambda timeout_ms: bool(poll.poll(timeout_ms))


def _text_line(at: str, event: str, fields: Mapping[str, object]) -> str:
    pairs = "  ".join(f"{key}={value}" for key, value in fields.items() if value not in (None, ""))
    return f"{at}  {event.replace('_', ' '):<18}  {pairs}".rstrip()
