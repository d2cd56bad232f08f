"""One run of the client: create its parts, connect them, and run until it is stopped.

A device without a certificate runs twice: first to get one, then like any other device after power-on. Invalid settings
end the run with a message, and so do missing permissions for the device's certificates in the state directory.
Otherwise the run continues with an unusable directory, because the device gets its route from the lobby at each start.
Only a device that gets a certificate needs the directory, to store the certificate.
"""

import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from device.client import Client
from device.errors import ProvisioningImpossible, StateDirError
from device.event_log import EventLog, utc_now
from device.interfaces import Connection, Identities, Renewals
from device.machine.events import Event, Outcome, StopRequested
from device.machine.plan import Plan
from device.storage import Storage, lock
from lobby.errors import LobbyError

STOPPED: Final = 0
"""Exit code: stopped by a signal, or arrived with `--exit-on-arrival`."""
UNUSABLE: Final = 2
"""Exit code: the client cannot work with these settings."""
uniform: Final = random.SystemRandom().uniform
"""Jitter that differs between devices."""
Opener = Callable[[int, Callable[[Event], None]], Connection]
"""Creates a connection from its id and the function that it reports events to."""


@dataclass(frozen=True)
class Setup:
    """Complete and validated settings of a run. `clock_error` returns why a time cannot be right, or an empty string.
    `identities` stores the certificate from provisioning, `renewals` the certificates from renewals."""

    plan: Plan
    state_dir: Path
    open_connection: Opener
    clock_error: Callable[[datetime], str]
    identities: Identities | None = None
    renewals: Renewals | None = None


def run_client(load: Callable[[], Setup], event_log: EventLog, crashes: int) -> int:
    """Run one client and return its exit code. `crashes` is the number of consecutive crashes before this run."""
    try:
        _run(load, event_log, crashes)
    except LobbyError as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    return STOPPED


def _run(load: Callable[[], Setup], event_log: EventLog, crashes: int) -> None:
    setup, stop = _readable(load), _StopSignals()
    _lock_state_dir(setup.state_dir, event_log)
    while not stop.received and _run_once(setup, event_log, crashes, stop) is Outcome.PROVISIONED:
        setup, crashes = _readable(load), 0
        if setup.plan.provisioning:
            raise RuntimeError(f"got no identity from {setup.state_dir}, want the one just stored there")


def _readable(load: Callable[[], Setup]) -> Setup:
    """Load the settings and certificates. Missing permissions end the client, because no attempt can succeed. After any
    other failure of the disk, the supervisor starts the client again."""
    try:
        return load()
    except PermissionError as error:
        why = f"got {error.filename} ({error.strerror}), want a file that the client can read"
        raise StateDirError("STATE_DIR_UNUSABLE", why) from None


def _run_once(setup: Setup, event_log: EventLog, crashes: int, stop: "_StopSignals") -> Outcome:
    client = Client(
        setup.plan,
        Storage(setup.state_dir),
        event_log,
        setup.open_connection,
        uniform=uniform,
        clock_error=lambda: setup.clock_error(utc_now()),
        crashes=crashes,
        identities=setup.identities,
        renewals=setup.renewals,
    )
    stop.request = lambda: client.post(StopRequested())
    ending = client.run()
    if ending.outcome is Outcome.IMPOSSIBLE:
        raise ProvisioningImpossible("PROVISIONING_IMPOSSIBLE", ending.detail)
    return ending.outcome


class _StopSignals:
    """Passes signals to the client that runs now, and remembers them between two clients."""

    def __init__(self) -> None:
        self.received = False
        self.request: Callable[[], None] = lambda: None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self.received = True
        self.request()


def _lock_state_dir(folder: Path, event_log: EventLog) -> None:
    try:
        lock(folder)
    except StateDirError as error:
        if error.code == "STATE_DIR_IN_USE":
            raise
        event_log.record("storage_unusable", {"detail": error.message})
