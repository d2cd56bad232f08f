"""Deletes certificates that AWS IoT has issued at the door `claim` and that no device uses.

A certificate exists before the hook has allowed the device. One that is still PENDING_ACTIVATION an hour later is
useless, because its ownership token has expired (AWS IoT developer guide, "Device provisioning MQTT API"). Those that a
registered CA has signed belong to the door `registration`, whose queue may be long, and stay.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lobby.domain.states import State
from lobby.ledger.clock import now, timestamp
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

UNUSED: Final = timedelta(hours=1)
EVERY: Final = timedelta(hours=1)
_PAGE: Final = 250
_PENDING: Final = "PENDING_ACTIVATION"
Note = dict[str, Any]


class PendingCertificates:
    """Makes one run at a time. The list of certificates begins with the newest, so a run reads those since the last one
    only."""

    def __init__(self, iot: "IoTClient", reader: LedgerReader, clock: Callable[[], datetime] = now) -> None:
        self._iot, self._reader, self._clock = iot, reader, clock

    def clean(self, note: Note, time_is_up: Callable[[], bool] = lambda: False) -> int:
        """Delete the certificates that were created since the last run and at least an hour ago, once an hour. `note`
        has the last run's position, and is updated when the run is complete. Return how many were deleted."""
        until = self._clock() - UNUSED
        since = datetime.fromisoformat(note["cleaned"]) if "cleaned" in note else datetime.min.replace(tzinfo=UTC)
        if until - since < EVERY:
            return 0
        deleted = 0
        for certid in self._pending(since, until):
            if time_is_up():
                return deleted
            deleted += self._delete(certid)
        note["cleaned"] = timestamp(until)
        return deleted

    def _pending(self, since: datetime, until: datetime) -> Iterator[Fingerprint]:
        marker: dict[str, str] = {}
        while True:
            page = self._iot.list_certificates(pageSize=_PAGE, ascendingOrder=False, **marker)
            for each in page["certificates"]:
                if each["creationDate"] < since:
                    return
                if each["status"] == _PENDING and each["creationDate"] < until:
                    yield Fingerprint(each["certificateId"])
            if not page.get("nextMarker"):
                return
            marker = {"marker": page["nextMarker"]}

    def _delete(self, certid: Fingerprint) -> bool:
        """Delete the certificate unless a device of the ledger can still use it. Return whether it was deleted."""
        try:
            found = self._iot.describe_certificate(certificateId=certid)["certificateDescription"]
            if found["status"] != _PENDING or found.get("caCertificateId"):
                return False
            row = self._reader.get(certid)
            if row is not None and row.devstate not in (State.REFUSED, State.REVOKED):
                return False
            self._iot.delete_certificate(certificateId=certid)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return False
        return True
