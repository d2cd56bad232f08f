"""One run of the client: create its parts, connect them, and run until it is stopped.

Invalid settings end the run with a message. An unusable state directory does not: the device works without one and
asks the lobby at each start.
"""

import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from device.client import Client
from device.errors import StateDirError
from device.event_log import EventLog, utc_now
from device.machine.events import StopRequested
from device.mqtt import MqttConnection
from device.settings import Settings
from device.storage import Storage, lock
from lobby.errors import LobbyError

STOPPED: Final = 0
"""Exit code: stopped by a signal, or arrived with `--exit-on-arrival`."""
UNUSABLE: Final = 2
"""Exit code: the client can never work with these settings."""
uniform: Final = random.SystemRandom().uniform
"""Jitter that differs between devices."""


def run_client(load_settings: Callable[[], Settings], event_log: EventLog, crashes: int) -> int:
    """Run one client and return its exit code. `crashes` is the number of consecutive crashes before this run."""
    try:
        _run(load_settings(), event_log, crashes)
    except LobbyError as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return STOPPED


def _run(settings: Settings, event_log: EventLog, crashes: int) -> None:
    _lock_state_dir(settings.state_dir, event_log)
    plan = settings.plan
    client = Client(
        plan,
        Storage(settings.state_dir),
        event_log,
        lambda connection_id, report: MqttConnection(
            connection_id, report, settings.credentials, plan.thing, plan.timing.answer_within
        ),
        uniform=uniform,
        clock_error=lambda: settings.identity.clock_error(utc_now()),
        crashes=crashes,
    )
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: client.post(StopRequested()))
    client.run()


def _lock_state_dir(folder: Path, event_log: EventLog) -> None:
    try:
        lock(folder)
    except StateDirError as error:
        if error.code == "STATE_DIR_IN_USE":
            raise
        event_log.record("storage_unusable", {"detail": error.message})
