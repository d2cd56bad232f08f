"""Lets refused devices knock again that were refused for want of a good revocation list, once a newer one is there.

The sweeper's: one walk through the refused for each time that a list is published, a part at a time. Whether the new
list is good is not judged here: the device knocks, and the bouncer decides. A device knocks once for each list.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from commissioner.errors import code_of
from lobby.domain.states import Event, State
from lobby.errors import Conflict, NotFound
from lobby.ledger.overdue import OverdueRow, entered
from lobby.ledger.store import Ledger, timestamp
from lobby.names import Fingerprint
from lobby.wire import crl_key

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_s3 import S3Client

ACTOR: Final = "service:sweeper"
LAPSING: Final = frozenset({"CRL_MISSING", "CRL_STALE", "CRL_INVALID"})
"""Refusals that a new list may end."""
AT_ONCE: Final = 200
"""Refused devices that one run looks at."""
_SETTLED: Final = timedelta(minutes=1)
"""After that, an index has caught up, and no bouncer decides on the list before any more."""
_HEAD, _TAIL = crl_key("|").split("|")
logger = Logger(service="sweeper")


class Readmission:
    """`iot` and `s3` are the lobby's own; `bucket` holds the lists."""

    def __init__(self, ledger: Ledger, iot: "IoTClient", s3: "S3Client", bucket: str) -> None:
        self._ledger, self._iot, self._s3, self._bucket = ledger, iot, s3, bucket

    def walk(self, note: dict[str, Any], at: datetime, time_is_up: Callable[[], bool]) -> int:
        """How many may knock again. `note` keeps which lists were walked for, and how far."""
        lists = {ca: published for ca, published in self._published().items() if published < at - _SETTLED}
        newest = max(map(timestamp, lists.values()), default="")
        if newest <= note.get("lists", ""):
            return 0
        note.setdefault("walked_for", newest)
        until = timestamp(datetime.fromisoformat(note["walked_for"]) + _SETTLED)
        part = entered(State.REFUSED, "", until, AT_ONCE, note.get("walk"))
        readmitted = 0
        for found in part.rows:
            if time_is_up():
                return readmitted
            readmitted += found.reason in LAPSING and self._may_knock(found, lists)
            note["walk"] = found.by_state_key
        note["walk"] = part.next_key
        if part.next_key is None:
            note["lists"] = note.pop("walked_for")
        return readmitted

    def _published(self) -> dict[str, datetime]:
        """When the list of each CA was put there, by the CA's AWS IoT id."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=_HEAD)
        found = [each for page in pages for each in page.get("Contents", [])]
        return {each["Key"].removeprefix(_HEAD).removesuffix(_TAIL): each["LastModified"] for each in found}

    def _may_knock(self, found: OverdueRow, lists: Mapping[str, datetime]) -> bool:
        published = lists.get(self._issuer(found.certid) or "")
        if published is None or found.enteredat >= timestamp(published + _SETTLED):
            return False
        since = [entry for entry in self._ledger.latest(found.certid, 9) if entry.at > timestamp(published)]
        if any(entry.event is Event.RETRY for entry in since):
            return False
        device = self._ledger.get(found.certid)
        if device is None or device.devstate is not State.REFUSED or device.reason not in LAPSING:
            return False
        try:
            self._ledger.retry(found.certid, ACTOR, device)
        except (Conflict, NotFound) as changed:
            logger.info("changed meanwhile", extra={"certid": found.certid, "code": changed.code})
            return False
        logger.warning("may knock again", extra={"certid": found.certid, "reason": found.reason})
        return True

    def _issuer(self, certid: Fingerprint) -> str | None:
        """Of a certificate that AWS IoT still has; one that it has forgotten may knock anyway."""
        try:
            return self._iot.describe_certificate(certificateId=certid)["certificateDescription"].get("caCertificateId")
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
