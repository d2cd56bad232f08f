"""Queue of events that wait to be handled. awscrt's threads, signal handlers and the client itself put events in.

Events about the device's own connections and timers are always accepted. A broker may send MQTT messages faster than
the client handles them; messages above a limit are dropped and counted, to limit the memory. No route is lost, because
the lobby repeats it after each hello.
"""

import queue
import threading
from typing import Final

from device.machine.events import Event, MessageReceived

MAX_WAITING: Final = 64
"""The maximum number of messages. Each has at most 128 KiB, so the total is at most 8 MiB."""


class Inbox:
    """`put` never blocks. It may be called from any thread, and from a signal handler except with a message."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._dropped = 0
        self._dropped_lock = threading.Lock()

    def put(self, event: Event) -> None:
        if isinstance(event, MessageReceived) and self._events.qsize() >= MAX_WAITING:
            with self._dropped_lock:
                self._dropped += 1
        else:
            self._events.put(event)

    def take(self, timeout: float) -> Event | None:
        """Return the oldest event, or None if there is none within `timeout` seconds."""
        try:
            return self._events.get(timeout=timeout)
        except queue.Empty:
            return None

    def take_dropped_count(self) -> int:
        """Return how many messages were dropped since the last call."""
        with self._dropped_lock:
            dropped, self._dropped = self._dropped, 0
        return dropped
