"""Deletes certificates that AWS IoT has issued for the lobby and that no row names, because a renewal or an admission
at the door `token` ended before it recorded them. They are INACTIVE, so no device can connect with them.

A certificate is deleted only if the lobby knows its key: a device has requested a certificate for it
(`requested_keys`), or the device with its CN has a certificate with the same key. It must be INACTIVE, older than a
day, without policy and thing (AWS IoT refuses to delete it otherwise), signed by no registered CA, and not named by a
device, a renewal or an enrolment. Other users' certificates in the account stay.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from cryptography import x509

from lobby.domain.identity import load_certificate, thing_name
from lobby.domain.trust.reading import Unreadable
from lobby.domain.trust.signing_request import public_key_of
from lobby.doors.new_certificates import NewCertificates, Note
from lobby.errors import LobbyError
from lobby.ledger.certificates import is_recorded
from lobby.ledger.clock import now
from lobby.ledger.enrolments.claim_certificates import ClaimCertificates
from lobby.ledger.reader import LedgerReader
from lobby.ledger.renewals.requested_keys import was_requested
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

UNNAMED: Final = timedelta(days=1)
"""The age from which no process records a certificate."""
EVERY: Final = timedelta(days=1)
_INACTIVE: Final = "INACTIVE"
_GONE: Final = ("ResourceNotFoundException", "DeleteConflictException", "CertificateStateException")
"""The certificate was deleted, attached or activated in the meantime, or has a policy or thing."""
logger = Logger(service="registrar")


class OrphanedCertificates:
    """Runs once a day."""

    def __init__(self, iot: "IoTClient", reader: LedgerReader, clock: Callable[[], datetime] = now) -> None:
        self._iot, self._reader, self._clock = iot, reader, clock
        self._new = NewCertificates(iot, "orphans", _INACTIVE, UNNAMED, EVERY)

    def clean(self, note: Note, time_is_up: Callable[[], bool] = lambda: False) -> int:
        """Delete the orphans that were created since the last run and at least a day ago. `note` has the position, and
        is updated. Return how many were deleted."""
        return self._new.walk(note, self._clock(), self._delete, time_is_up)

    def _delete(self, certid: Fingerprint) -> bool:
        if self._is_named(certid):
            return False
        try:
            found = self._iot.describe_certificate(certificateId=certid)["certificateDescription"]
            if found["status"] != _INACTIVE or found.get("caCertificateId") or not self._is_ours(found):
                return False
            self._iot.delete_certificate(certificateId=certid)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            return False
        logger.info("orphaned certificate deleted", extra={"certid": certid})
        return True

    def _is_named(self, certid: Fingerprint) -> bool:
        named = self._reader.get(certid) is not None or is_recorded(certid)
        return named or ClaimCertificates.find(certid) is not None

    def _is_ours(self, found: Any) -> bool:
        try:
            certificate = load_certificate(found["certificatePem"])
            key = public_key_of(certificate)
            return was_requested(key) or self._is_key_of_device(certificate, key)
        except (LobbyError, Unreadable):  # not readable, or without a thing name
            return False

    def _is_key_of_device(self, certificate: x509.Certificate, key: bytes) -> bool:
        """Return whether the device with the certificate's CN has another certificate of the same key."""
        holder = self._reader.name_holder(thing_name(certificate))
        device = self._reader.get(holder) if holder else None
        pem = self._reader.certificate(device) if device else None
        return pem is not None and public_key_of(load_certificate(pem)) == key
