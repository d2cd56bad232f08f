"""The Regions of the lobby, for the API: which one is home, promotions, and the search for writes that were lost.

Every Region answers queries from its replica. A Region that is not home refuses changes before it does anything. In a
lobby with one Region, this module makes no calls.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from lobby.domain.regions.home import Answer, Unreachable, Vote
from lobby.domain.regions.settings_replication import SettingFinding, enrolment_finding, target_finding
from lobby.errors import InvalidInput, NotHome
from lobby.ledger.clock import timestamp
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.home_lease import HomeLease, Promotion
from lobby.ledger.regions.home_votes import Votes
from lobby.ledger.regions.region_audit import AuditPage, RegionAudit
from lobby.ledger.targets import target_rows
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Fingerprint, Region, shown

WITHOUT_HOME: Final = frozenset({"promoteRegion", "continueWithout", "addAlert"})
"""The mutations that every Region accepts, also if it is not home. The subscriptions of alerts belong to one Region,
and must exist before it becomes home."""
QUERIES_AT_HOME: Final = frozenset({"reconcileTarget"})
"""The queries that also record something."""


@dataclass(frozen=True)
class RegionStatus:
    """The status of a Region, as this Region knows it. `replicated_at`: the time at which the newest item that was
    replicated from it was written, in ISO 8601 UTC."""

    name: Region
    is_home: bool
    answers: bool
    why: str | None
    is_needed: bool
    replicated_at: str | None


@dataclass(frozen=True)
class MultiRegionServices:
    """The dependencies of a lobby with several Regions. `anchors` returns the anchors of a Region."""

    regions: Sequence[Region]
    fence: Fence
    lease: HomeLease
    votes: Votes
    audit: RegionAudit
    anchors: Callable[[Region], Anchors]


class LobbyRegions:
    """`own` is the Region of this API; `multi_region` is None for a lobby with one Region."""

    def __init__(self, own: Region, multi_region: MultiRegionServices | None = None) -> None:
        self.own, self._multi_region = own, multi_region

    @property
    def all(self) -> Sequence[Region]:
        """Return the Regions, the original home first. Its Region identifies the lobby for others."""
        return self._multi_region.regions if self._multi_region else (self.own,)

    def require_home(self, operation: str, *, is_mutation: bool) -> None:
        """Raise `NotHome` if an operation would change something that this Region may not change now."""
        if self._multi_region is None or operation in WITHOUT_HOME:
            return
        if is_mutation or operation in QUERIES_AT_HOME:
            self._multi_region.fence.require(here=True)

    def vote(self) -> Vote | None:
        """Return the vote of this Region; None in a lobby with one Region. Raise `NotHome` NO_HOME."""
        return self._multi_region.fence.vote() if self._multi_region else None

    def refusal(self) -> NotHome | None:
        """Return why this Region accepts no changes now, or None if it does."""
        try:
            if self._multi_region is not None:
                self._multi_region.fence.require(here=True)
        except NotHome as error:
            return error
        return None

    def statuses(self) -> list[RegionStatus]:
        """Read the vote of every Region, and return the status of each."""
        if self._multi_region is None:
            return [RegionStatus(self.own, is_home=True, answers=True, why=None, is_needed=True, replicated_at=None)]
        answers = self._multi_region.votes.read_all(self._multi_region.regions)
        own = answers[self.own]
        home = own.home if isinstance(own, Vote) else None
        without = own.without if isinstance(own, Vote) else frozenset()
        return [
            RegionStatus(
                name=region,
                is_home=region == home,
                answers=not isinstance(answer, Unreachable),
                why=answer.why if isinstance(answer, Unreachable) else None,
                is_needed=region not in without,
                replicated_at=self._replicated_at(region),
            )
            for region, answer in answers.items()
        ]

    def _replicated_at(self, region: Region) -> str | None:
        if region == self.own or self._multi_region is None:
            return None
        copy: Answer = self._multi_region.votes.read(region, at=self.own)
        return timestamp(datetime.fromtimestamp(copy.at / 1000, UTC)) if isinstance(copy, Vote) else None

    def promote(self, region: Region) -> Promotion:
        """Make this Region home, or take the next step towards it. Raise `InvalidInput` WRONG_REGION, `NotHome` or
        `Conflict`."""
        multi_region = self._require_multi_region()
        if region != self.own:
            message = f"got {shown(region)} at the API of {self.own}; want the API of the Region to be promoted"
            raise InvalidInput("WRONG_REGION", message)
        return multi_region.lease.promote()

    def continue_without(self, region: Region) -> None:
        """Extend the lease without the vote of a Region that is down. Raise `InvalidInput`, `NotHome` or `Conflict`."""
        self._require_multi_region().lease.continue_without(region)

    def check(self, count: int, after: Fingerprint | None, anchors_of: Region | None) -> AuditPage:
        """Return the gaps among the next devices. Raise `InvalidInput` UNKNOWN_REGION, or `NotHome`
        REGION_UNREACHABLE."""
        multi_region = self._require_multi_region()
        if anchors_of is None:
            return multi_region.audit.rows(count, after)
        if anchors_of not in multi_region.regions:
            message = f"got {shown(anchors_of)}, want one of: {', '.join(multi_region.regions)}"
            raise InvalidInput("UNKNOWN_REGION", message)
        try:
            return multi_region.audit.anchored(multi_region.anchors(anchors_of), count, after)
        except (BotoCoreError, ClientError) as error:
            cause = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise NotHome("REGION_UNREACHABLE", f"got no anchors of {anchors_of}: {cause}") from error

    def check_settings(self) -> list[SettingFinding]:
        """Return the targets and enrolments whose row and history differ in this Region. Raise `InvalidInput`
        ONE_REGION."""
        self._require_multi_region()
        targets = ((each, target_rows.entries(each.target)) for each in Targets.read_only().all())
        enrolments = Enrolments()
        found = [
            *(target_finding(row, entries) for row, entries in targets),
            *(enrolment_finding(each, enrolments.history(each.name)) for each in enrolments.all()),
        ]
        return [each for each in found if each is not None]

    def _require_multi_region(self) -> MultiRegionServices:
        if self._multi_region is None:
            raise InvalidInput("ONE_REGION", f"got a lobby in {self.own} only, want one with several Regions")
        return self._multi_region
