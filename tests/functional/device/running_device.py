"""A real client with real awscrt in a thread of the test, its TLS certificates, and a log that the test can wait on."""

import json
import os
import random
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from device.client import Client
from device.credentials import Credentials, FileCredentials
from device.disk import Calls
from device.event_log import EventLog
from device.machine.events import StopRequested
from device.machine.plan import Endpoint, Plan, Timing
from device.mqtt import MqttConnection
from device.storage import Storage
from lobby.names import ThingName
from tests.functional.device.scripted_broker import Broker, Script
from tests.functional.device.tls_certificates import IssuedCertificate, issue

LOOPBACK = "127.0.0.1"
SHORT_TIMING = Timing(
    answer_within=5,
    settle_after=0.3,
    retry_base=0.05,
    retry_cap=0.2,
    fallback_attempts=3,
    revisit_base=0.2,
    revisit_cap=0.4,
    store_every=0.2,
)
TIMEOUT_S = 15


@dataclass(frozen=True)
class TlsSetup:
    """A CA, a server certificate and a device certificate of that CA, and a state folder, all in `folder`."""

    folder: Path
    ca: IssuedCertificate
    server: IssuedCertificate
    device: IssuedCertificate

    @property
    def credentials(self) -> FileCredentials:
        return FileCredentials(self.device.cert, self.device.key, self.ca.cert)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def broker(self, *scripts: Script, port: int = 0) -> Broker:
        return Broker(self.server, self.ca, *scripts, port=port)


def make_tls_setup(folder: Path) -> TlsSetup:
    ca = issue(folder, "ca")
    return TlsSetup(folder, ca, issue(folder, "server", ca), issue(folder, "sensor-1", ca))


def endpoint_of(broker: Broker) -> Endpoint:
    return Endpoint(LOOPBACK, broker.port)


class Log:
    """Text stream for the client's JSON lines. Tests can wait for an event."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def write(self, text: str) -> None:
        with self._changed:
            self.lines.append(json.loads(text))
            self._changed.notify_all()

    def flush(self) -> None:
        pass

    def wait_for(self, event: str, times: int = 1) -> dict[str, Any]:
        """Return the fields of the event when it occurs for the nth time."""

        def matches() -> list[dict[str, Any]]:
            return [line for line in self.lines if line["event"] == event][times - 1 : times]

        with self._changed:
            logged = self._changed.wait_for(matches, TIMEOUT_S)
        lines = "\n".join(map(str, self.lines))
        assert logged, f"no {event} number {times} within {TIMEOUT_S} s; log:\n{lines}"
        return matches()[0]

    @property
    def counts(self) -> Counter[str]:
        return Counter(line["event"] for line in self.lines)


class RunningDevice:
    """``with RunningDevice(…) as log``. At the end the client is stopped, and its thread must end."""

    def __init__(
        self,
        credentials: Credentials,
        folder: Path,
        *lobbies: Endpoint,
        timing: Timing = SHORT_TIMING,
        calls: Calls = os,
        thing: str = "sensor-1",
        keep_alive_s: int = 30,
    ) -> None:
        plan = Plan(ThingName(thing), lobbies, timing)
        folder.mkdir(exist_ok=True)
        self._log = Log()
        self._client = Client(
            plan,
            Storage(folder, calls),
            EventLog("json", cast(TextIO, self._log)),
            lambda connection_id, report: MqttConnection(
                connection_id, report, credentials, plan.thing, timing.answer_within, keep_alive_s
            ),
            uniform=random.Random(1).uniform,  # noqa: S311 - jitter, the same in each run
        )
        self._thread = threading.Thread(target=self._client.run)

    def __enter__(self) -> Log:
        self._thread.start()
        return self._log

    def __exit__(self, *_: object) -> None:
        self._client.post(StopRequested())
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive()
        assert self._log.lines[-1]["event"] == "stopped"
