"""The local deployment in one process group, which can be killed with one signal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from infra.local.api import Api
from infra.local.emulator import LocalSession
from infra.local.lobby_file import NAME, LobbyFile
from infra.local.synthesis import ROOT
from lobby.names import Target, parse_target

_START_TIMEOUT: Final = 300


class StartFailed(Exception):
    """The service did not start. The message is the end of its log."""


class Service:
    """`python -m infra.local up`, which can be killed and started again with the same state."""

    def __init__(self, state: Path, gateway_port: int, mqtt_port: int, console_port: int) -> None:
        self.state = state
        self._command = [
            sys.executable,
            "-m",
            "infra.local",
            "up",
            "--state",
            str(state),
            "--gateway-port",
            str(gateway_port),
            "--mqtt-port",
            str(mqtt_port),
            "--console-port",
            str(console_port),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._api: Api | None = None

    def start(self) -> LobbyFile:
        """Start and wait until the lobby is ready. Raise `StartFailed`."""
        (self.state / NAME).unlink(missing_ok=True)
        log = self.state.parent / "service.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        deadline = time.monotonic() + _START_TIMEOUT
        while not (self.state / NAME).exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise StartFailed("\n".join(log.read_text(errors="replace").splitlines()[-20:]))
            time.sleep(0.1)
        self.file = LobbyFile.read(self.state)
        return self.file

    def kill(self) -> None:
        """Send SIGKILL to the process group: the emulator, its Lambdas and their parent."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._sign_out()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_START_TIMEOUT)
        self._sign_out()

    def ask(self, query: str, **variables: Any) -> Any:
        """Send a GraphQL request as the operator, who signs in again after each start."""
        if self._api is None:
            self._api = Api(self.file, self.file.operator("operator"))
        return self._api.ask(query, **variables)

    def session(self, scope: Target) -> LocalSession:
        file = self.file
        return LocalSession(file.aws_endpoint_url, file.aws_secret_access_key, scope.account, scope.region)

    @property
    def lobby(self) -> Target:
        return parse_target(self.file.lobby_account, self.file.lobby_region)

    @property
    def target(self) -> Target:
        first = self.file.targets[0]
        return parse_target(first.account, first.region)

    def _sign_out(self) -> None:
        if self._api is not None:
            self._api.close()
        self._api = None
