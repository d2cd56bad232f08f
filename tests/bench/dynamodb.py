"""DynamoDB's own word on what a call consumed: the ledger's code run here, as it is, with the question added.

The Lambdas do not ask for it, so their work is done once more in this process, as root, against the emulator.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lobby.ledger.connection import connection_of
from lobby.ledger.models import MODELS
from lobby.names import Target
from tests.bench.stage import Stage


@dataclass(frozen=True)
class Consumption:
    """One call: what it read, and what the emulator says it consumed, in units."""

    operation: str
    items: list[dict[str, Any]]
    units: float


@dataclass
class Recorded:
    """The calls so far, oldest first."""

    made: list[Consumption] = field(default_factory=list)

    def last(self) -> Consumption:
        return self.made[-1]

    def take(self) -> list[Consumption]:
        """All since the last take."""
        taken, self.made = self.made, []
        return taken

    def note(self, model: Any, parsed: dict[str, Any], **_: object) -> None:
        items = parsed.get("Items") or ([parsed["Item"]] if "Item" in parsed else [])
        said = parsed.get("ConsumedCapacity", [])
        units = sum(each["CapacityUnits"] for each in (said if isinstance(said, list) else [said]))
        self.made.append(Consumption(model.name, items, units))


@contextmanager
def counted(stage: Stage, where: Target | None = None) -> Iterator[Recorded]:
    """The ledger's code talks to the emulator's tables in `where` (unless said, the lobby's), and is recorded."""
    scope = where or stage.local.layout.lobby
    environment = {
        "AWS_ENDPOINT_URL": stage.file.aws_endpoint_url,
        "AWS_REGION": scope.region,
        "AWS_DEFAULT_REGION": scope.region,
        "AWS_ACCESS_KEY_ID": scope.account,
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    recorded = Recorded()
    try:
        for model in MODELS:
            model._connection = None
            events = connection_of(model).client.meta.events
            events.register("before-parameter-build.dynamodb.*", _ask)
            events.register("after-call.dynamodb.*", recorded.note)
        yield recorded
    finally:
        for model in MODELS:
            model._connection = None
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _ask(params: dict[str, Any], model: Any, **_: object) -> None:
    if model.name not in ("CreateTable", "DescribeTable"):
        params["ReturnConsumedCapacity"] = "INDEXES"
