"""AWS's deliveries to Lambdas in a simulation: a device's records in the stream, and events."""

from dataclasses import dataclass, field
from typing import Any

from lobby.names import Fingerprint
from tests.simulation.faults.stream import Record
from tests.simulation.races.scheduler import Actor


@dataclass
class DeviceRecords:
    """A device's records in the stream. Those before `position` are done. `running` are the bell's runs."""

    records: list[Record] = field(default_factory=list)
    position: int = 0
    running: list[Actor] = field(default_factory=list)

    @property
    def waiting(self) -> list[Record]:
        return self.records[self.position :]


@dataclass(eq=False)
class Invocation:
    """An event for a Lambda behind a rule or the queue."""

    function: str
    event: dict[str, Any]
    certid: Fingerprint


def number_of(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
