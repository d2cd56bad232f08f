"""Counts what a waiting device does in a day, with the code of one revision. `python waiting_day.py` prints a JSON
object.

`tests.bench.waiting` runs this file with the code of two revisions, so it imports only names that exist in both. The
device is the reference client's state machine, which is pure, so a day takes seconds; its hellos go to the
receptionist's handler on moto, with the same clock. A client of v0.1, which sends a hello every five seconds, is
counted for an hour.
"""

import importlib
import importlib.util
import io
import json
import logging
import math
import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from device.machine.advance import advance
from device.machine.events import Connect, Connected, Publish, PublishAcknowledged, Start, SubscriptionGranted, Tick
from device.machine.plan import Endpoint, Plan
from device.machine.state import State
from lobby import receptionist
from lobby.domain.identity import Identity
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName
from lobby.receptionist import Receptionist
from tests import aws
from tests.aws import REGION, Calls, Clock
from tests.bench.capacity import READ_UNIT, item_bytes

DAY: Final = 24 * 3600.0
DEVICES: Final = 3
_READS: Final = ("GetItem", "Query", "BatchGetItem")
_WRITE_UNIT: Final = 1024
_PEM_BYTES: Final = 900
"""The size of a device's certificate (EC P-256, with the names of a real manufacturer)."""


def _first(*names: str) -> Any:
    """Import the first of these modules that exists: earlier revisions have other folders."""
    for name in names:
        with suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    raise ModuleNotFoundError(" or ".join(names))


class Waiting:
    """One waiting device, and the lobby that counts its calls and runs."""

    def __init__(self, calls: Calls, number: int) -> None:
        self.calls, self.clock = calls, Clock()
        self.random = random.Random(number)  # noqa: S311  # jitter that is the same in every run
        self.certid, self.name = Fingerprint(f"{number:064x}"), ThingName(f"sensor-{number}")
        self.ledger = Ledger(REGION, self.clock)
        self.receptionist = Receptionist(aws.client("iot-data"), self.ledger)
        self.counts: Counter[str] = Counter()
        with calls.uncounted():
            self.ledger.admit(Identity(self.certid, self.name, "P" * _PEM_BYTES), "service:bouncer")
            self.hello()
        self.counts.clear()

    def hello(self) -> None:
        event = {"certid": self.certid, "devicename": self.name, "clientversion": "1.0", "presence": None}
        event["receivedat"] = str(int(self.clock().timestamp() * 1000))
        self._run(lambda: receptionist.handler(event, None, self.receptionist))
        self.counts["hellos"] += 1

    def connect(self) -> None:
        """The lifecycle event of the connection, if this revision handles it."""
        if importlib.util.find_spec("lobby.connections") is None:
            return
        module = importlib.import_module("lobby.connections")
        stored = _first("lobby.ledger.connections.device_connections", "lobby.ledger.device_connections")
        watches = ("tests.clone_watches",) if importlib.util.find_spec("lobby.clone_watch") else ()
        watch = [importlib.import_module(name).clone_watch(self.ledger) for name in watches]
        recorder = module.ConnectionRecorder(self.ledger, stored.Connections(), *watch)
        event = {"event": "connected", "certid": self.certid, "devicename": self.name, "session": "s", "version": 0}
        self._run(lambda: module.handler(event | {"at": int(self.clock().timestamp() * 1000)}, None, recorder))

    def _run(self, run: Callable[[], object]) -> None:
        """Count one run of a Lambda: its calls, DynamoDB units and log lines."""
        self.calls.forget()
        log = io.StringIO()
        for service in ("receptionist", "connections"):
            for handler in logging.getLogger(service).handlers:
                if isinstance(handler, logging.StreamHandler):
                    handler.setStream(log)
        run()
        lines = [line for line in log.getvalue().splitlines() if line]
        self.counts.update(runs=1, rules=1, actions=1, calls=len(self.calls.names()))
        self.counts.update(log_lines=len(lines), log_line_bytes=sum(len(line.encode()) for line in lines))
        with self.calls.uncounted():
            size = item_bytes(aws.item(self.certid) or {})
        for name in self.calls.names():
            if name in _READS:
                self.counts["read_units"] += math.ceil(size / READ_UNIT)
            elif name in ("UpdateItem", "PutItem"):
                self.counts["writes"] += 1
                self.counts["write_units"] += math.ceil(size / _WRITE_UNIT)

    def wait(self, seconds: float) -> None:
        """Let the reference client wait in the lobby for this time."""
        plan, state, now = Plan(self.name, (Endpoint("lobby.example"),)), State(), 0.0
        pending: list[Any] = [Start(None)]
        while now < seconds:
            state, actions = advance(state, pending.pop(0), plan=plan, now=now, uniform=self.random.uniform)
            for action in actions:
                if isinstance(action, Connect):
                    self.connect()
                    pending += [Connected(action.connection_id), SubscriptionGranted(action.connection_id)]
                elif isinstance(action, Publish):
                    self.hello()
                    pending.append(PublishAcknowledged(action.connection_id))
            if not pending:
                assert state.next_deadline is not None, "the device waits for nothing"
                self.clock.advance(seconds=state.next_deadline - now)
                now, pending = state.next_deadline, [Tick()]


def main() -> None:
    """Print the counts of a day of the reference client, and of an hour of v0.1's, each for one device."""
    with aws.aws() as calls:
        days = [Waiting(calls, number) for number in range(1, DEVICES + 1)]
        for device in days:
            device.wait(DAY)
        old = Waiting(calls, DEVICES + 1)
        for _ in range(720):
            old.clock.time += timedelta(seconds=5)
            old.hello()
    total: Counter[str] = sum((device.counts for device in days), Counter())
    day = {name: count / DEVICES for name, count in total.items()}
    json.dump({"day": day, "v01_hour": dict(old.counts)}, sys.stdout)


if __name__ == "__main__":
    main()
