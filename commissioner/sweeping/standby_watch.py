"""The sweeper's check of standbys: continues an evacuation, return or preparation whose campaign was not created. The
record of a target names its last work. If a caller was killed after that write, or its message was lost, the work
continues here. A target is prepared again once a day if devices are not prepared because they were refused, or are
prepared although the target has no standby any more. It is also prepared again soon after a user's change, because
Lambdas with an older record commission devices without preparing them. An evacuation is continued if its campaign is
done and devices are left.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger

from lobby.contracts.campaign_tokens import token_message
from lobby.domain.standby.standby_rules import parse_work, with_standby
from lobby.domain.targets.target import RegisteredTarget, TargetEvent
from lobby.errors import Conflict
from lobby.ledger.clock import now, timestamp
from lobby.ledger.lists.counts import Tally, read_counts
from lobby.ledger.standby.standbys import Standbys, counts_of
from lobby.ledger.targets.target_registry import CACHE_TIME, Targets
from lobby.ledger.targets.target_rows import write

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

PREPARED_AGAIN: Final = timedelta(days=1)
PREPARED_SOON: Final = CACHE_TIME + timedelta(minutes=1)
"""The time after a user's change in which Lambdas may still work with an older record of the target."""
EVACUATED_AGAIN: Final = timedelta(minutes=10)
"""The time between two campaigns that continue an evacuation, so that devices that cannot be evacuated do not cause a
campaign with each check."""
logger = Logger(service="sweeper")


@dataclass
class StandbyReport:
    """The result of one check. `unprepared` are devices of targets with a standby that are not prepared."""

    started: int = 0
    unprepared: int = 0

    def numbers(self) -> dict[str, int]:
        """Return the counts by metric name."""
        return {"StandbyWorkStarted": self.started, "DevicesUnprepared": self.unprepared}


class StandbyWatch:
    """`queue` is the URL of the campaigns' tokens; `actor` is the sweeper's name in histories of targets."""

    def __init__(
        self,
        targets: Targets,
        standbys: Standbys,
        sqs: "SQSClient",
        queue: str,
        actor: str,
        clock: Callable[[], datetime] = now,
        counts: Callable[[], Iterable[Tally]] = read_counts,
    ) -> None:
        self._targets, self._standbys, self._sqs, self._queue = targets, standbys, sqs, queue
        self._actor, self._clock, self._counts = actor, clock, counts

    def check(self, time_is_up: Callable[[], bool]) -> StandbyReport:
        """Start missing work. A lobby without a standby costs one query."""
        report, concerned = StandbyReport(), [each for each in self._targets.all() if each.last_work]
        tallies = tuple(self._counts()) if concerned else ()
        for registered in concerned:
            if time_is_up():
                break
            counts = counts_of(registered.target, tallies)
            missing = counts.placed - counts.prepared if registered.standby else counts.prepared
            report.unprepared += missing if registered.standby and not registered.evacuated_at else 0
            if self._is_begun(registered):
                report.started += 1
            elif registered.evacuated_at:
                if counts.left and self._is_older(registered, EVACUATED_AGAIN):
                    report.started += self._evacuate_again(registered)
            elif missing and self._is_due(registered):
                report.started += self._prepare_again(registered)
        return report

    def _is_begun(self, registered: RegisteredTarget) -> bool:
        """Create and start the campaign of the last work if it does not exist. Return whether it was created."""
        if self._standbys.is_followed(registered):
            return False
        campaign = self._standbys.follow(registered)
        if campaign is not None:
            self._sqs.send_message(
                QueueUrl=self._queue, **token_message(campaign.name, f"revision {campaign.revision}")
            )
        return True

    def _is_due(self, registered: RegisteredTarget) -> bool:
        """Return whether to prepare a target again: a day after the last work, or soon after that of a user."""
        if parse_work(str(registered.last_work)).actor == self._actor or not self._standbys.is_done(registered):
            return self._is_older(registered, PREPARED_AGAIN)
        return self._is_older(registered, PREPARED_SOON)

    def _is_older(self, registered: RegisteredTarget, age: timedelta) -> bool:
        began = datetime.fromisoformat(parse_work(str(registered.last_work)).at)
        return self._clock() - began > age

    def _prepare_again(self, registered: RegisteredTarget) -> bool:
        at = timestamp(self._clock())
        after = with_standby(registered, registered.standby, registered.standby_mode, self._actor, at)
        entry = self._targets.entry(self._actor, TargetEvent.STANDBY, "prepared again")
        return self._begin(registered, lambda: write(registered, after, entry))

    def _evacuate_again(self, registered: RegisteredTarget) -> bool:
        return self._begin(registered, lambda: self._standbys.continue_evacuation(registered, self._actor))

    def _begin(self, registered: RegisteredTarget, change: Callable[[], RegisteredTarget]) -> bool:
        """Write the record of the work, and create its campaign. Return whether it was created."""
        try:
            changed = change()
        except Conflict as conflict:
            logger.info("changed concurrently", extra={"target": str(registered.target), "code": conflict.code})
            return False
        return self._is_begun(changed)
