"""A real client, real awscrt and all, running in a thread of the test, whose log the test can wait on."""

import json
import os
import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any, TextIO, cast

from device.client import Client
from device.credentials import Credentials
from device.disk import Calls
from device.event_log import Chronicle
from device.machine.events import StopAsked
from device.machine.plan import Endpoint, Plan, Timing
from device.mqtt import Link
from device.storage import Storage
from lobby.names import ThingName

QUICK = Timing(
    answer_within=5,
    settle_after=0.3,
    retry_base=0.05,
    retry_cap=0.2,
    fallback_attempts=3,
    revisit_base=0.2,
    revisit_cap=0.4,
    store_every=0.2,
)
PATIENCE_S = 15


class Log:
    """Takes JSON lines as a text stream does, and lets others wait for one."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self._news = threading.Condition()

    def write(self, text: str) -> None:
        with self._news:
            self.lines.append(json.loads(text))
            self._news.notify_all()

    def flush(self) -> None:
        pass

    def wait_for(self, event: str, times: int = 1) -> dict[str, Any]:
        """The fields of the event when it happens for that time."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines if line["event"] == event][times - 1 : times]

        with self._news:
            seen = self._news.wait_for(found, PATIENCE_S)
        told = "\n".join(map(str, self.lines))
        assert seen, f"no {event} number {times} within {PATIENCE_S} s, but\n{told}"
        return found()[0]

    @property
    def counts(self) -> Counter[str]:
        return Counter(line["event"] for line in self.lines)


class RunningDevice:
    """``with RunningDevice(…) as log``: stopped at the end, and then its thread must be over."""

    def __init__(
        self,
        credentials: Credentials,
        folder: Path,
        *lobbies: Endpoint,
        timing: Timing = QUICK,
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
            Chronicle("json", cast(TextIO, self._log)),
            lambda number, report: Link(number, report, credentials, plan.thing, timing.answer_within, keep_alive_s),
            draw=random.Random(1).uniform,  # noqa: S311 - jitter, and the same one in each run
        )
        self._thread = threading.Thread(target=self._client.run)

    def __enter__(self) -> Log:
        self._thread.start()
        return self._log

    def __exit__(self, *_: object) -> None:
        self._client.post(StopAsked())
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert self._log.lines[-1]["event"] == "stopped"
