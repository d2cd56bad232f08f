"""Lambda: the history's stream → the notary, who anchors the hash of every new entry outside of the table.

Its role may put objects into one bucket and nothing else: it can add, never change or delete, and never read what it
has anchored. An entry is only ever put once; a record that says that one was changed or removed, or that something was
put which is no entry, is tampering: logged with what was there, counted, alarmed on. A record that is delivered again
anchors nothing new.
"""

import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lobby.aws.clients import LobbyClients
from lobby.aws.metrics import HISTORY_TAMPERED, NAMESPACE
from lobby.errors import InvalidInput
from lobby.ledger.anchors import Anchors
from lobby.names import Fingerprint, parse_fingerprint
from lobby.settings import NotarySettings, read_settings

TOGETHER: Final = 8
"""Objects that are put at the same time: as many connections."""
_ENTRY: Final = ("certid", "seq", "hash")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,9}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
logger = Logger(service="notary")
metrics = Metrics(namespace=NAMESPACE, service="notary")
Record = dict[str, Any]


class Notary:
    """Takes the stream's records."""

    def __init__(self, anchors: Anchors) -> None:
        self._anchors = anchors

    def take(self, event: Record) -> dict[str, Any]:
        """Lambda's partial batch response (Lambda developer guide, "Configuring partial batch response")."""
        records = event["Records"]
        tampered = sum(_is_tampering(record) for record in records)
        if tampered:
            metrics.add_metric(name=HISTORY_TAMPERED, unit=MetricUnit.Count, value=tampered)
            metrics.flush_metrics()
        with ThreadPoolExecutor(TOGETHER) as together:
            done = list(together.map(self._done, records))
        logger.info("anchored", extra={"records": len(records), "failed": done.count(False), "tampered": tampered})
        return {"batchItemFailures": list(_failures(records, done))}

    def _done(self, record: Record) -> bool:
        entry = _entry(record)
        if entry is None or record["eventName"] != "INSERT":
            return True
        certid, seq, hash_ = entry
        try:
            self._anchors.put(certid, seq, hash_)
        except Exception:  # whatever it is, the stream shall deliver the record again
            logger.exception("not anchored", extra={"certid": certid, "seq": seq})
            return False
        return True


def _failures(records: Iterable[Record], done: Iterable[bool]) -> Iterable[dict[str, str]]:
    for record, is_done in zip(records, done, strict=True):
        if not is_done:
            yield {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}


def _is_tampering(record: Record) -> bool:
    """Whether a record is none of an entry that was put anew; then it is logged, with what there was and is."""
    if record["eventName"] == "INSERT" and _entry(record) is not None:
        return False
    change = record["dynamodb"]
    logger.error(
        "history tampered with",
        extra={
            "did": record["eventName"],
            "keys": change["Keys"],
            "at": change.get("ApproximateCreationDateTime"),
            "was": change.get("OldImage"),
            "became": change.get("NewImage"),
            "by": record.get("userIdentity"),
        },
    )
    return True


def _entry(record: Record) -> tuple[Fingerprint, int, str] | None:
    """Fingerprint, number and hash of the entry in a record; None for what is none."""
    image = record["dynamodb"].get("NewImage", {})
    certid, seq, hash_ = (str(next(iter(image.get(name, {"": ""}).values()))) for name in _ENTRY)
    try:
        known = parse_fingerprint(certid)
    except InvalidInput:
        return None
    return (known, int(seq), hash_) if _NUMBER.fullmatch(seq) and _HASH.fullmatch(hash_) and known == certid else None


@cache
def _notary() -> Notary:
    settings = read_settings(NotarySettings, os.environ)
    clients = LobbyClients()
    return Notary(Anchors(lambda: clients.s3, settings.notary_bucket))


def handler(event: Record, _context: object, make: Callable[[], Notary] = _notary) -> dict[str, Any]:
    return make().take(event)
