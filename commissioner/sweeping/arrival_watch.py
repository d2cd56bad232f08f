"""The sweeper's work for devices that have not arrived: it sends a late device its route again, and has its thing
marked as awaited again, because the mark that makes its target's rule report it may have been dropped
(`late_arrivals`).

The sweeper names devices that have become late. Those of the later ages are searched once an hour, each age from its
own position, so that a run that was missed or interrupted leaves out no device. The row is read again before each
request. The marker writes the mark on its own conditions, so a request that is outdated on arrival changes nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.sweeping.run_parts import DEVICES_PER_RUN, Note
from lobby.arrival_marks import request_mark
from lobby.aws.region_clients import ONE_REGION, RegionClients
from lobby.contracts.targets import ArrivalMark
from lobby.domain.connections.late_arrivals import MARKED_AT, is_check_due, is_marked_again
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.errors import InvalidInput, NotFound
from lobby.ledger.clock import timestamp
from lobby.ledger.lists.overdue import entered
from lobby.ledger.standby.standby_routes import current_route
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_iot_data import IoTDataPlaneClient

_CHECKED, _POSITIONS = "arrivals_checked", "arrivals_positions"
logger = Logger(service="sweeper")


class ArrivalWatch:
    """`iot_data` is the client of this Region, and `regions` has those of the lobby's other Regions. `mark` sends a
    request to the marker."""

    def __init__(
        self,
        ledger: Ledger,
        iot_data: "IoTDataPlaneClient",
        mark: Callable[[ArrivalMark], object],
        targets: RecentTargets,
        clock: Callable[[], datetime],
        regions: RegionClients = ONE_REGION,
    ) -> None:
        self._ledger, self._iot_data, self._mark = ledger, iot_data, mark
        self._targets, self._clock, self._regions = targets, clock, regions

    def remind(self, certid: Fingerprint) -> tuple[bool, bool]:
        """Return whether the route was sent again to a late device, and whether its mark was requested. A call that
        fails is logged, so that it stops neither the other call nor the work for other devices."""
        device = self._read(certid)
        return self._attempt(self._push_route, device), self._attempt(self._mark_again, device)

    @staticmethod
    def _attempt(act: Callable[[Device | None], bool], device: Device | None) -> bool:
        try:
            return act(device)
        except (BotoCoreError, ClientError):
            logger.exception("not sent", extra={"certid": device.certid if device else None})
            return False

    def _push_route(self, device: Device | None) -> bool:
        """Send the route again to a device that may have missed it and no longer sends hellos."""
        route = current_route(device, self._targets) if device and device.devstate is State.COMMISSIONED else None
        if device is None or route is None or device.devicename is None:
            return False
        self._regions.send(device, route, self._iot_data)
        return True

    def _read(self, certid: Fingerprint) -> Device | None:
        """Return the device. A row that cannot be read is logged, so that it does not stop the search."""
        try:
            return self._ledger.get(certid)
        except (InvalidInput, ValueError, TypeError):
            logger.exception("not read", extra={"certid": certid})
            return None

    def _mark_again(self, device: Device | None) -> bool:
        if device is None or device.target is None or device.devicename is None:
            return False
        try:
            registered = self._targets.get(device.target)
        except NotFound:
            return False
        if not is_marked_again(device, registered):
            return False
        request_mark(self._mark, device, device.target, awaited=True)
        logger.info("marked as awaited again", extra={"certid": device.certid, "since": device.enteredat})
        return True

    def walk(self, note: Note, since: str, time_is_up: Callable[[], bool]) -> int:
        """Mark a page of the devices of each later age that became commissioned at `since` or later, if a search is due
        or not complete. `note` has the positions, and is updated. Return how many marks were requested."""
        at, checked = self._clock(), note.get(_CHECKED)
        if not is_check_due(datetime.fromisoformat(checked) if checked else None, at):
            return 0
        positions, marked, complete = note.setdefault(_POSITIONS, {}), 0, True
        for age in MARKED_AT:
            until, name = timestamp(at - age), f"{age.total_seconds():.0f}"
            if until < since:
                continue
            page = entered(State.COMMISSIONED, since, until, DEVICES_PER_RUN, positions.get(name))
            for row in page.rows:
                if time_is_up():
                    return marked
                marked += self._mark_again(self._read(row.certid))
                positions[name] = row.by_state_key
            complete = complete and page.next_key is None
        if complete:
            note[_CHECKED] = timestamp(at)
        return marked
