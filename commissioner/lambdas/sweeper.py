"""Lambda, every five minutes: finds devices that are stuck, and acts on them.

It starts the workers of lanes in which rows wait and no worker runs (`lane_watch`), the feeders of campaigns, and the
work of standbys (`standby_watch`). It pushes the route again to devices that have not arrived, and has their things
marked as awaited again (`arrival_watch`). It readmits devices that a newer revocation list may accept (`readmission`),
and ends transfers to other lobbies (`transfer_watch`). Every change of the ledger is recorded with the sweeper as
actor, and all work is bounded; for example, a route is pushed only once.
Each run does a part of the work, and the next run continues. The sweeper never scans the whole ledger, and makes no
calls in targets.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.campaigns.watch import CampaignReport, CampaignWatch
from commissioner.sweeping.arrival_watch import ArrivalWatch
from commissioner.sweeping.lane_watch import LaneReport, LaneWatch
from commissioner.sweeping.readmission import Readmission
from commissioner.sweeping.run_parts import DEVICES_PER_RUN, Note
from commissioner.sweeping.standby_watch import StandbyReport, StandbyWatch
from commissioner.sweeping.transfer_watch import TransferWatch
from lobby.arrival_marks import marks_to
from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.metric_report import report
from lobby.aws.region_clients import RegionClients
from lobby.domain.connections.late_arrivals import LATE
from lobby.domain.states import State
from lobby.home_guard import nothing_done, timer_at_home
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.ledger.clock import now, timestamp
from lobby.ledger.connection import connect
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.lists.overdue import OverdueRow, entered
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE
from lobby.ledger.standby.standbys import Standbys
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.settings import SweeperSettings, read_settings

SERVICE: Final = "sweeper"
ACTOR: Final = f"service:{SERVICE}"
_SETTLED: Final = timedelta(minutes=1)
"""The age at which an index certainly shows a change, even if clocks differ."""
_SECONDS_TO_SAVE: Final = 10.0
"""Time reserved for saving the position."""
logger = Logger(service=SERVICE)


@dataclass
class SweepResult:
    """What one run found and did."""

    late: int = 0
    """Commissioned for `LATE` and not arrived, since the last run."""
    pushed: int = 0
    marked: int = 0
    """Things requested to be marked as awaited again."""
    failed: int = 0
    """Became failed since the last run."""
    refused: int = 0
    """Became refused since the last run."""
    readmitted: int = 0
    """May connect again."""

    lanes: LaneReport = field(default_factory=LaneReport)
    campaigns: CampaignReport = field(default_factory=CampaignReport)
    standbys: StandbyReport = field(default_factory=StandbyReport)

    def numbers(self) -> dict[str, int]:
        """Return the counts by metric name: `DevicesLate` and so on."""
        devices = {f"Devices{each.name.capitalize()}": getattr(self, each.name) for each in fields(self)[:-3]}
        return devices | self.lanes.numbers() | self.campaigns.numbers() | self.standbys.numbers()


class Sweeper:
    """Makes one run at a time."""

    def __init__(
        self,
        ledger: Ledger,
        arrivals: ArrivalWatch,
        readmission: Readmission,
        lanes: LaneWatch,
        campaigns: CampaignWatch,
        standbys: StandbyWatch,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._arrivals, self._clock = arrivals, clock
        self._transfers = TransferWatch(ledger, ACTOR, clock)
        self._readmission, self._lanes, self._campaigns, self._standbys = readmission, lanes, campaigns, standbys

    def sweep(self, note: Note, time_is_up: Callable[[], bool] = lambda: False) -> SweepResult:
        """Make one run. `note` is the last run's position, and is updated; `time_is_up` ends the run early."""
        result = SweepResult()
        note.setdefault("since", timestamp(self._clock() - LATE))
        result.lanes = self._lanes.check(time_is_up)
        result.standbys = self._standbys.check(time_is_up)
        result.campaigns = self._campaigns.check(time_is_up)
        for state, age in ((State.COMMISSIONED, LATE), (State.FAILED, _SETTLED), (State.REFUSED, _SETTLED)):
            for device in self._newly_in(state, age, note):
                self._report(device, result)
        result.readmitted = self._readmission.walk(note, self._clock(), time_is_up)
        self._transfers.walk(note, time_is_up)
        result.marked += self._arrivals.walk(note, note["since"], time_is_up)
        return result

    def _newly_in(self, state: State, age: timedelta, note: Note) -> Iterator[OverdueRow]:
        """Yield the devices that have reached `age` in `state` since the last run. The position moves with each of
        them, so a run that fails leaves the devices after it to the next run."""
        part = entered(state, note["since"], timestamp(self._clock() - age), DEVICES_PER_RUN, note.get(state.value))
        for row in part.rows:
            note[state.value] = row.by_state_key
            yield row

    def _report(self, row: OverdueRow, result: SweepResult) -> None:
        logger.warning("late" if row.devstate is State.COMMISSIONED else row.devstate.value, extra=_log_fields(row))
        result.failed += row.devstate is State.FAILED
        result.refused += row.devstate is State.REFUSED
        if row.devstate is State.COMMISSIONED:
            pushed, marked = self._arrivals.remind(row.certid)
            result.late += 1
            result.pushed += pushed
            result.marked += marked


def _log_fields(row: OverdueRow) -> dict[str, str | None]:
    return {"certid": row.certid, "devstate": row.devstate.value, "since": row.enteredat, "reason": row.reason}


@at_init
def _sweeper() -> Sweeper:
    settings = read_settings(SweeperSettings, os.environ)
    connect()
    clients, ledger = LobbyClients(), Ledger(settings.region)
    regions = RegionClients.of(settings.region, os.environ)
    readmission = Readmission(ledger, clients.iot, clients.s3, settings.trust_bucket, settings.region, regions)
    lanes = LaneWatch(ledger, Lanes(), clients.sqs, settings.lanes_queue, ACTOR)
    campaigns = CampaignWatch(Campaigns(), clients.sqs, settings.campaigns_queue)
    targets = Targets.read_only()
    standbys = Standbys(targets, Campaigns(), 0)
    watch = StandbyWatch(targets, standbys, clients.sqs, settings.campaigns_queue, ACTOR)
    recent = RecentTargets(targets, age=EVACUATION_CACHE)
    mark = marks_to(clients.sqs, settings.marks_queue)
    arrivals = ArrivalWatch(ledger, clients.iot_data, mark, recent, now, regions)
    return Sweeper(ledger, arrivals, readmission, lanes, campaigns, watch)


@timer_at_home(nothing_done)
def handler(_event: dict[str, Any], context: Any, sweeper: Sweeper | None = None) -> dict[str, int]:
    """Handle the timer's event. The position is saved even if the run fails."""
    note = read_progress(SERVICE)
    try:
        result = (sweeper or _sweeper()).sweep(
            note, lambda: context.get_remaining_time_in_millis() < 1000 * _SECONDS_TO_SAVE
        )
    finally:
        save_progress(SERVICE, note)
    report(SERVICE, result.numbers())
    return result.numbers()
