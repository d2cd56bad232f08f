"""The one deployment that the end-to-end tests share, and its doors.

What is tested goes in by the doors that people and devices use: GraphQL, MQTT, the command line. As root of the
emulated accounts the tests only look, and break what an operator then mends.
"""

import json
import os
import signal
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
PATIENCE: Final = 60
"""Seconds after which a condition counts as never met. Only a failing test waits that long."""
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


def until(look: Callable[[], T | None], seen: Callable[[], object] = str, every: float = _POLL) -> T:
    """What `look` gives once it gives something true. Fails with what `seen` tells."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {PATIENCE} s; last seen: {seen()}"
        time.sleep(every)
    return found


class Deployment:
    """A `LocalLobby`, held as the command line holds it, and everything that tests ask of it."""

    def __init__(self, state: Path, gateway_port: int, mqtt_port: int, console_port: int) -> None:
        self.state = state
        self.layout = choose_layout(state / "cloud", gateway_port, mqtt_port, console_port)
        self._held = ExitStack()
        self._apis: dict[str, Api] = {}

    def up(self) -> None:
        self._held.enter_context(exclusive_use(self.state))
        self.local = LocalLobby(self.state, Timeline())
        self._held.callback(self.local.down)
        self._held.callback(self.sign_out)
        self.file = self.local.up()

    def down(self) -> None:
        """Stopped; the state is kept, and anybody may use it now."""
        self._held.close()

    def kill(self) -> None:
        """A power cut for the cloud: what it had not written down is gone."""
        pid = self.local.emulator.pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        self.local.emulator.wait()
        self.local.emulator.stop()

    def saved(self) -> None:
        """Waits until what is now is on the disk: of two saves after now, the second began after now."""
        path = self.layout.state_dir / "services" / "iot.json"
        for _ in range(2):
            before = path.stat().st_mtime_ns
            self.client(self.lobby, "sts").get_caller_identity()  # whatever was called is saved after it
            until(partial(_is_newer, path, before))

    def known_targets(self) -> list[str]:
        """The accounts that devices may be sent to, as the API tells."""
        return [target["account"] for target in self.api().ask("{ targets { account } }")["targets"]]

    def adopt(self, file: LobbyFile) -> None:
        """Ask the deployment that another process runs from this state."""
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
        """Somebody of this role, signed in."""
        if role not in self._apis:
            self._apis[role] = Api(self.file, self.file.operator(role))
        return self._apis[role]

    def sign_out(self) -> None:
        while self._apis:
            self._apis.popitem()[1].close()

    def client(self, scope: Target, service: str) -> Any:
        """A boto3 client as the root of an emulated account."""
        return self.local.emulator.session(scope.account, scope.region).client(service)

    def status(self, certid: str, scope: Target) -> str | None:
        """The certificate's status in AWS IoT's registry there; None where it is not."""
        try:
            found = self.client(scope, "iot").describe_certificate(certificateId=certid)["certificateDescription"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return None
        return str(found["status"])

    def device(self, certid: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.api().ask(DEVICE, id=certid)["device"]
        return found

    def known(self, certid: str) -> dict[str, Any]:
        found = self.device(certid)
        assert found, f"{certid} is not in the ledger"
        return found

    def wait(self, certid: str, *states: str, **fields: object) -> dict[str, Any]:
        """The device, once it is in one of `states` and has these fields."""
        seen: list[dict[str, Any] | None] = [None]

        def look() -> dict[str, Any] | None:
            seen[0] = found = self.device(certid)
            if found and found["devstate"] in states and all(found[key] == value for key, value in fields.items()):
                return found
            return None

        return until(look, lambda: seen[0])

    def claim(self, certid: str, target: Target | None = None, **more: Any) -> str:
        """The state that the claim led to."""
        asked = _target(target or self.targets[0])
        return str(self.api().ask(CLAIM, id=certid, target=asked, **more)["claimDevice"]["devstate"])

    def move(self, certid: str, target: Target) -> str:
        return str(self.api().ask(MOVE, id=certid, target=_target(target))["moveDevice"]["devstate"])

    def release(self, certid: str) -> bool:
        """Whether the device is forgotten."""
        return bool(self.api().ask(RELEASE, id=certid)["releaseDevice"]["forgotten"])

    def revoke(self, certid: str) -> str:
        return str(self.api().ask(REVOKE, id=certid)["revokeDevice"]["devstate"])

    def retry(self, certid: str) -> str:
        return str(self.api().ask(RETRY, id=certid)["retryDevice"]["devstate"])

    def tell(self, scope: Target, thing: str, message: object) -> None:
        """Publish on a device's lobby topic, as the cloud's owner can."""
        self.client(scope, "iot-data").publish(topic=f"lobby/{thing}", qos=1, payload=json.dumps(message).encode())

    def said_by(self, function: str, words: str) -> list[str]:
        """What a Lambda logged that contains `words`."""
        logs = self.client(self.lobby, "logs")
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/device-lobby-{function}", filterPattern=f'"{words}"'
        )
        return [event["message"] for page in pages for event in page["events"]]

    def calls(self, role: str, since: int = 0) -> Counter[str]:
        """The AWS calls of a Lambda by action, from the access log after its first `since` bytes."""
        with self.layout.access_log_path.open() as log:
            log.seek(since)
            lines = [json.loads(line) for line in log.read().split("\n")[:-1]]
        return Counter(line["action"] for line in lines if f"assumed-role/{role}/" in line["principal"])

    def log_position(self) -> int:
        return self.layout.access_log_path.stat().st_size


def _is_newer(path: Path, than: int) -> bool:
    return path.stat().st_mtime_ns > than


def _target(target: Target) -> dict[str, str]:
    return {"account": target.account, "region": target.region}


def events(device: dict[str, Any]) -> list[str]:
    """What befell the device, as one word each."""
    return [entry["event"] for entry in device["history"]]
