"""The local deployment that the benchmarks measure, with queries that the measurement does not count.

Queries run as the root user of the lobby's account, which no Lambda uses. Claims are sent as an operator through
GraphQL. They are work of the admin API, so they count.
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
from infra.local.strictness import RELAXED, Strictness
from infra.local.timeline import Timeline
from lobby.domain.identity import fingerprint, load_certificate
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, ThingName
from pki.devices.credentials import DevicePaths
from tests.bench.calls import CallLog

TIMEOUT: Final = 60
"""Seconds that a condition may take to become true."""
_POLL: Final = 0.02
T = TypeVar("T")
TABLE: Final = LedgerRow.Meta.table_name


@dataclass(frozen=True)
class NewDevice:
    """A device that has never connected."""

    certid: Fingerprint
    name: ThingName
    paths: DevicePaths


class LobbyUnderTest:
    """A running lobby."""

    def __init__(self, local: LocalLobby, file: LobbyFile, api: Api) -> None:
        self.local, self.file, self.api = local, file, api
        self.log = CallLog(local.layout.access_log_path)
        scope = local.layout.lobby
        self.session = local.emulator.session(scope.account, scope.region)
        self.tables: Any = self.session.client("dynamodb")
        self._logs: Any = self.session.client("logs")
        self._sqs: Any = self.session.client("sqs")

    def new_device(self) -> NewDevice:
        name = ThingName(new_name())
        paths = self.local.manufacturer.make_device(name)
        return NewDevice(fingerprint(load_certificate(paths.certificate.read_text())), name, paths)

    def row(self, certid: Fingerprint) -> dict[str, Any]:
        """Return the device's ledger item, or an empty one if it has none."""
        response = self.tables.get_item(TableName=TABLE, Key={"certid": {"S": certid}}, ConsistentRead=True)
        item: dict[str, Any] = response.get("Item", {})
        return item

    def wait_for_state(self, device: NewDevice, state: str) -> None:
        wait_for(f"{device.name} is {state}", lambda: self.row(device.certid).get("devstate") == {"S": state})

    def claim(self, device: NewDevice) -> None:
        target = self.file.targets[0]
        self.api.ask(CLAIM, id=device.certid, account=target.account, region=target.region)

    def runs(self, function: str) -> int:
        """Return the number of completed runs of a Lambda. A run appears in its log when it has ended."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/device-lobby-{function}"
        )
        return sum(event["message"].startswith("START ") for page in pages for event in page["events"])

    def wait_for_empty_queue(self, name: str) -> None:
        wait_for(f"{name} is empty", lambda: not any(self.queue_depths(name)))

    def queue_depths(self, name: str) -> tuple[int, int]:
        """Return how many messages of a queue are visible, and how many are being processed or wait for a retry."""
        url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
        visible, hidden = (int(found[name]) for name in names)
        return visible, hidden

    def wait_for_runs(self, function: str, count: int) -> None:
        wait_for(f"{function} has run {count} times", lambda: self.runs(function) >= count)


def wait_for(what: str, check: Callable[[], T]) -> T:
    """Call `check` until its result is true, and return the result. Raise `TimeoutError` with `what`."""
    deadline = time.monotonic() + TIMEOUT
    while not (result := check()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {TIMEOUT} s: {what}")
        time.sleep(_POLL)
    return result


@contextmanager
def running_lobby(
    state: Path,
    timeline: Timeline,
    gateway_port: int | None,
    mqtt_port: int | None,
    strictness: Strictness = RELAXED,
    *,
    durable: bool = False,
) -> Iterator[LobbyUnderTest]:
    """Start a lobby and sign an operator in. Stop the lobby at the end. Raise `StepFailed`. The limits of `strictness`
    apply from the start; `local.emulator.enforce` changes them, `local.emulator.counters` returns what was counted.
    With `durable`, the lobby can be started again with its state."""
    local = LocalLobby(state, timeline, gateway_port, mqtt_port, strictness=strictness, durable=durable)
    try:
        file = local.up()
        api = Api(file, file.operator("operator"))
        try:
            yield LobbyUnderTest(local, file, api)
        finally:
            api.close()
    finally:
        local.down()
