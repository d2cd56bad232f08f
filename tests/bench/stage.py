"""The deployment that the bench measures, and what it may ask of it without being counted.

It looks as the root of the lobby's account, which no Lambda is; it claims through GraphQL as an operator, which is
a Lambda's work and counts.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from infra.local.api import Api
from infra.local.bringup import LocalLobby
from infra.local.demo import CLAIM
from infra.local.lobby_file import LobbyFile
from infra.local.manufacturer import new_name
from infra.local.timeline import Timeline
from lobby.domain.identity import fingerprint, load_certificate
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, ThingName
from pki.devices import DevicePaths
from tests.bench.calls import CallLog

PATIENCE: Final = 60
_POLL: Final = 0.02
T = TypeVar("T")
TABLE: Final = LedgerRow.Meta.table_name


@dataclass(frozen=True)
class NewDevice:
    """A device as it leaves the factory."""

    certid: Fingerprint
    name: ThingName
    paths: DevicePaths


class Stage:
    """A running lobby."""

    def __init__(self, local: LocalLobby, file: LobbyFile, api: Api) -> None:
        self.local, self.file, self.api = local, file, api
        self.log = CallLog(local.layout.access_log_path)
        lobby = local.layout.lobby
        self.session = local.emulator.session(lobby.account, lobby.region)
        self.tables: Any = self.session.client("dynamodb")
        self._logs: Any = self.session.client("logs")

    def new_device(self) -> NewDevice:
        name = ThingName(new_name())
        paths = self.local.manufacturer.make_device(name)
        return NewDevice(fingerprint(load_certificate(paths.certificate.read_text())), name, paths)

    def row(self, certid: Fingerprint) -> dict[str, Any]:
        """The device's item; empty while there is none."""
        found = self.tables.get_item(TableName=TABLE, Key={"certid": {"S": certid}}, ConsistentRead=True)
        item: dict[str, Any] = found.get("Item", {})
        return item

    def until_state(self, device: NewDevice, state: str) -> None:
        until(f"{device.name} is {state}", lambda: self.row(device.certid).get("devstate") == {"S": state})

    def claim(self, device: NewDevice) -> None:
        target = self.file.targets[0]
        self.api.ask(CLAIM, id=device.certid, account=target.account, region=target.region)

    def runs(self, function: str) -> int:
        """How often a Lambda has run so far, by its log: a run shows when it has ended."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/device-lobby-{function}"
        )
        return sum(event["message"].startswith("START ") for page in pages for event in page["events"])

    def until_runs(self, function: str, count: int) -> None:
        until(f"{function} has run {count} times", lambda: self.runs(function) >= count)


def until(what: str, look: Callable[[], T]) -> T:
    """What `look` gives once it is true. Raises `TimeoutError`."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE} s: {what}")
        time.sleep(_POLL)
    return found


@contextmanager
def staged(state: Path, timeline: Timeline, gateway_port: int | None, mqtt_port: int | None) -> Iterator[Stage]:
    """A lobby of its own, with an operator signed in. Raises `StepFailed`."""
    local = LocalLobby(state, timeline, gateway_port, mqtt_port)
    try:
        file = local.up()
        api = Api(file, file.operator("operator"))
        try:
            yield Stage(local, file, api)
        finally:
            api.close()
    finally:
        local.down()
