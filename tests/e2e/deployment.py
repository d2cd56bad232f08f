"""The deployment that the end-to-end tests share, and its interfaces.

Tests use the interfaces of operators and devices: GraphQL, MQTT, the command line. They act as the root user of an
emulated account only to observe, and to cause faults that an operator then repairs.
"""

import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError

from infra.local.api import Api
from infra.local.bringup import LocalLobby, exclusive_use
from infra.local.emulator import Emulator
from infra.local.lobby_file import LobbyFile
from infra.local.ports import choose_layout
from infra.local.timeline import Timeline
from lobby.names import Target

T = TypeVar("T")
TIMEOUT_SECONDS: Final = 180
"""Maximum wait for a condition, on a busy machine too. Only a failing test waits that long."""

_POLL: Final = 0.1
DEVICE: Final = """
query($id: ID!) { device(certid: $id) {
  certid devicename devstate targetaccount targetregion reason message generation endpoint config
  previousTargets { account region } historyIntact history { event before after actor reason target }
} }"""
CLAIM: Final = """
mutation($id: ID!, $target: TargetInput!, $profile: String, $config: JSON) {
  claimDevice(certid: $id, target: $target, profile: $profile, config: $config) { devstate }
}"""
MOVE: Final = "mutation($id: ID!, $target: TargetInput!) { moveDevice(certid: $id, target: $target) { devstate } }"
RELEASE: Final = "mutation($id: ID!) { releaseDevice(certid: $id) { forgotten } }"
REVOKE: Final = 'mutation($id: ID!) { revokeDevice(certid: $id, why: "lost on the way") { devstate } }'
RETRY: Final = "mutation($id: ID!) { retryDevice(certid: $id) { devstate } }"


def until(
    look: Callable[[], T | None],
    observed: Callable[[], object] = str,
    every: float = _POLL,
    seconds: float = TIMEOUT_SECONDS,
) -> T:
    """Return the first true value of `look`. After the timeout, fail with the result of `observed`."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, f"not within {seconds} s; last observed: {observed()}"
        time.sleep(every)
    return value


class Deployment:
    """A running `LocalLobby` with its state directory locked, and the operations that tests perform on it."""

    def __init__(
        self, state: Path, gateway_port: int, mqtt_port: int, console_port: int, *, signing: bool = False
    ) -> None:
        self.state, self._signing = state, signing
        self.layout = choose_layout(state / "cloud", gateway_port, mqtt_port, console_port)
        self._cleanup = ExitStack()
        self._apis: dict[str, Api] = {}
        self._clients: dict[tuple[Emulator, Target, str], Any] = {}

    def up(self) -> None:
        self._cleanup.enter_context(exclusive_use(self.state))
        self.local = LocalLobby(self.state, Timeline(), signing=self._signing)
        self._cleanup.callback(self.local.down)
        self._cleanup.callback(self.sign_out)
        self.file = self.local.up()

    def down(self) -> None:
        """Stop the deployment and unlock its state, which is kept."""
        self._cleanup.close()

    def kill(self) -> None:
        """Kill the emulator, as a power cut does."""
        pid = self.local.emulator.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        self.local.emulator.wait()
        self.local.emulator.stop()

    def wait_until_saved(self) -> None:
        """Wait until the current state is on the disk. After two more saves it is, because the second one has started
        after this call."""
        path = self.layout.state_dir / "services" / "iot.json"
        for _ in range(2):
            before = path.stat().st_mtime_ns
            self.client(self.lobby, "sts").get_caller_identity()  # any request causes a save
            until(partial(_is_newer, path, before))

    def target_accounts(self) -> list[str]:
        """Return the accounts of the registered targets."""
        return [target["account"] for target in self.api().ask("{ targets { account } }")["targets"]]

    def use(self, file: LobbyFile) -> None:
        """Use the deployment that another process runs with this state."""
        self.file = file
        self.sign_out()

    @property
    def lobby(self) -> Target:
        return self.layout.lobby

    @property
    def targets(self) -> tuple[Target, ...]:
        return self.layout.targets

    @property
    def emulator(self) -> Emulator:
        return self.local.emulator

    def api(self, role: str = "operator") -> Api:
        """Return an API client that is signed in with this role."""
        if role not in self._apis:
            self._apis[role] = Api(self.file, self.file.operator(role))
        return self._apis[role]

    def sign_out(self) -> None:
        while self._apis:
            self._apis.popitem()[1].close()

    def client(self, scope: Target, service: str) -> Any:
        """Return a boto3 client of the root user of an emulated account. It is kept, because tests poll with it."""
        key = (self.emulator, scope, service)
        if key not in self._clients:
            self._clients[key] = self.emulator.session(scope.account, scope.region).client(service)
        return self._clients[key]

    def status(self, certid: str, scope: Target) -> str | None:
        """Return the certificate's status in AWS IoT, or None if it is not registered there."""
        try:
            result = self.client(scope, "iot").describe_certificate(certificateId=certid)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None
        return str(result["certificateDescription"]["status"])

    def device(self, certid: str) -> dict[str, Any] | None:
        """Return the device as the API returns it, or None if it is not in the ledger."""
        device: dict[str, Any] | None = self.api().ask(DEVICE, id=certid)["device"]
        return device

    def existing(self, certid: str) -> dict[str, Any]:
        """Return the device. Fail if it is not in the ledger."""
        device = self.device(certid)
        assert device, f"{certid} is not in the ledger"
        return device

    def wait(self, certid: str, *states: str, **fields: object) -> dict[str, Any]:
        """Return the device when it is in one of `states` and has these fields."""
        last: list[dict[str, Any] | None] = [None]

        def look() -> dict[str, Any] | None:
            last[0] = device = self.device(certid)
            if device and device["devstate"] in states and all(device[key] == value for key, value in fields.items()):
                return device
            return None

        return until(look, lambda: last[0])

    def claim(self, certid: str, target: Target | None = None, **options: Any) -> str:
        """Claim the device for `target`, by default the first, and return its state."""
        request = _target(target or self.targets[0])
        return str(self.api().ask(CLAIM, id=certid, target=request, **options)["claimDevice"]["devstate"])

    def move(self, certid: str, target: Target) -> str:
        return str(self.api().ask(MOVE, id=certid, target=_target(target))["moveDevice"]["devstate"])

    def release(self, certid: str) -> bool:
        """Release the device and return whether its row is deleted."""
        return bool(self.api().ask(RELEASE, id=certid)["releaseDevice"]["forgotten"])

    def revoke(self, certid: str) -> str:
        return str(self.api().ask(REVOKE, id=certid)["revokeDevice"]["devstate"])

    def retry(self, certid: str) -> str:
        return str(self.api().ask(RETRY, id=certid)["retryDevice"]["devstate"])

    def publish(self, scope: Target, thing: str, message: object) -> None:
        """Publish on a device's lobby topic, as the account's owner can."""
        self.client(scope, "iot-data").publish(topic=f"lobby/{thing}", qos=1, payload=json.dumps(message).encode())

    def log_lines(self, function: str, text: str) -> list[str]:
        """Return the log messages of a Lambda function that contain `text`."""
        logs = self.client(self.lobby, "logs")
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/device-lobby-{function}", filterPattern=f'"{text}"'
        )
        return [event["message"] for page in pages for event in page["events"]]

    def calls(self, role: str, since: int = 0) -> Counter[str]:
        """Return the AWS calls of a role by action, from the access log after its first `since` bytes."""
        with self.layout.access_log_path.open() as log:
            log.seek(since)
            lines = [json.loads(line) for line in log.read().split("\n")[:-1]]
        return Counter(line["action"] for line in lines if f"assumed-role/{role}/" in line["principal"])

    def log_position(self) -> int:
        """Return the current size of the access log in bytes."""
        return self.layout.access_log_path.stat().st_size


def _is_newer(path: Path, than: int) -> bool:
    return path.stat().st_mtime_ns > than


def _target(target: Target) -> dict[str, str]:
    return {"account": target.account, "region": target.region}


def events(device: dict[str, Any]) -> list[str]:
    """Return the events in the device's history, oldest first."""
    return [entry["event"] for entry in device["history"]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
