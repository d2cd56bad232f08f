"""Starts the client again when it dies: a fault below Python, in a TLS or MQTT library or a token's, ends the whole
process, and a device in the field has nobody else to start it.

The client lives in a child process, forked before there is any thread. What it ends with by itself is the end; what it
dies of is told, and after a pause that grows the next one begins with what the disk holds. It dies with its keeper.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, NoReturn

from device.machine.backoff import Backoff, Draw

ENDS: Final = (0, 2)
"""Exit codes of a client that ended by itself: stopped, or settings that cannot work."""
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LIVED_S: Final = 300.0
"""A client that lived so long has proved itself; deaths are counted anew."""
_GLANCE_S: Final = 0.2


class Keeper:
    """`live` is a client's whole life, given how many died before it in a row; it returns the exit code."""

    def __init__(
        self, live: Callable[[int], int], tell: Callable[[str, Mapping[str, object]], None], wait: Backoff, draw: Draw
    ) -> None:
        self._live, self._tell, self._wait, self._draw = live, tell, wait, draw
        self._child = 0
        self._stopped = False

    def run(self) -> int:
        """The exit code of the last client."""
        for number in _SIGNALS:
            signal.signal(number, self._forward)
        deaths = 0
        while True:
            born = time.monotonic()
            code = self._one_life(deaths)
            if code in ENDS or self._stopped:
                return max(0, code)
            deaths = deaths + 1 if time.monotonic() - born < _LIVED_S else 1
            pause = self._wait.wait(deaths, self._draw)
            self._tell("client_died", {"detail": _cause(code), "again_in_s": round(pause, 3)})
            if not self._pause(pause):
                return 0

    def _one_life(self, deaths: int) -> int:
        """The exit code, negative for a signal. No signal may fall between the fork and the note of whom it is for."""
        alive, token = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        child = os.fork()
        if child == 0:
            os.close(token)
            self._be_born(deaths, alive)
        self._child = child
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(alive)
        try:
            _, status = os.waitpid(child, 0)
        finally:
            self._child = 0
            os.close(token)
        return os.waitstatus_to_exitcode(status)

    def _be_born(self, deaths: int, alive: int) -> NoReturn:
        """The child's side."""
        code = 1
        try:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            threading.Thread(target=_die_with, args=(alive,), daemon=True).start()
            code = self._live(deaths)
        except BaseException:  # noqa: BLE001 - nothing may go on in the child as if it were the keeper
            traceback.print_exc()
        finally:
            with suppress(OSError, ValueError):  # nobody reads it any more
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _pause(self, seconds: float) -> bool:
        """False where a signal asked to stop."""
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            time.sleep(min(_GLANCE_S, left))
        return not self._stopped

    def _forward(self, number: int, _frame: object) -> None:
        self._stopped = True
        if self._child:
            os.kill(self._child, number)


def _die_with(alive: int) -> None:
    """Its other end is the keeper's alone: it closes when the keeper is gone, however that came."""
    os.read(alive, 1)
    os._exit(1)


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
