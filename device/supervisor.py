"""Restart the client when it crashes.

A fault in a native TLS, MQTT or PKCS#11 library ends the process, and a device in the field has nothing else to
restart it. The client runs in a child process, forked before any thread exists. If it exits with code 0 or 2, the
supervisor exits too. After a crash the supervisor logs the cause, waits with exponential backoff and starts the next
client, which continues from the stored route. The client exits when its supervisor exits.
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

from device.machine.backoff import Backoff, Uniform

FINAL_EXIT_CODES: Final = (0, 2)
"""Exit codes of a client that is not restarted: stopped, or unusable settings."""
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_STABLE_AFTER_S: Final = 300.0
"""The crash count starts again after a client that ran for this long."""
_POLL_S: Final = 0.2


class Supervisor:
    """`run_client` runs one client, given the number of consecutive crashes before it, and returns its exit code."""

    def __init__(
        self,
        run_client: Callable[[int], int],
        record: Callable[[str, Mapping[str, object]], None],
        backoff: Backoff,
        uniform: Uniform,
    ) -> None:
        self._run_client, self._record, self._backoff, self._uniform = run_client, record, backoff, uniform
        self._child = 0
        self._stopped = False

    def run(self) -> int:
        """Run clients until one exits without a crash or a signal arrives. Return the exit code of the last client."""
        for number in _SIGNALS:
            signal.signal(number, self._forward)
        crashes = 0
        while True:
            started_at = time.monotonic()
            code = self._run_child(crashes)
            if code in FINAL_EXIT_CODES or self._stopped:
                return max(0, code)
            crashes = crashes + 1 if time.monotonic() - started_at < _STABLE_AFTER_S else 1
            pause = self._backoff.wait(crashes, self._uniform)
            self._record("client_crashed", {"detail": _cause(code), "restart_in_s": round(pause, 3)})
            if not self._pause(pause):
                return 0

    def _run_child(self, crashes: int) -> int:
        """Run one client and return its exit code, negative for a signal.

        Signals are blocked from the fork until the child's process id is stored, so that none is lost.
        """
        pipe_end, parent_end = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        child = os.fork()
        if child == 0:
            os.close(parent_end)
            self._child_main(crashes, pipe_end)
        self._child = child
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(pipe_end)
        try:
            _, status = os.waitpid(child, 0)
        finally:
            self._child = 0
            os.close(parent_end)
        return os.waitstatus_to_exitcode(status)

    def _child_main(self, crashes: int, pipe_end: int) -> NoReturn:
        """Run the client in the child process and exit."""
        code = 1
        try:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            threading.Thread(target=_exit_with_parent, args=(pipe_end,), daemon=True).start()
            code = self._run_client(crashes)
        except BaseException:  # noqa: BLE001 - the child must never continue as a second supervisor
            traceback.print_exc()
        finally:
            with suppress(OSError, ValueError):  # the reader may be gone
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _pause(self, seconds: float) -> bool:
        """Wait. Return False if a signal requests a stop."""
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            time.sleep(min(_POLL_S, left))
        return not self._stopped

    def _forward(self, number: int, _frame: object) -> None:
        self._stopped = True
        if self._child:
            os.kill(self._child, number)


def _exit_with_parent(pipe_end: int) -> None:
    """Exit when the supervisor exits for any reason: only it holds the other end of the pipe."""
    os.read(pipe_end, 1)
    os._exit(1)


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
