"""Deletes unused certificates in every Region of the lobby: certificates that no device has activated, and certificates
that no row names.

AWS IoT issues a certificate in the Region to which the device is connected, so each Region has its own
certificates. The home cleans all Regions, because only the home writes the ledger. If a Region does not answer, the
next run tries it again. A note in the ledger has the position in the list of certificates of each Region, so a new home
continues where the previous one stopped.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from lobby.aws.region_clients import ONE_REGION, RegionClients
from lobby.doors.new_certificates import Note
from lobby.doors.orphaned_certificates import OrphanedCertificates
from lobby.doors.pending_certificates import PendingCertificates
from lobby.ledger.clock import now
from lobby.ledger.reader import LedgerReader
from lobby.names import Region

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient

logger = Logger(service="registrar")


class UnusedCertificates:
    """`region` is this Region and `iot` its client; `regions` are the others."""

    def __init__(
        self,
        region: Region,
        iot: "IoTClient",
        reader: LedgerReader,
        clock: Callable[[], datetime] = now,
        regions: RegionClients = ONE_REGION,
    ) -> None:
        self._region, self._iot, self._reader, self._clock, self._regions = region, iot, reader, clock, regions

    def clean(self, notes: dict[str, Any], time_is_up: Callable[[], bool] = lambda: False) -> int:
        """Delete the unused certificates that are new since the last run. `notes` has a note for each Region, and is
        updated. Return how many were deleted."""
        deleted = self._clean(self._iot, notes.setdefault(self._region, {}), time_is_up)
        for region in self._regions.others:
            try:
                iot = self._regions.iot(region, self._iot)
                deleted += self._clean(iot, notes.setdefault(region, {}), time_is_up)
            except (BotoCoreError, ClientError) as error:
                why = f"{type(error).__name__}: {error}"[:200]
                logger.warning("unused certificates not deleted", extra={"region": region, "why": why})
        return deleted

    def _clean(self, iot: "IoTClient", note: Note, time_is_up: Callable[[], bool]) -> int:
        pending = PendingCertificates(iot, self._reader, self._clock).clean(note, time_is_up)
        return pending + OrphanedCertificates(iot, self._reader, self._clock).clean(note, time_is_up)
