"""The client with its supervisor in a process, as users run it, with a log that can be waited on."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.functional.device.running_device import LOOPBACK, TlsSetup

_ROOT: Final = Path(__file__).parents[3]
_TIMEOUT_S: Final = 90


class ClientProcess:
    """Runs while the context is entered. `lines` is the log so far."""

    def __init__(self, tls: TlsSetup, port: int, environment: Mapping[str, str] | None = None, **more: float) -> None:
        options: dict[str, object] = {
            "cert": tls.device.cert,
            "key": tls.device.key,
            "ca": tls.ca.cert,
            "lobby": f"{LOOPBACK}:{port}",
            "state-dir": tls.state,
            "log-format": "json",
            "retry-base": 0.2,
            "retry-cap": 1,
            "answer-within": 2,
            "alive-every": 1,
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        self._command = [sys.executable, "-m", "device", "run", *(f"--{key}={value}" for key, value in options.items())]
        self._environment = {**os.environ, **(environment or {})}
        self.lines: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def __enter__(self) -> "ClientProcess":
        self._process = subprocess.Popen(
            self._command, cwd=_ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._reader.join(20)
        self._process.wait(20)
        assert self._process.stdout
        self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with self._changed, suppress(ValueError):
                self.lines.append(json.loads(line))
                self._changed.notify_all()

    @property
    def client(self) -> int:
        """Process id of the client, whose parent is the supervisor."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0])

    def count(self, event: str) -> int:
        return sum(line["event"] == event for line in self.lines)

    def wait(self, since: int, *events: str) -> int:
        """Wait for one of the events after line `since`. Return the number of lines then."""

        def logged() -> bool:
            return any(line["event"] in events for line in self.lines[since:])

        with self._changed:
            assert self._changed.wait_for(logged, _TIMEOUT_S), f"no {events} in {self.lines[-6:]}"
            return len(self.lines)
