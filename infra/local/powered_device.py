"""A powered-on device: the reference client as a process of its own, and what it says of itself.

It is given what a real device has (its key, its certificate, the CA of the servers, a lobby to knock at) and
nothing of the deployment's. Its log is kept beside its state; events are read from there as they come.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from infra.local.lobby_file import LobbyFile
from infra.local.synthesis import ROOT
from pki.devices import DevicePaths


class PoweredDevice:
    """Starts when made; `stop` takes the power away. `options` go to the client as they are."""

    def __init__(self, lobby: LobbyFile, paths: DevicePaths, state: Path, options: Sequence[str] = ()) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.log_path = state / "device.log"
        self._out: IO[bytes] = self.log_path.open("ab")
        self._read_from = self._out.tell()
        command = [
            sys.executable,
            "-m",
            "device",
            "run",
            "--log-format",
            "json",
            "--cert",
            str(paths.chain),
            "--key",
            str(paths.key),
            "--ca",
            lobby.server_ca_path,
            "--lobby",
            f"{lobby.lobby_endpoint}:{lobby.mqtt_port}",
            "--state-dir",
            str(state / "kept"),
            *options,
        ]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self._out, stderr=subprocess.STDOUT
        )

    def events(self) -> list[dict[str, Any]]:
        """What it said so far, oldest first."""
        with self.log_path.open() as log:
            log.seek(self._read_from)
            lines = log.read().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def first(self, event: str, **fields: Any) -> dict[str, Any] | None:
        """The first event of this name (with these fields), or None while there is none."""
        for each in self.events():
            if each["event"] == event and all(each.get(key) == value for key, value in fields.items()):
                return each
        return None

    def last_said(self) -> str:
        """Its last line, for a person who wants to know why it is stuck."""
        if self._process.poll() is not None:
            return f"the device has ended with status {self._process.returncode}"
        lines = self.log_path.read_text().splitlines()
        return f"the device: {lines[-1]}" if lines else "the device has said nothing"

    def stop(self) -> int:
        """Ends it as a service manager would; its exit status."""
        self._process.terminate()
        try:
            return self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._out.close()

    def kill(self) -> None:
        """A power cut."""
        self._process.kill()
        self._process.wait()
        self._out.close()


def moment(event: dict[str, Any]) -> float:
    """When an event was, in seconds since 1970."""
    return datetime.fromisoformat(event["at"]).timestamp()
