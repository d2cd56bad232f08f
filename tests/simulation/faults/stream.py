"""The ledger's stream and its mapping to the commissioner: what is written comes out, in order, until it is done.

A record for each change of a row whose turn it is (the mapping's filter), from whoever's hand, also of one that died
on the next line. A batch is delivered again from the first record that the handler gave back; where the handler said
nothing, in halves (Lambda developer guide, "Configuring partial batch response", BisectBatchOnFunctionError).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest

from lobby.ledger.models import COMMISSIONER
from tests import aws
from tests.aws import Clock
from tests.simulation.faults.lambdas import Crashed, Lambdas

Record = dict[str, Any]
Image = dict[str, Any]
WRITES: Final = tuple(
    f"dynamodb.{operation}" for operation in ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
)
_BATCH: Final = 10
_TRIES: Final = 12
"""Of a hundred: what fails so often without a fault fails for ever."""


class Stream:
    """`again` is called between a delivery that failed and the next one."""

    def __init__(self, lambdas: Lambdas, clock: Clock, again: Callable[[], None]) -> None:
        self._lambdas, self._clock, self._again = lambdas, clock, again
        self._seen = images()
        self._waiting: list[Record] = []
        self._number = 0
        self._busy = False
        self.given_up: list[Record] = []

    def look(self, _request: AWSPreparedRequest | None = None) -> None:
        """Something was written: what, if anything, has changed in the ledger?"""
        before, self._seen = self._seen, images()
        for certid, image in self._seen.items():
            if image != before.get(certid) and image.get("turn") == {"S": COMMISSIONER}:
                self._waiting.append(self._record(certid, image))

    def deliver(self) -> bool:
        """Whether there was anything. While a batch is under way, what comes after it waits."""
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
        for _ in range(_TRIES):
            try:
                answer = self._lambdas.invoke("commissioner", {"Records": batch})
            except Crashed:
                self._again()
                if len(batch) > 1:
                    self._deliver(batch[: len(batch) // 2])
                    return self._deliver(batch[len(batch) // 2 :])
                continue
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            if not failed:
                return None
            batch = batch[next(place for place, record in enumerate(batch) if _number(record) in failed) :]
            self._again()
        self.given_up += batch
        return None

    def _record(self, certid: str, image: Image) -> Record:
        self._number += 1
        return record_of(self._number, certid, image, self._clock())


def record_of(number: int, certid: str, image: Image, at: datetime) -> Record:
    """As the mapping hands it over."""
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
    """The rows of the ledger, by device."""
    return {row["certid"]["S"]: row for row in aws.items("device-lobby-ledger")}
