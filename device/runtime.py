"""One life of the client: its parts are made, joined and run, from power-on until it is told to stop.

Nothing here is decided. A fault of the settings ends it with a message; the folder that shall keep the route may be of
no use, and the device is of use all the same.
"""

import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from device.client import Client
from device.errors import StateFault
from device.event_log import Chronicle, utc_now
from device.machine.events import StopAsked
from device.mqtt import Link
from device.settings import Settings
from device.storage import Storage, lock
from lobby.errors import LobbyError

STOPPED: Final = 0
UNUSABLE: Final = 2
"""Exit codes: it was told to stop or has done its task; with these settings it can never work."""
draw: Final = random.SystemRandom().uniform
"""Jitter that no two devices share."""


def live(gather: Callable[[], Settings], chronicle: Chronicle, deaths: int) -> int:
    """The exit code. `deaths` is how many clients died before this one in a row."""
    try:
        _live(gather(), chronicle, deaths)
    except LobbyError as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return STOPPED


def _live(settings: Settings, chronicle: Chronicle, deaths: int) -> None:
    _hold(settings.state_dir, chronicle)
    plan = settings.plan
    client = Client(
        plan,
        Storage(settings.state_dir),
        chronicle,
        lambda number, report: Link(number, report, settings.credentials, plan.thing, plan.timing.answer_within),
        draw=draw,
        doubts_clock=lambda: settings.identity.doubts_clock(utc_now()),
        deaths=deaths,
    )
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: client.post(StopAsked()))
    client.run()


def _hold(folder: Path, chronicle: Chronicle) -> None:
    """A device whose folder is of no use, read-only or gone, asks the lobby at each start."""
    try:
        lock(folder)
    except StateFault as fault:
        if fault.code == "STATE_DIR_IN_USE":
            raise
        chronicle.record("storage_unusable", {"detail": fault.message})
