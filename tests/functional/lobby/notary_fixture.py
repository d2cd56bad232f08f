"""The notary on moto: its bucket as in the stack, and records of the history's stream."""

from collections.abc import Sequence
from typing import Any

from lobby.deployment import NAMES
from lobby.domain.history.history_audit import Verdict
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.histories.history_verification import Histories
from lobby.ledger.models import HistoryRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_target
from lobby.notary import Notary
from tests import aws
from tests.aws import LOBBY, REGION, Clock

NOTARY_BUCKET = NAMES.notary_bucket(LOBBY, REGION)
TABLE = str(HistoryRow.Meta.table_name)
TARGET = parse_target("111111111111", "eu-west-1")
ONE, OTHER = Fingerprint("ab" * 32), Fingerprint("cd" * 32)
Item = dict[str, Any]


class NotaryFixture:
    """The notary, its anchors, and the histories that they verify."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.s3 = aws.client("s3")
        self.s3.create_bucket(
            Bucket=NOTARY_BUCKET,
            ObjectLockEnabledForBucket=True,
            CreateBucketConfiguration={"LocationConstraint": REGION},
        )
        self.anchors = Anchors(lambda: self.s3, NOTARY_BUCKET)
        self.notary = Notary(self.anchors)
        self.histories = Histories(ledger, self.anchors, clock)

    def process(self, *records: dict[str, Any]) -> list[str]:
        """Process records; return the sequence numbers of those to retry."""
        failed = self.notary.process({"Records": list(records)})["batchItemFailures"]
        return [each["itemIdentifier"] for each in failed]

    def verdict(self, certid: Fingerprint = ONE) -> Verdict:
        verdict = self.histories.verify(certid)
        assert verdict
        return verdict

    def versions(self) -> list[str]:
        """Return the keys of all object versions."""
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=NOTARY_BUCKET)
        return [version["Key"] for page in pages for version in page.get("Versions", ())]


def items(certid: Fingerprint | None = None) -> list[Item]:
    """Return the items of the history, of one device or of all, in order."""
    found = [item for item in aws.tables()[TABLE] if certid is None or item["certid"] == {"S": certid}]
    return sorted(found, key=lambda item: (item["certid"]["S"], int(item["seq"]["N"])))


def record(new: Item | None, old: Item | None = None, number: int = 1) -> dict[str, Any]:
    """Return a stream record (DynamoDB API reference, "Record") of an item that changed from `old` to `new`."""
    item = new or old or {}
    images = {"NewImage": new, "OldImage": old}
    return {
        "eventName": "REMOVE" if new is None else "MODIFY" if old else "INSERT",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_790_000_000.0,
            "Keys": {key: item[key] for key in ("certid", "seq")},
            "SequenceNumber": str(number),
            **{name: image for name, image in images.items() if image},
        },
    }


def inserted(found: Sequence[Item]) -> list[dict[str, Any]]:
    return [record(item, number=number) for number, item in enumerate(found, start=1)]


def claim_and_revoke(ledger: Ledger, certid: Fingerprint = ONE) -> list[Item]:
    """Claim and revoke a device that was never seen; return its entries."""
    ledger.claim(certid, ClaimRequest(TARGET), "user:ann")
    ledger.revoke(certid, "lost", "user:ann")
    return items(certid)
