"""The ledger's stream and its event source mapping to the bell: records are delivered in order until done.

There is a record for each change of a row that needs the commissioner (the mapping's filter), even if the writer is
killed right after. If the handler failed, a batch is delivered again in halves (Lambda developer guide, "Process
DynamoDB records with Lambda", BisectBatchOnFunctionError).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from lobby.domain.lanes.lane import UNSORTED
from tests import aws
from tests.aws import Clock
from tests.simulation.faults.lambdas import Crashed, Lambdas

Record = dict[str, Any]
Image = dict[str, Any]
WRITES: Final = tuple(
    f"dynamodb.{operation}" for operation in ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
)
_BATCH: Final = 10
_ATTEMPTS: Final = 12
"""Instead of a hundred: a record that fails so often without a fault always fails."""


class Stream:
    """`wait` is called between a failed delivery and the next one."""

    def __init__(self, lambdas: Lambdas, clock: Clock, wait: Callable[[], None]) -> None:
        self._lambdas, self._clock, self._wait = lambdas, clock, wait
        self._images = images()
        self._waiting: list[Record] = []
        self._number = 0
        self._busy = False
        self.failed_records: list[Record] = []

    def observe(self) -> None:
        """Add records for the rows that the last write has changed."""
        before, self._images = self._images, images()
        for certid, image in self._images.items():
            if image != before.get(certid) and needs_commissioner(image):
                self._waiting.append(self._record(certid, image))

    def deliver(self) -> bool:
        """Deliver all records; return whether there were any. Records that appear during a delivery wait."""
        if self._busy or not self._waiting:
            return False
        self._busy = True
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                self._deliver(batch)
        finally:
            self._busy = False
        return True

    def _deliver(self, batch: list[Record]) -> None:
        for _ in range(_ATTEMPTS):
            try:
                answer = self._lambdas.invoke("bell", {"Records": batch})
            except Crashed:
                self._wait()
                if len(batch) > 1:
                    self._deliver(batch[: len(batch) // 2])
                    return self._deliver(batch[len(batch) // 2 :])
                continue
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            if not failed:
                return None
            batch = batch[next(index for index, record in enumerate(batch) if _number(record) in failed) :]
            self._wait()
        self.failed_records += batch
        return None

    def _record(self, certid: str, image: Image) -> Record:
        self._number += 1
        return record_of(self._number, certid, image, self._clock())


def needs_commissioner(image: Image) -> bool:
    """Return whether the mapping's filter selects this row."""
    return str(image.get("turn", {}).get("S", "")).startswith(UNSORTED)


def record_of(number: int, certid: str, image: Image, at: datetime) -> Record:
    """Return a record as the mapping delivers it."""
    change = {
        "ApproximateCreationDateTime": float(int(at.timestamp())),
        "Keys": {"certid": {"S": certid}},
        "NewImage": image,
        "SequenceNumber": f"{number:021}",
    }
    return {"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": change}


def _number(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def images() -> dict[str, Image]:
    """Return the rows of the ledger, by fingerprint."""
    return {row["certid"]["S"]: row for row in aws.items("device-lobby-ledger")}
