"""Simulated network and clock: the real client runs among scripted brokers, and hours take milliseconds.

Everything runs in one thread. When the client waits, the callbacks scheduled for that time run; if there are none,
the clock advances to the end of the wait.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from device.client import Client
from device.disk import Calls
from device.event_log import EventLog
from device.inbox import Inbox
from device.interfaces import Identities, Renewals
from device.machine.events import (
    Connected,
    ConnectionFailed,
    Disconnected,
    Event,
    Exit,
    Failure,
    MessageReceived,
    PublishAcknowledged,
    StopRequested,
    SubscriptionGranted,
)
from device.machine.plan import Endpoint, Plan
from device.storage import Storage
from lobby.names import Fingerprint
from lobby.wire import lobby_topic
from tests.unit.device.machine_driver import PLAN
from tests.unit.device.simulated_disk import SimulatedDisk

STATE_DIR = Path("/device/state")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


class DeadlineExceededError(AssertionError):
    """The awaited condition did not become true in time."""


class Broker:
    """A broker that works. Subclasses override single steps."""

    def opened(self, connection: "SimulatedConnection") -> None:
        connection.report(Connected(connection.id))

    def subscribed(self, connection: "SimulatedConnection") -> None:
        connection.report(SubscriptionGranted(connection.id))

    def published(self, connection: "SimulatedConnection", _topic: str) -> None:
        connection.report(PublishAcknowledged(connection.id))

    def closed(self, connection: "SimulatedConnection") -> None:
        connection.report(Disconnected(connection.id))


class UnavailableBroker(Broker):
    """Every connection attempt fails."""

    def __init__(self, failure: Failure = Failure.UNREACHABLE) -> None:
        self.failure = failure

    def opened(self, connection: "SimulatedConnection") -> None:
        connection.report(ConnectionFailed(connection.id, self.failure, "as scripted"))


class RespondingBroker(Broker):
    """Answer each hello or report of the device with these messages."""

    def __init__(self, *messages: bytes) -> None:
        self.messages = messages

    def published(self, connection: "SimulatedConnection", topic: str) -> None:
        super().published(connection, topic)
        for message in self.messages:
            connection.push(message)


class SimulatedConnection:
    """Test double of `MqttConnection`."""

    def __init__(
        self,
        network: "SimulatedNetwork",
        connection_id: int,
        report: Callable[[Event], None],
        certificate: Fingerprint | None = None,
    ) -> None:
        self.network, self.id, self._report, self.certificate = network, connection_id, report, certificate
        self._endpoint: Endpoint | None = None
        self.payload = b""
        """Of the last message that the device has published."""

    @property
    def broker(self) -> Broker:
        """The broker that has the endpoint now."""
        unavailable = UnavailableBroker()
        return self.network.brokers.get(self._endpoint, unavailable) if self._endpoint else unavailable

    def report(self, event: Event, after: float = 0.05) -> None:
        """Report the event to the device `after` seconds."""
        self.network.schedule(after, lambda: self._report(event))

    def push(self, payload: bytes, topic: str = lobby_topic(PLAN.thing), after: float = 0.05) -> None:
        """Send a message to the device."""
        self.report(MessageReceived(self.id, topic, payload), after)

    def open(self, endpoint: Endpoint) -> None:
        self.network.attempts.append((self.network.now, endpoint))
        self._endpoint = endpoint
        self.broker.opened(self)

    def subscribe(self, _topic: str) -> None:
        self.broker.subscribed(self)

    def publish(self, topic: str, payload: bytes) -> None:
        self.payload = payload
        self.broker.published(self, topic)

    def close(self) -> None:
        self.broker.closed(self)


class _SimulatedInbox(Inbox):
    """Waiting for an event advances the simulated clock."""

    def __init__(self, network: "SimulatedNetwork") -> None:
        super().__init__()
        self._network = network

    def take(self, timeout: float) -> Event | None:
        until = self._network.now + timeout
        while (event := super().take(0)) is None and self._network.run_next(until):
            pass
        return event


class SimulatedNetwork:
    """Brokers by endpoint, the clock, and the log of the device."""

    def __init__(self, brokers: Mapping[Endpoint, Broker], plan: Plan = PLAN, seed: int = 1) -> None:
        self.brokers, self.plan = dict(brokers), plan
        self.now = 1000.0
        self.attempts: list[tuple[float, Endpoint]] = []
        self.log: list[tuple[float, str, Mapping[str, object]]] = []
        self.counts: Counter[str] = Counter()
        self.listeners: list[Callable[[str, Mapping[str, object]], None]] = []
        self.clock_error = ""
        self.random = random.Random(seed)  # noqa: S311 - jitter
        self._scheduled: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def schedule(self, after: float, callback: Callable[[], None]) -> None:
        heapq.heappush(self._scheduled, (self.now + after, next(self._order), callback))

    def run_next(self, until: float) -> bool:
        """Run the next callback that is due by `until`. If there is none, advance the clock and return False."""
        if self._scheduled and self._scheduled[0][0] <= until:
            at, _, callback = heapq.heappop(self._scheduled)
            self.now = max(self.now, at)
            callback()
            return True
        self.now = max(self.now, until)
        return False

    def record(self, event: str, fields: Mapping[str, object]) -> None:
        """Test double of `EventLog.record`."""
        self.log.append((self.now, event, dict(fields)))
        self.counts[event] += 1
        for listener in self.listeners:
            listener(event, fields)

    def clear_log(self) -> None:
        self.log.clear()
        self.counts.clear()

    def run_device(
        self,
        until: Callable[[], Any],
        calls: Calls | None = None,
        within: float = DAY,
        folder: Path = STATE_DIR,
        identities: Identities | None = None,
        renewals: Renewals | None = None,
    ) -> Exit:
        """Run a device with this disk until the condition is true or it ends by itself, and return its end. Raise
        `DeadlineExceededError` after `within` seconds."""
        inbox = _SimulatedInbox(self)
        client = Client(
            self.plan,
            Storage(folder, SimulatedDisk() if calls is None else calls),
            cast(EventLog, self),
            lambda connection_id, report: SimulatedConnection(self, connection_id, report),
            uniform=self.random.uniform,
            clock=lambda: self.now,
            inbox=inbox,
            clock_error=lambda: self.clock_error,
            identities=identities,
            renewals=renewals,
        )
        deadline, met = self.now + within, False

        def check() -> None:
            nonlocal met
            met = bool(until())
            if met or self.now > deadline:
                client.post(StopRequested())
            else:
                self.schedule(0.5 if within <= MINUTE else 2.0, check)

        self.schedule(0, check)
        try:
            ending = client.run()
        finally:
            self._scheduled.clear()  # events in transit are lost when the device is off
        if not met and ending == Exit():
            tail = "\n".join(map(str, self.log[-20:]))
            raise DeadlineExceededError(f"condition not true within {within:g} s; log:\n{tail}")
        return ending

    def run_for(self, seconds: float, calls: Calls | None = None, folder: Path = STATE_DIR) -> None:
        """Run a device for this time."""
        deadline = self.now + seconds
        self.run_device(lambda: self.now >= deadline, calls, 2 * seconds, folder)
