"""Compares one target with the ledger in several runs: first by lists, then device by device where a list differs.

It lists the placed devices of the ledger, and the target's active certificates, the holders of the lobby's policies and
the things, 250 at a time. Devices that do not match are examined. A share of the other devices is also examined each
day, because AWS lists neither the things to which certificates are attached nor the groups of things. A target whose
role does not allow lists is compared device by device. Nothing is repaired.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from aws_lambda_powertools import Logger

from commissioner.errors import TargetRefusal
from commissioner.reconciliation.by_device import Reconciliation
from commissioner.reconciliation.comparison import DifferenceCode
from commissioner.reconciliation.examination import Examination, Finding
from commissioner.reconciliation.inspector_client import InspectorClient
from commissioner.reconciliation.records import PARTITIONS, active_record, holder_record, placed_record, thing_record
from commissioner.reconciliation.stored_records import RecordsLost, StoredRecords
from lobby.domain.states import PLACED_STATES
from lobby.domain.targets.comparison_state import Work
from lobby.domain.targets.profile import Profiles
from lobby.errors import InvalidInput
from lobby.ledger.lists.listing import MAX_PAGE, Filter, devices
from lobby.names import Fingerprint, Target, ThingName

EXAMINED_PER_DAY: Final = 100_000
"""How many matching devices are also examined per day, which takes five and a half hours at the inspector's pace."""
MOST_SUSPECTS: Final = 20_000
"""The maximum number of devices of one target that one comparison examines because the lists differ from the ledger.
The next comparison begins with the others."""
_PAGES: Final = 10
_BATCH: Final = 50
_PLACED_AT_ONCE: Final = 2_000
LEDGER, CERTIFICATES, POLICY, THINGS = "ledger", "certificates", "policy:", "things"
COMPARE, BY_DEVICE, COMPLETE = "compare", "devices", "complete"
"""Steps; `POLICY` is followed by the name of a profile."""
logger = Logger(service="reconciler")


@dataclass(frozen=True)
class Advance:
    """Where a run ended. With `refusal` the target could not be read any further."""

    work: Work
    refusal: TargetRefusal | None = None


@dataclass(frozen=True)
class _Tasks:
    """The devices to examine in the partitions at `positions` of the day's order, which have `placed` devices. `absent`
    of these are in none of the target's lists."""

    positions: range
    placed: int
    suspects: Sequence[Fingerprint]
    due: Sequence[Fingerprint]
    unclaimed: Sequence[tuple[Fingerprint, ThingName]]
    absent: int


class _Run:
    """A comparison during one run of the Lambda."""

    def __init__(self, target: Target, work: Work) -> None:
        self.target, self.work = target, work
        self.records = StoredRecords(target, work.flushes)
        self.tasks: _Tasks | None = None

    def change(self, **changes: Any) -> None:
        self.work = replace(self.work, **changes)

    def restart(self) -> None:
        """Begin again, because the work belongs to another version or a removed profile, or has lost its records."""
        self.work = Work(self.work.began, days=self.work.days, runs=self.work.runs, first=self.work.first)
        self.records, self.tasks = StoredRecords(self.target, ()), None

    def leave_out(self, certids: Sequence[Fingerprint]) -> None:
        """Leave devices to the next comparison, which begins with the partition of the first one."""
        left_from = min((_partition_of(each) - self.work.first) % PARTITIONS for each in certids)
        if self.work.left_from is not None:
            left_from = min(left_from, (self.work.left_from - self.work.first) % PARTITIONS)
        count = len(certids)
        self.change(done=self.work.done + count, unexamined=self.work.unexamined + count)
        self.change(left_from=(self.work.first + left_from) % PARTITIONS)

    def report(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            difference = finding.difference
            extra = {"target": str(self.target), "certid": difference.certid, "code": difference.code.value}
            logger.warning("differs", extra=extra)
        self.change(differences=self.work.differences + len(findings))


class TargetComparison:
    """Walks through the steps of comparisons."""

    def __init__(self, inspector: InspectorClient, examination: Examination, profiles: Profiles) -> None:
        self._inspector, self._examination, self._profiles = inspector, examination, profiles
        self._by_device = Reconciliation(inspector, examination)
        policies = [POLICY + name for name in sorted(profiles.by_name)]
        self._lists = [LEDGER, CERTIFICATES, *policies, THINGS]

    def resume(self, target: Target, work: Work, time_is_up: Callable[[], bool]) -> Advance:
        """Continue until the comparison is complete or time is up."""
        run, refusal = _Run(target, work), None
        while run.work.step != COMPLETE and not time_is_up() and refusal is None:
            try:
                self._advance(run)
            except RecordsLost:
                run.restart()
            except TargetRefusal as error:
                if error.code == "TARGET_PERMISSION_MISSING" and run.work.step in self._lists:
                    run.change(step=BY_DEVICE, token=None, by_device=True)
                else:
                    refusal = error
        if run.work.step not in (COMPLETE, BY_DEVICE):
            run.records.flush()
        return Advance(replace(run.work, flushes=run.records.flushes), refusal)

    def _advance(self, run: _Run) -> None:
        step = run.work.step
        if step == LEDGER:
            self._list_ledger(run)
        elif step in self._lists:
            self._list_target(run, step)
        elif step == COMPARE:
            self._compare(run)
        elif step == BY_DEVICE:
            self._compare_devices(run)
        else:
            run.restart()

    def _list_ledger(self, run: _Run) -> None:
        try:
            page = devices(Filter(target=run.target), MAX_PAGE, run.work.token)
        except InvalidInput:
            return run.restart()
        placed = [device for device in page.devices if device.devstate in PLACED_STATES]
        run.records.add(placed_record(device, self._profiles) for device in placed)
        listed = run.work.listed + len(placed)
        run.change(listed=listed, days=max(run.work.days, days_for(listed)))
        return self._go_on(run, page.cursor)

    def _list_target(self, run: _Run, step: str) -> None:
        target, token = run.target, run.work.token
        if step == THINGS:
            things, following = self._inspector.things(target, token, _PAGES)
            records = (thing_record(thing, self._profiles, self._examination.lobby) for thing in things)
            run.records.add(record for record in records if record)
        else:
            profile = None if step == CERTIFICATES else step.removeprefix(POLICY)
            certids, following = self._inspector.certificates(target, profile, token, _PAGES)
            run.records.add(
                active_record(each) if profile is None else holder_record(each, profile) for each in certids
            )
        self._go_on(run, following)

    def _go_on(self, run: _Run, token: str | None) -> None:
        following = [*self._lists, COMPARE][self._lists.index(run.work.step) + 1]
        run.change(step=run.work.step if token else following, token=token)

    def _compare(self, run: _Run) -> None:
        """Examine a batch of some partitions, or continue with the next ones."""
        tasks, done = self._tasks(run), run.work.done
        placed = (*tasks.suspects, *tasks.due)
        if done < len(placed):
            self._examine_placed(run, placed[done : done + _BATCH], len(tasks.suspects) - done)
        elif done < len(placed) + len(tasks.unclaimed):
            begin = done - len(placed)
            self._examine_unclaimed(run, tasks.unclaimed[begin : begin + _BATCH])
        else:
            step = COMPLETE if tasks.positions.stop == PARTITIONS else COMPARE
            run.change(step=step, partition=tasks.positions.stop, done=0)
            run.change(compared=run.work.compared + tasks.placed, missing=run.work.missing + tasks.absent)

    def _tasks(self, run: _Run) -> _Tasks:
        work, begin = run.work, run.work.partition
        positions = range(begin, min(PARTITIONS, begin + _span(work.listed)))
        if run.tasks is None or run.tasks.positions != positions:
            first = work.first
            found = run.records.partitions([(first + each) % PARTITIONS for each in positions])
            suspects = sorted(found.suspects(), key=lambda each: (_partition_of(each) - first) % PARTITIONS)
            suspected = frozenset(suspects)
            due = [certid for certid in found.due(_day(work.began), work.days) if certid not in suspected]
            unclaimed = sorted(found.unclaimed(), key=lambda each: (_partition_of(each[0]) - first) % PARTITIONS)
            run.tasks = _Tasks(positions, len(found.placed), suspects, due, unclaimed, found.absent())
        return run.tasks

    def _examine_placed(self, run: _Run, certids: Sequence[Fingerprint], suspects: int) -> None:
        """Examine the first of `certids`. The first `suspects` of them are suspects; suspects beyond the limit are left
        out."""
        work = run.work
        if suspects > 0:
            certids = certids[:suspects]
            if work.suspects >= MOST_SUSPECTS:
                return run.leave_out(certids)
        rows = self._examination.rows(run.target, certids)
        examined = self._examination.placed(run.target, rows)
        count = len(certids) if examined.count == len(rows) else certids.index(rows[examined.count].certid)
        run.report(examined.findings)
        more = count if suspects > 0 else 0
        return run.change(
            done=work.done + count, examined=work.examined + examined.count, suspects=work.suspects + more
        )

    def _examine_unclaimed(self, run: _Run, named: Sequence[tuple[Fingerprint, ThingName]]) -> None:
        work = run.work
        if work.suspects >= MOST_SUSPECTS:
            return run.leave_out([certid for certid, _ in named])
        strays = self._examination.strays(run.target, named)
        examined = self._examination.unclaimed(run.target, strays)
        count = len(named)
        if examined.count < len(strays):
            following = strays[examined.count]
            count = named.index((following.certid, following.name))
        run.report(examined.findings)
        return run.change(
            done=work.done + count, examined=work.examined + examined.count, suspects=work.suspects + count
        )

    def _compare_devices(self, run: _Run) -> None:
        try:
            page = self._by_device.page(run.target, run.work.token)
        except InvalidInput:
            return run.restart()
        run.report(page.findings)
        missing = sum(each.difference.code is DifferenceCode.CERTIFICATE_MISSING for each in page.findings)
        run.change(step=BY_DEVICE if page.cursor else COMPLETE, token=page.cursor, missing=run.work.missing + missing)
        return run.change(compared=run.work.compared + page.compared, examined=run.work.examined + page.compared)


def days_for(devices: int) -> int:
    """Return the number of days in which each of these devices can be examined once."""
    return max(1, math.ceil(devices / EXAMINED_PER_DAY))


def _span(listed: int) -> int:
    """Return how many partitions to compare together: a small target's devices fit in one batch of calls."""
    return max(1, min(PARTITIONS, PARTITIONS * _PLACED_AT_ONCE // max(listed, 1)))


def _partition_of(certid: Fingerprint) -> int:
    return int(certid[:2], 16)


def _day(began: str) -> int:
    return date.fromisoformat(began[:10]).toordinal()
