"""Lambda: the notary, the handler for the history's stream. It anchors the hash of every new entry outside the table.

Its role can only put objects into one bucket: it can add anchors, but not change, delete or read them. Consecutive
entries of a device in one batch are anchored together. An entry never changes, so a record of a changed or removed
entry, or of an item that is not an entry, means tampering: it is logged with its content, counted, and raises an alarm.
A repeated batch anchors nothing new.
"""

import os
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.metrics import HISTORY_TAMPERED, NAMESPACE
from lobby.errors import InvalidInput
from lobby.ledger.histories.anchor_runs import AnchoredEntry, Run, runs_of
from lobby.ledger.histories.anchors import Anchors
from lobby.names import parse_fingerprint
from lobby.settings import NotarySettings, read_settings

PARALLEL: Final = 8
"""Objects that are written at the same time, each over a connection of its own."""
_ENTRY: Final = ("certid", "seq", "hash")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
logger = Logger(service="notary")
metrics = Metrics(namespace=NAMESPACE, service="notary")
Record = dict[str, Any]


class Notary:
    """Anchors the entries in the stream's records."""

    def __init__(self, anchors: Anchors) -> None:
        self._anchors = anchors

    def process(self, event: Record) -> dict[str, Any]:
        """Anchor the entries. Return Lambda's partial batch response (Lambda developer guide, "Configuring
        partial batch response")."""
        records = event["Records"]
        tampered = sum(_is_tampering(record) for record in records)
        if tampered:
            metrics.add_metric(name=HISTORY_TAMPERED, unit=MetricUnit.Count, value=tampered)
            metrics.flush_metrics()
        new = [(record, entry) for record in records if (entry := _entry(record)) and record["eventName"] == "INSERT"]
        with ThreadPoolExecutor(PARALLEL) as pool:
            failed = {
                entry for entries in pool.map(self._anchor, runs_of(entry for _, entry in new)) for entry in entries
            }
        failures = [
            {"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record, entry in new if entry in failed
        ]
        counts = {"records": len(records), "failed": len(failures), "tampered": tampered}
        log = logger.warning if tampered or failures else logger.debug
        log("anchored", extra=counts)
        return {"batchItemFailures": failures}

    def _anchor(self, run: Run) -> list[AnchoredEntry]:
        """Anchor a run and return the entries that are not anchored."""
        try:
            self._anchors.put(run)
        except Exception:  # the event source mapping retries the records
            extra = {"certid": run.certid, "seq": run.first, "entries": len(run.hashes)}
            logger.exception("not anchored", extra=extra)
            return run.entries()
        return []


def _is_tampering(record: Record) -> bool:
    """Return whether a record describes anything but a new entry. If so, log its old and new content."""
    if record["eventName"] == "INSERT" and _entry(record) is not None:
        return False
    change = record["dynamodb"]
    logger.error(
        "history tampered with",
        extra={
            "event": record["eventName"],
            "keys": change["Keys"],
            "at": change.get("ApproximateCreationDateTime"),
            "old": change.get("OldImage"),
            "new": change.get("NewImage"),
            "by": record.get("userIdentity"),
        },
    )
    return True


def _entry(record: Record) -> AnchoredEntry | None:
    """Return the anchored part of the entry in a record; None if it is not an entry."""
    image = record["dynamodb"].get("NewImage", {})
    certid, seq, hash_ = (str(next(iter(image.get(name, {"": ""}).values()))) for name in _ENTRY)
    try:
        parsed = parse_fingerprint(certid)
    except InvalidInput:
        return None
    is_entry = _NUMBER.fullmatch(seq) and _HASH.fullmatch(hash_) and parsed == certid
    return AnchoredEntry(parsed, int(seq), hash_) if is_entry else None


@at_init
def _notary() -> Notary:
    settings = read_settings(NotarySettings, os.environ)
    clients = LobbyClients()
    return Notary(Anchors(lambda: clients.s3, settings.notary_bucket))


def handler(event: Record, _context: object, make: Callable[[], Notary] = _notary) -> dict[str, Any]:
    return make().process(event)
