"""The home of a lobby with several Regions: the only Region that may write the ledger, while its lease lasts.

Each Region stores one vote in its own replica. No two Regions write the same item, because replication would keep only
the later of two writes. The home extends its lease only if a majority of the Regions votes for it. Another Region
becomes home only after the old votes of its voters have ended, plus a margin for writes in progress. So an old home
that is cut off, or that returns, cannot write (decision 63).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from lobby.names import Region

LEASE_MS: Final = 300_000
"""How long a vote is valid, in ms. The lease renewal extends it every minute."""
MARGIN_MS: Final = 60_000
"""How long after the end of a lease another Region waits: longer than one write with its repetitions (35 s), a cached
vote (10 s), and the difference between two clocks."""

POLL_MS: Final = 10_000
"""How long to wait before the next look at what was replicated."""


@dataclass(frozen=True)
class Terms:
    """The times of a lease, in ms. `margin` is a fifth of `lease`, and a vote is read at least six times within the
    margin."""

    lease: int = LEASE_MS

    @property
    def margin(self) -> int:
        return self.lease * MARGIN_MS // LEASE_MS

    @property
    def read_every(self) -> int:
        return self.margin // 6


USUAL: Final = Terms()
FIRST: Final = 1
"""The epoch of a lobby's first home."""
STREAM_MS: Final = 86_400_000
"""How long a stream of DynamoDB keeps a record, in ms."""


@dataclass(frozen=True)
class Vote:
    """The vote of a Region: `home` may write until `until`, in ms since 1970. `epoch` increases with each new home.
    `successor` is the Region that is to become home next; with a successor, the lease is not extended. `without` are
    the Regions whose votes the home does not need, because the operator has excluded them. `since` is when the epoch
    began, and `at` when the vote was written, in ms. `revision` counts the versions of the vote."""

    home: Region
    epoch: int
    until: int
    since: int
    at: int
    successor: Region | None = None
    without: frozenset[Region] = frozenset()
    revision: int = 0

    def is_for(self, home: Region, epoch: int) -> bool:
        return (self.home, self.epoch) == (home, epoch)

    def permits(self, now: int) -> bool:
        """Return whether the home may write now."""
        return now < self.until

    def ended(self, now: int, successor: Region) -> "Vote":
        """Return the vote after a planned end of the lease, in favour of `successor`."""
        return replace(self, until=min(self.until, now), at=now, successor=successor, revision=self.revision + 1)


@dataclass(frozen=True)
class Unreachable:
    """A Region that does not answer, and why."""

    why: str


Answer = Vote | None | Unreachable
"""What is known of a Region's vote: None if it has given none yet."""
NO_REGIONS: Final[frozenset[Region]] = frozenset()


def majority(number: int) -> int:
    return number // 2 + 1


def votes_to_extend(regions: Sequence[Region], without: Collection[Region]) -> int:
    """Return how many votes a home needs to extend its lease, its own included."""
    return majority(len([each for each in regions if each not in without]))


def votes_to_promote(regions: Sequence[Region]) -> int:
    """Return how many votes a Region needs to become home. With two Regions, its own vote is enough: the operator
    decides that the other Region is down, and the other Region's lease also needed this vote."""
    return 1 if len(regions) <= 2 else majority(len(regions))


def next_epoch(answers: Collection[Answer], home: Region, own: Vote | None) -> int:
    """Return the epoch for a promotion of `home`, whose own vote is `own`. If a promotion of `home` was interrupted
    after others had voted, its epoch is used again; otherwise the epoch is new."""
    votes = [each for each in answers if isinstance(each, Vote)]
    highest = max((each.epoch for each in votes), default=0)
    homes = {each.home for each in votes if each.epoch == highest}
    interrupted = homes == {home} and (own is None or own.epoch < highest)
    return highest if interrupted else highest + 1


def free_at(vote: Vote | None, home: Region, epoch: int, terms: Terms = USUAL) -> int | None:
    """Return the time from which a Region can vote for `home` with this epoch, in ms since 1970 (0: now). None: never,
    because the Region has voted for a higher epoch, or for another home of the same epoch."""
    if vote is None or vote.is_for(home, epoch):
        return 0
    return vote.until + terms.margin if vote.epoch < epoch else None


def rival(answers: Collection[Answer], home: Region, epoch: int) -> Vote | None:
    """Return the vote that ends the time of `home`: for a higher epoch, or for another home of the same epoch."""
    votes = [each for each in answers if isinstance(each, Vote) and free_at(each, home, epoch) is None]
    return max(votes, key=lambda each: each.epoch, default=None)


def given(
    vote: Vote | None,
    home: Region,
    epoch: int,
    now: int,
    without: frozenset[Region] = NO_REGIONS,
    terms: Terms = USUAL,
) -> Vote:
    """Return the vote of a Region for `home`, from now on."""
    since = vote.since if vote and vote.is_for(home, epoch) else now
    return Vote(home, epoch, now + terms.lease, since, now, None, without, vote.revision + 1 if vote else 1)


def may_extend(own: Vote | None, region: Region) -> bool:
    """Return whether the renewal in `region` extends the lease."""
    return own is not None and own.home == region and own.successor in (None, region)


def excused(own: Vote | None, now: int, terms: Terms = USUAL) -> frozenset[Region]:
    """Return the Regions without whose votes a home extends its lease. The operator's decision ends with the lease: a
    home that returns after that does not know whether another Region was promoted."""
    return own.without if own is not None and now < own.at + terms.lease else NO_REGIONS


def begins(own: Vote | None, region: Region, regions: Sequence[Region], others: Collection[Answer]) -> bool:
    """Return whether `region` becomes the first home of a new lobby. It must be the first of the Regions, and no Region
    may have voted for another home. A majority must have answered, because a silent Region could have voted. Votes for
    this home are left from an interrupted start."""
    known = [each for each in others if not isinstance(each, Unreachable)]
    if own is not None or region != regions[0] or any(each and not each.is_for(region, FIRST) for each in known):
        return False
    return 1 + len(known) >= majority(len(regions))


class Duty(Enum):
    """What a Region that is not home does with an event that the home also gets."""

    PROCESS = "process"
    """The lease of the home at that time may have ended before it processed the event."""
    KEEP = "keep"
    """Until it is known whether the home has processed it."""
    DROP = "drop"


def duty(vote: Vote, at: int, terms: Terms = USUAL) -> Duty:
    """Return what a Region with this vote does with an event of the time `at`, in ms. A home that has renewed its vote
    at least a margin after the event has processed it. Events of an earlier home count only while a stream can still
    contain them, because a new replica also delivers older ones."""
    if vote.epoch > 1 and vote.since - STREAM_MS <= at < vote.since:
        return Duty.PROCESS
    return Duty.DROP if at + terms.margin <= vote.at else Duty.KEEP


def missing_after_promotion(regions: Sequence[Region], voted: Collection[Region]) -> frozenset[Region]:
    """Return the Regions that a new home does not need to extend its lease: the Regions that are down, if the others
    are not a majority."""
    missing = frozenset(regions) - frozenset(voted)
    return NO_REGIONS if len(voted) >= majority(len(regions)) else missing


def wait_for(answers: Mapping[Region, Answer], home: Region, epoch: int, now: int, terms: Terms = USUAL) -> int:
    """Return how long to wait until all Regions that answer can vote for `home`, in ms."""
    times = [free_at(each, home, epoch, terms) for each in answers.values() if not isinstance(each, Unreachable)]
    return max(0, max((each for each in times if each is not None), default=0) - now)


def wait_for_changes(last: Vote, copy: Answer, now: int, terms: Terms = USUAL) -> int:
    """Return how long to wait for the changes of a home that has stopped for another one, in ms. Its changes come
    before its vote `last`, of which the new home's replica has `copy`. As replication may have stopped, the wait ends
    when it would end for a home that does not answer."""
    if isinstance(copy, Vote) and copy.revision >= last.revision:
        return 0
    return max(0, min(POLL_MS, last.until + terms.lease + terms.margin - now))
