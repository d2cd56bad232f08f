"""A powered-on device: the reference client in its own process, and the events that it logs.

The process gets only the key, the certificate, the CA of the servers and the address of the lobby, like a real device.
Its log is kept next to its state; events are read from the log.
"""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from infra.local.lobby_file import LobbyFile
from infra.local.synthesis import ROOT
from lobby import strict_json
from pki.devices.credentials import DevicePaths


class ClientProcess:
    """The constructor starts the process with a command; `stop` and `kill` end it. Its log is in `state`."""

    def __init__(self, command: Sequence[str], state: Path) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.log_path = state / "device.log"
        self._out: IO[bytes] = self.log_path.open("ab")
        self._read_from = self._out.tell()
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self._out, stderr=subprocess.STDOUT
        )

    def events(self) -> list[dict[str, Any]]:
        """Return the events that the process has logged, oldest first."""
        with self.log_path.open() as log:
            log.seek(self._read_from)
            lines = log.read().split("\n")[:-1]
        return [strict_json.loads(line) for line in lines if line.startswith("{")]

    def first(self, event: str, **fields: Any) -> dict[str, Any] | None:
        """Return the first event with this name and these fields, or None."""
        for each in self.events():
            if each["event"] == event and all(each.get(key) == value for key, value in fields.items()):
                return each
        return None

    def last_output(self) -> str:
        """Return the last log line, or the exit status, for an error message."""
        if self._process.poll() is not None:
            return f"the device's process has exited with status {self._process.returncode}"
        lines = self.log_path.read_text().splitlines()
        return f"the device's last log line: {lines[-1]}" if lines else "the device has logged nothing"

    def stop(self) -> int:
        """Terminate the process, as a service manager does, and return its exit status."""
        self._process.terminate()
        try:
            return self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._out.close()

    def kill(self) -> None:
        """Kill the process, as a power cut does."""
        self._process.kill()
        self._process.wait()
        self._out.close()


class PoweredDevice(ClientProcess):
    """A device with a certificate of a manufacturer. `options` are passed to the client."""

    def __init__(self, lobby: LobbyFile, paths: DevicePaths, state: Path, options: Sequence[str] = ()) -> None:
        command = [
            *(sys.executable, "-m", "device", "run", "--log-format", "json"),
            *("--cert", str(paths.chain), "--key", str(paths.key), "--ca", lobby.server_ca_path),
            *("--lobby", f"{lobby.lobby_endpoint}:{lobby.mqtt_port}", "--state-dir", str(state / "kept")),
            *options,
        ]
        super().__init__(command, state)


def event_time(event: dict[str, Any]) -> float:
    """Return the time of an event in seconds since 1970."""
    return datetime.fromisoformat(event["at"]).timestamp()
