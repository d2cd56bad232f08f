"""What has happened and waits to be handled: one queue for awscrt's threads, signals and the client itself.

What the device's own links and timers report always fits. Messages come from others: a broker that sends them faster
than they can be weighed must not fill the memory, so beyond a bound they are dropped and counted. What they could
have told is told again: the lobby repeats a route with each hello.
"""

import queue
import threading
from typing import Final

from device.machine.events import Event, Heard

MOST_WAITING: Final = 64
"""Each at most as long as a message may be (128 KiB): 8 MiB in all."""


class Inbox:
    """`put` never waits, and may be called from any thread; from a signal handler with anything but a message."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._dropped = 0
        self._counting = threading.Lock()

    def put(self, event: Event) -> None:
        if isinstance(event, Heard) and self._events.qsize() >= MOST_WAITING:
            with self._counting:
                self._dropped += 1
        else:
            self._events.put(event)

    def take(self, wait: float) -> Event | None:
        """The oldest event; None where there is none within `wait` seconds."""
        try:
            return self._events.get(timeout=wait)
        except queue.Empty:
            return None

    def count_dropped(self) -> int:
        """Messages dropped since this was last asked."""
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        return dropped
