"""Readmits devices that were refused because of their CA's revocation list, once a newer list is published.

As a part of the sweeper, it walks through the refused devices once for each published list, in parts. It does not
validate the new list, because the bouncer decides when the device connects again. A device is readmitted at most once
for each list. In a lobby with several Regions, a list is published to each. A device was refused because of the list of
its Region, so each Region's lists have their own walk, through the devices that were refused there. Another Region
that becomes home continues all these walks.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.sweeping.run_parts import DEVICES_PER_RUN, Note
from commissioner.target_gateway.error_translation import NOT_FOUND, code_of
from lobby.aws.region_clients import ONE_REGION, RegionClients
from lobby.domain.states import Event, State
from lobby.errors import Conflict, NotFound
from lobby.ledger.clock import timestamp
from lobby.ledger.lists.overdue import OverdueRow, entered
from lobby.ledger.store import Ledger
from lobby.lobby_names import in_region
from lobby.names import Region
from lobby.wire import crl_key

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_s3 import S3Client

ACTOR: Final = "service:sweeper"
CRL_REASONS: Final = frozenset({"CRL_MISSING", "CRL_STALE", "CRL_INVALID", "CRL_PARTIAL", "CRL_SCOPE"})
"""Refusals that a new list can end."""
_SETTLED: Final = timedelta(minutes=1)
"""The age at which indexes are up to date and every bouncer uses the new list."""
_PREFIX, _SUFFIX = crl_key("|").split("|")
_WALK: Final = ("lists", "walk", "walked_for")
"""The keys of a walk. The note itself has those of the home's walk."""
_HOME, _ELSEWHERE = "lists_of", "elsewhere"
"""The keys for the Region of that walk, and for the walks of the other Regions."""
logger = Logger(service="sweeper")


class Readmission:
    """`iot` and `s3` are clients of the lobby account in this Region, `own`, and `regions` those in its other Regions;
    `bucket` holds the revocation lists of this Region."""

    def __init__(
        self,
        ledger: Ledger,
        iot: "IoTClient",
        s3: "S3Client",
        bucket: str,
        own: Region,
        regions: RegionClients = ONE_REGION,
    ) -> None:
        self._ledger, self._iot, self._s3, self._bucket = ledger, iot, s3, bucket
        self._own, self._regions = own, regions

    def walk(self, note: Note, at: datetime, time_is_up: Callable[[], bool]) -> int:
        """Return how many devices were readmitted. `note` records the time of the newest list that a walk has covered,
        and the position of an unfinished walk; `elsewhere` has the same for the other Regions. The note is replicated,
        so it names the home. A Region that does not answer is left to the next run."""
        _take_over(note, self._own)
        readmitted = self._walk(None, note, at, time_is_up)
        for region in self._regions.others:
            theirs: Note = note.setdefault(_ELSEWHERE, {}).setdefault(region, {})
            try:
                readmitted += self._walk(region, theirs, at, time_is_up)
            except (BotoCoreError, ClientError) as error:
                logger.warning("lists not compared", extra={"region": region, "why": str(error)[:200]})
        return readmitted

    def _walk(self, region: Region | None, note: Note, at: datetime, time_is_up: Callable[[], bool]) -> int:
        """Walk through the devices that were refused in another Region, or in this one (None)."""
        published = {ca: time for ca, time in self._published(region).items() if time < at - _SETTLED}
        newest = max(map(timestamp, published.values()), default="")
        if newest <= note.get("lists", ""):
            return 0
        note.setdefault("walked_for", newest)
        until = timestamp(datetime.fromisoformat(note["walked_for"]) + _SETTLED)
        part = entered(State.REFUSED, "", until, DEVICES_PER_RUN, note.get("walk"))
        readmitted = 0
        for refused in part.rows:
            if time_is_up():
                return readmitted
            is_here = self._region_of(refused) == region
            readmitted += is_here and refused.reason in CRL_REASONS and self._readmit(refused, published)
            note["walk"] = refused.by_state_key
        note["walk"] = part.next_key
        if part.next_key is None:
            note["lists"] = note.pop("walked_for")
        return readmitted

    def _region_of(self, refused: OverdueRow) -> Region | None:
        """Return the other Region in which a device was refused; None for this one."""
        return refused.lobbyregion if refused.lobbyregion in self._regions.others else None

    def _published(self, region: Region | None) -> dict[str, datetime]:
        """Return when each CA's list was published in a Region, by the CA's AWS IoT id."""
        bucket = self._bucket if region is None else in_region(self._bucket, region)
        pages = self._regions.s3(region, self._s3).get_paginator("list_objects_v2")
        objects = [each for page in pages.paginate(Bucket=bucket, Prefix=_PREFIX) for each in page.get("Contents", [])]
        return {each["Key"].removeprefix(_PREFIX).removesuffix(_SUFFIX): each["LastModified"] for each in objects}

    def _readmit(self, refused: OverdueRow, published: Mapping[str, datetime]) -> bool:
        """Retry the device if its CA's list is newer than its refusal and no retry has used that list."""
        publication = published.get(self._issuer(refused) or "")
        if publication is None or refused.enteredat >= timestamp(publication + _SETTLED):
            return False
        later = [entry for entry in self._ledger.latest(refused.certid, 9) if entry.at > timestamp(publication)]
        if any(entry.event is Event.RETRY for entry in later):
            return False
        device = self._ledger.get(refused.certid)
        if device is None or device.devstate is not State.REFUSED or device.reason not in CRL_REASONS:
            return False
        try:
            self._ledger.retry(refused.certid, ACTOR, device)
        except (Conflict, NotFound) as conflict:
            logger.info("changed concurrently", extra={"certid": refused.certid, "code": conflict.code})
            return False
        logger.warning("may connect again", extra={"certid": refused.certid, "reason": refused.reason})
        return True

    def _issuer(self, refused: OverdueRow) -> str | None:
        """Return the id of the certificate's CA. None if AWS IoT does not have the certificate; its device can then
        connect again without a retry."""
        iot = self._regions.iot(refused.lobbyregion, self._iot)
        try:
            found = iot.describe_certificate(certificateId=refused.certid)
            return found["certificateDescription"].get("caCertificateId")
        except ClientError as error:
            if code_of(error) == NOT_FOUND:
                return None
            raise


def _take_over(note: Note, own: Region) -> None:
    """Exchange the home's walk in the note if another Region was home, because each Region has its own lists. The note
    of an earlier version does not name its home, and counts as this Region's."""
    last = note.setdefault(_HOME, own)
    if last != own:
        saved: Note = note.setdefault(_ELSEWHERE, {})
        saved[last] = {key: note.pop(key) for key in _WALK if key in note}
        note.update(saved.pop(own, {}))
        note[_HOME] = own
