"""Record the capacity that DynamoDB reports for each call of the ledger's code.

The Lambdas do not request `ReturnConsumedCapacity`. Therefore the ledger's code runs once more in this process, as
root, against the emulator, with that parameter added to each request.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lobby.ledger.connection import connection_of
from lobby.ledger.models import MODELS
from lobby.names import Target
from tests.bench.deployment import LobbyUnderTest


@dataclass(frozen=True)
class Consumption:
    """One call: the items it read, and the units that the emulator reports."""

    operation: str
    items: list[dict[str, Any]]
    units: float


@dataclass
class Recording:
    """The calls so far, oldest first."""

    calls: list[Consumption] = field(default_factory=list)

    def last(self) -> Consumption:
        return self.calls[-1]

    def take(self) -> list[Consumption]:
        """Return the calls since the previous `take`."""
        taken, self.calls = self.calls, []
        return taken

    def add(self, model: Any, parsed: dict[str, Any], **_: object) -> None:
        """Record a response. Handler of botocore's `after-call` event."""
        items = parsed.get("Items") or ([parsed["Item"]] if "Item" in parsed else [])
        reported = parsed.get("ConsumedCapacity", [])
        units = sum(each["CapacityUnits"] for each in (reported if isinstance(reported, list) else [reported]))
        self.calls.append(Consumption(model.name, items, units))


@contextmanager
def recorded_consumption(lobby: LobbyUnderTest, where: Target | None = None) -> Iterator[Recording]:
    """Connect the ledger's models to the emulator's tables in `where` (default: the lobby's). Record their calls."""
    scope = where or lobby.local.layout.lobby
    environment = {
        "AWS_ENDPOINT_URL": lobby.file.aws_endpoint_url,
        "AWS_REGION": scope.region,
        "AWS_DEFAULT_REGION": scope.region,
        "AWS_ACCESS_KEY_ID": scope.account,
        "AWS_SECRET_ACCESS_KEY": lobby.file.aws_secret_access_key,
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    recording = Recording()
    try:
        for model in MODELS:
            model._connection = None
            events = connection_of(model).client.meta.events
            events.register("before-parameter-build.dynamodb.*", _request_capacity)
            events.register("after-call.dynamodb.*", recording.add)
        yield recording
    finally:
        for model in MODELS:
            model._connection = None
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _request_capacity(params: dict[str, Any], model: Any, **_: object) -> None:
    if model.name not in ("CreateTable", "DescribeTable"):
        params["ReturnConsumedCapacity"] = "INDEXES"
