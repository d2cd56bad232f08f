"""Deletes certificates that AWS IoT has issued at the door `claim` and that no device uses.

AWS IoT issues a certificate before the hook has allowed the device. A certificate that is still PENDING_ACTIVATION an
hour later is useless, because its ownership token has expired (AWS IoT developer guide, "Device provisioning MQTT
API"). Certificates of a registered CA are kept: they belong to the door `registration`, whose queue may be long.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from lobby.domain.states import State
from lobby.doors.new_certificates import NewCertificates, Note
from lobby.ledger.clock import now
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

UNUSED: Final = timedelta(hours=1)
EVERY: Final = timedelta(hours=1)
_PENDING: Final = "PENDING_ACTIVATION"


class PendingCertificates:
    """Runs once an hour."""

    def __init__(self, iot: "IoTClient", reader: LedgerReader, clock: Callable[[], datetime] = now) -> None:
        self._iot, self._reader, self._clock = iot, reader, clock
        self._new = NewCertificates(iot, "cleaned", _PENDING, UNUSED, EVERY)

    def clean(self, note: Note, time_is_up: Callable[[], bool] = lambda: False) -> int:
        """Delete the certificates that were created since the last run and at least an hour ago. `note` has the
        position, and is updated. Return how many were deleted."""
        return self._new.walk(note, self._clock(), self._delete, time_is_up)

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
