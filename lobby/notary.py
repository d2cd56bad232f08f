"""Lambda: the notary, the handler for the history's stream. It anchors the hash of every new entry outside the table.

Its role can only put objects into one bucket: it can add anchors, but not change, delete or read them. An entry is
written once. A record of a changed or removed entry, or of an item that is not an entry, is tampering: it is logged
with its content and counted, and raises an alarm. A repeated record anchors nothing.
"""

import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.metrics import HISTORY_TAMPERED, NAMESPACE
from lobby.errors import InvalidInput
from lobby.ledger.anchors import Anchors
from lobby.names import Fingerprint, parse_fingerprint
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
        with ThreadPoolExecutor(PARALLEL) as pool:
            done = list(pool.map(self._anchor, records))
        counts = {"records": len(records), "failed": done.count(False), "tampered": tampered}
        log = logger.warning if tampered or not all(done) else logger.debug
        log("anchored", extra=counts)
        return {"batchItemFailures": list(_failures(records, done))}

    def _anchor(self, record: Record) -> bool:
        entry = _entry(record)
        if entry is None or record["eventName"] != "INSERT":
            return True
        certid, seq, hash_ = entry
        try:
            self._anchors.put(certid, seq, hash_)
        except Exception:  # the event source mapping retries the record
            logger.exception("not anchored", extra={"certid": certid, "seq": seq})
            return False
        return True


def _failures(records: Iterable[Record], done: Iterable[bool]) -> Iterable[dict[str, str]]:
    for record, is_done in zip(records, done, strict=True):
        if not is_done:
            yield {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}


def _is_tampering(record: Record) -> bool:
    """Return whether a record is not of a new entry. Log its old and new content if so."""
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


def _entry(record: Record) -> tuple[Fingerprint, int, str] | None:
    """Return fingerprint, number and hash of the entry in a record; None if it is not an entry."""
    image = record["dynamodb"].get("NewImage", {})
    certid, seq, hash_ = (str(next(iter(image.get(name, {"": ""}).values()))) for name in _ENTRY)
    try:
        parsed = parse_fingerprint(certid)
    except InvalidInput:
        return None
    return (parsed, int(seq), hash_) if _NUMBER.fullmatch(seq) and _HASH.fullmatch(hash_) and parsed == certid else None


@at_init
def _notary() -> Notary:
    settings = read_settings(NotarySettings, os.environ)
    clients = LobbyClients()
    return Notary(Anchors(lambda: clients.s3, settings.notary_bucket))


def handler(event: Record, _context: object, make: Callable[[], Notary] = _notary) -> dict[str, Any]:
    return make().process(event)
