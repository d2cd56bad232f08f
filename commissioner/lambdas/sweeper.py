"""Lambda, every five minutes: finds what got stuck, and sees to it. Rows that the commissioner has not served, devices
that were told their route and have not arrived, and (`readmission`) those that a newer revocation list may let in.

Everything it changes goes through the ledger, in its own name, and is bounded: a row is woken three times, with growing
waits, then only reported; a route is pushed once. Each run does a part, and the next goes on. It never looks through
the whole ledger, and enters no target.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from commissioner.readmission import Readmission
from commissioner.reporting import report
from lobby.aws.clients import LobbyClients
from lobby.domain.device import Entry
from lobby.domain.states import Event, State
from lobby.errors import Conflict, NotFound
from lobby.ledger.overdue import OverdueRow, entered, unserved
from lobby.ledger.progress import read_progress, save_progress
from lobby.ledger.store import Ledger, now, timestamp
from lobby.names import Fingerprint
from lobby.settings import SweeperSettings, read_settings
from lobby.wire import lobby_topic

if TYPE_CHECKING:
    from types_boto3_iot_data import IoTDataPlaneClient

SERVICE: Final = "sweeper"
ACTOR: Final = f"service:{SERVICE}"
WAITS: Final = (timedelta(minutes=10), timedelta(minutes=20), timedelta(minutes=40))
"""How long a row may wait for the commissioner before it is woken, each time after the last thing that befell it."""
LATE: Final = timedelta(minutes=30)
"""From the route to the arrival."""
AT_ONCE: Final = 200
"""Devices of each kind that one run looks at."""
_SETTLED: Final = timedelta(minutes=1)
"""After that, an index has caught up, and clocks agree."""
_TIME_TO_END: Final = 10.0
"""Seconds that are kept for writing down how far it came."""
logger = Logger(service=SERVICE)
Note = dict[str, Any]


@dataclass
class SweepResult:
    """What one run found and did."""

    woken: int = 0
    stuck: int = 0
    """Woken in vain; a person is needed."""
    late: int = 0
    """Commissioned for `LATE` and not arrived, since the last run."""
    pushed: int = 0
    failed: int = 0
    """Became so since the last run."""
    refused: int = 0
    """Likewise."""
    readmitted: int = 0
    """May knock again."""

    def numbers(self) -> dict[str, int]:
        """By the names of their metrics: `DevicesWoken` and so on."""
        return {f"Devices{each.name.capitalize()}": getattr(self, each.name) for each in fields(self)}


class Sweeper:
    """`time_is_up` ends a run early."""

    def __init__(
        self,
        ledger: Ledger,
        iot_data: "IoTDataPlaneClient",
        readmission: Readmission,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._ledger, self._iot_data, self._readmission, self._clock = ledger, iot_data, readmission, clock

    def sweep(self, note: Note, time_is_up: Callable[[], bool] = lambda: False) -> SweepResult:
        """One run. `note` is what the last one left, and is brought up to date."""
        swept = SweepResult()
        note.setdefault("since", timestamp(self._clock() - LATE))
        self._see_to_unserved(note, swept, time_is_up)
        for state, age in ((State.COMMISSIONED, LATE), (State.FAILED, _SETTLED), (State.REFUSED, _SETTLED)):
            for found in self._newcomers(state, age, note):
                self._tell(found, swept)
        swept.readmitted = self._readmission.walk(note, self._clock(), time_is_up)
        return swept

    def _see_to_unserved(self, note: Note, swept: SweepResult, time_is_up: Callable[[], bool]) -> None:
        part = unserved(timestamp(self._clock() - WAITS[0]), AT_ONCE, note.get("unserved"))
        for found in part.rows:
            if time_is_up():
                return
            due = when_due(self._ledger.latest(found.certid, len(WAITS) + 1), self._clock())
            swept.woken += due == "due" and self._wake(found)
            if due == "stuck":
                swept.stuck += 1
                logger.error("stuck", extra=_told(found))
            note["unserved"] = found.by_turn_key
        note["unserved"] = part.next_key

    def _wake(self, found: OverdueRow) -> bool:
        try:
            self._ledger.wake(found.certid, ACTOR)
        except (Conflict, NotFound) as served:
            logger.info("served meanwhile", extra={"certid": found.certid, "code": served.code})
            return False
        logger.warning("woken", extra=_told(found))
        return True

    def _newcomers(self, state: State, age: timedelta, note: Note) -> Sequence[OverdueRow]:
        """Who has been in `state` for `age` now, and had not at the last run."""
        part = entered(state, note["since"], timestamp(self._clock() - age), AT_ONCE, note.get(state.value))
        if part.rows:
            note[state.value] = part.rows[-1].by_state_key
        return part.rows

    def _tell(self, found: OverdueRow, swept: SweepResult) -> None:
        logger.warning("late" if found.devstate is State.COMMISSIONED else found.devstate.value, extra=_told(found))
        swept.failed += found.devstate is State.FAILED
        swept.refused += found.devstate is State.REFUSED
        if found.devstate is State.COMMISSIONED:
            swept.late += 1
            swept.pushed += self._push(found.certid)

    def _push(self, certid: Fingerprint) -> bool:
        """The route once more, to a device that may have missed it and says hello no more."""
        device = self._ledger.get(certid)
        route = device.route() if device and device.devstate is State.COMMISSIONED else None
        if device is None or route is None or device.devicename is None:
            return False
        self._iot_data.publish(topic=lobby_topic(device.devicename), qos=1, payload=route.encode())
        return True


def when_due(entries: Sequence[Entry], at: datetime) -> str:
    """Of a row that waits for the commissioner, with its last entries, newest first: `due` to be woken, `not yet`, or
    `stuck`, as it was woken often enough."""
    woken = sum(1 for _ in takewhile(lambda entry: (entry.event, entry.actor) == (Event.WAKE, ACTOR), entries))
    waited = at - datetime.fromisoformat(entries[0].at) if entries else timedelta.max
    if waited < WAITS[min(woken, len(WAITS) - 1)]:
        return "not yet"
    return "due" if woken < len(WAITS) else "stuck"


def _told(found: OverdueRow) -> dict[str, str | None]:
    return {"certid": found.certid, "devstate": found.devstate.value, "since": found.enteredat, "reason": found.reason}


@cache
def _sweeper() -> Sweeper:
    settings = read_settings(SweeperSettings, os.environ)
    clients, ledger = LobbyClients(), Ledger(settings.region)
    return Sweeper(ledger, clients.iot_data, Readmission(ledger, clients.iot, clients.s3, settings.trust_bucket))


def handler(_event: dict[str, Any], context: Any, sweeper: Sweeper | None = None) -> dict[str, int]:
    """For the timer. How far it came is kept also where it fails half-way."""
    note = read_progress(SERVICE)
    try:
        swept = (sweeper or _sweeper()).sweep(
            note, lambda: context.get_remaining_time_in_millis() < 1000 * _TIME_TO_END
        )
    finally:
        save_progress(SERVICE, note)
    report(SERVICE, swept.numbers())
    return swept.numbers()
