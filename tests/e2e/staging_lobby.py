"""A second lobby in the cloud of the deployed one, for tests. A separate process deploys and destroys it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.local.api import Api
from infra.local.lobby_file import LobbyFile
from infra.local.manufacturer import FOLDER, Manufacturer
from infra.local.synthesis import ROOT
from lobby.names import Target
from pki.devices.credentials import DevicePaths
from tests.e2e.deployment import Deployment, until
from tests.e2e.second_lobby import layout_next_to

ID = "staging"
STATE = "query($id: ID!) { device(certid: $id) { devstate reason message } }"


@dataclass
class SecondLobby:
    """The lobby with an id, in the cloud of the first one."""

    first: Deployment
    state: Path

    def run(self, action: str) -> None:
        command = [sys.executable, "-m", "tests.e2e.second_lobby", action, str(self.state)]
        environment = os.environ | {"LOBBY_ID": ID, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [*command, str(self.first.layout.state_dir)],
            cwd=ROOT,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @property
    def file(self) -> LobbyFile:
        return LobbyFile.read(self.state)

    @property
    def lobby(self) -> Target:
        return layout_next_to(self.first.layout).lobby

    def make_device(self) -> DevicePaths:
        return Manufacturer(self.state / FOLDER).make_device()


def wait_for_state(api: Api, certid: str, state: str) -> None:
    last: list[object] = [None]

    def look() -> bool:
        last[0] = device = api.ask(STATE, id=certid)["device"]
        return bool(device and device["devstate"] == state)

    until(look, lambda: last[0])
