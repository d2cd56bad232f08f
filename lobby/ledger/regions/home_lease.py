"""Begins, extends, ends and transfers the lease of the home Region (`lobby.domain.regions.home`).

Every step reads the votes, decides by the rules of the domain, and writes each vote on condition that it is unchanged.
The Region's own vote, which its writers read, is written last, after enough other Regions have voted. A step that was
interrupted is repeated by the next run of the lease renewal, or by the next request for a promotion.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from lobby.domain.regions import home
from lobby.domain.regions.home import USUAL, Answer, Terms, Unreachable, Vote
from lobby.errors import Conflict, InvalidInput, NotHome
from lobby.ledger.regions.home_votes import Votes
from lobby.names import Region, shown

EXTENDED: Final = "extended"
BEGUN: Final = "begun"
DOOR: Final = "door"
"""This Region is not the home."""
LOST: Final = "lost"
"""Another Region is home now; this one has ended its own lease."""
ALONE: Final = "alone"
"""Too few Regions answer, so the lease is not extended."""
ENDED: Final = "ended"
"""The known home no longer extends its lease: it is lost, or a promotion was started and not completed."""
ENDING: Final = "ending"
"""The lease is not extended, because another Region is about to become home."""


def now_ms() -> int:
    return int(time.time() * 1000)


@dataclass(frozen=True)
class Promotion:
    """The state of a promotion: done, or how long to wait before it is requested again."""

    done: bool
    wait_ms: int
    epoch: int


class HomeLease:
    """The lease as the Region `own` sees it. `regions` are all Regions of the lobby, the first home first; `terms` are
    the times of the lease."""

    def __init__(
        self,
        own: Region,
        regions: Sequence[Region],
        votes: Votes,
        clock: Callable[[], int] = now_ms,
        terms: Terms = USUAL,
    ) -> None:
        self._terms = terms
        self._own, self._regions, self._votes, self._clock = own, tuple(regions), votes, clock
        self._others = tuple(each for each in regions if each != own)

    def keep(self) -> str:
        """Extend the lease if this Region is home; begin it in a new lobby. Return what was done."""
        now, own = self._clock(), self._votes.read(self._own)
        if isinstance(own, Unreachable):
            return ALONE
        if own is None or home.may_extend(own, self._own):
            return self._extend(own, now)
        if own.home == self._own:
            return ENDING
        return DOOR if own.permits(now) else ENDED

    def _extend(self, own: Vote | None, now: int) -> str:
        answers = self._votes.read_all(self._others)
        if own is None and not home.begins(own, self._own, self._regions, answers.values()):
            return DOOR if any(isinstance(each, Vote) for each in answers.values()) else ALONE
        epoch = own.epoch if own else 1
        found = home.rival(answers.values(), self._own, epoch)
        if found is not None:
            return self._yield_to(found, own, now)
        voted = self._collect(answers, epoch, now)
        without = home.excused(own, now, self._terms) - voted
        enough = 1 + len(voted) >= home.votes_to_extend(self._regions, without)
        if not enough or not self._votes.write(self._own, own, self._given(own, epoch, now, without)):
            return ALONE
        return EXTENDED if own else BEGUN

    def _yield_to(self, found: Vote, own: Vote | None, now: int) -> str:
        """Record the vote of another home. Two homes of one epoch both end their leases; the operator decides."""
        if own is not None and found.epoch == own.epoch:
            self._votes.write(self._own, own, own.ended(now, found.home))
        else:
            self._votes.write(self._own, own, replace(found, at=now, revision=own.revision + 1 if own else 1))
        return LOST

    def _collect(self, answers: dict[Region, Answer], epoch: int, now: int) -> frozenset[Region]:
        """Write the votes of the other Regions that can vote for this one now. Return the Regions that have voted."""
        free = [region for region, answer in answers.items() if self._can_vote(answer, epoch, now)]

        def vote(region: Region) -> bool:
            before = answers[region]
            known = None if isinstance(before, Unreachable) else before
            return self._votes.write(region, known, self._given(known, epoch, now))

        with ThreadPoolExecutor(max(1, len(free))) as pool:
            return frozenset(region for region, done in zip(free, pool.map(vote, free), strict=True) if done)

    def _can_vote(self, answer: Answer, epoch: int, now: int) -> bool:
        if isinstance(answer, Unreachable):
            return False
        at = home.free_at(answer, self._own, epoch, self._terms)
        return at is not None and at <= now

    def _given(self, vote: Vote | None, epoch: int, now: int, without: frozenset[Region] = home.NO_REGIONS) -> Vote:
        return home.given(vote, self._own, epoch, now, without, self._terms)

    def promote(self) -> Promotion:
        """Make this Region home, or do the next step to it. Raise `NotHome` NO_MAJORITY, or LEASE_EXPIRED for the home
        of two Regions, which does not know whether the other one was promoted; `Conflict` CHANGED_MEANWHILE."""
        now, own = self._clock(), self._required_own()
        if own is not None and own.home == self._own and own.permits(now):
            return Promotion(done=True, wait_ms=0, epoch=own.epoch)
        answers = self._votes.read_all(self._others)
        self._require_enough(answers, own)
        answers[self._own] = own = self._end_leases(answers, own, now)
        epoch = home.next_epoch(answers.values(), self._own, own)
        wait = home.wait_for(answers, self._own, epoch, now, self._terms) or self._wait_for_changes(answers, now)
        if wait > 0:
            return Promotion(done=False, wait_ms=wait, epoch=epoch)
        others = {region: answer for region, answer in answers.items() if region != self._own}
        voted = self._collect(others, epoch, now) | {self._own}
        if len(voted) < home.votes_to_promote(self._regions):
            raise Conflict("CHANGED_MEANWHILE", f"got {len(voted)} votes of {len(self._regions)}; try again")
        without = home.missing_after_promotion(self._regions, voted)
        if not self._votes.write(self._own, own, self._given(own, epoch, now, without)):
            raise Conflict("CHANGED_MEANWHILE", "got a vote that was changed by someone else just now; try again")
        return Promotion(done=True, wait_ms=0, epoch=epoch)

    def _end_leases(self, answers: dict[Region, Answer], own: Vote | None, now: int) -> Vote | None:
        """Ask the old home, if it answers, to end its lease, so that votes for it need not expire. Update `answers`,
        and return this Region's own vote."""
        votes = [each for each in (*answers.values(), own) if isinstance(each, Vote)]
        last = max(votes, key=lambda each: each.epoch, default=None)
        if last is None or last.home == self._own:
            return own
        theirs = answers.get(last.home)
        if not isinstance(theirs, Vote) or not theirs.is_for(last.home, last.epoch):
            return own
        if theirs.successor != self._own:
            ended = theirs.ended(now, self._own)
            if not self._votes.write(last.home, theirs, ended):
                return own
            answers[last.home] = theirs = ended
        for region in (*self._others, self._own):
            known = own if region == self._own else answers[region]
            if isinstance(known, Vote) and known.is_for(last.home, last.epoch) and known.until > theirs.until:
                cut = replace(known.ended(now, self._own), until=theirs.until)
                if self._votes.write(region, known, cut):
                    answers[region] = cut
                    own = cut if region == self._own else own
        return own

    def _wait_for_changes(self, answers: dict[Region, Answer], now: int) -> int:
        """Return how long to wait until the replica has the changes of a home that has ended its lease for this Region,
        in ms."""
        for region, answer in answers.items():
            if isinstance(answer, Vote) and answer.home == region and answer.successor == self._own:
                return home.wait_for_changes(answer, self._votes.read(region, at=self._own), now, self._terms)
        return 0

    def continue_without(self, region: Region) -> Vote:
        """Extend the lease without the vote of a Region that does not answer. This also withdraws a planned end of the
        lease, because the Region that was to become home may be the one that is down. Raise `InvalidInput`
        UNKNOWN_REGION, `NotHome`, or `Conflict` REGION_ANSWERS or CHANGED_MEANWHILE."""
        if region not in self._others:
            raise InvalidInput("UNKNOWN_REGION", f"got {shown(region)}, want one of: {', '.join(self._others)}")
        own = self._required_own()
        if own is None or own.home != self._own:
            raise NotHome("NOT_HOME", f"got {self._own}, want the home: {own.home if own else 'none yet'}")
        if not isinstance(self._votes.read(region), Unreachable):
            raise Conflict(
                "REGION_ANSWERS", f"got {region}, which answers, so that its vote counts; want one that is down"
            )
        without, revision = own.without | {region}, own.revision + 1
        after = replace(own, successor=None, without=without, at=self._clock(), revision=revision)
        if not self._votes.write(self._own, own, after):
            raise Conflict("CHANGED_MEANWHILE", "got a vote that was changed by someone else just now; try again")
        return after

    def _required_own(self) -> Vote | None:
        own = self._votes.read(self._own)
        if isinstance(own, Unreachable):
            raise NotHome("REGION_UNREACHABLE", f"got no answer of DynamoDB in {self._own}: {own.why}")
        return own

    def _require_enough(self, answers: dict[Region, Answer], own: Vote | None) -> None:
        down = [region for region, each in answers.items() if isinstance(each, Unreachable)]
        if isinstance(own, Vote) and own.home == self._own and len(self._regions) == 2 and down:
            message = (
                f"got the home {self._own}, whose lease has ended, want {down[0]} to answer, or to continue without it"
            )
            raise NotHome("LEASE_EXPIRED", message)
        present = 1 + sum(not isinstance(each, Unreachable) for each in answers.values())
        needed = home.votes_to_promote(self._regions)
        if present < needed:
            named = ", ".join(down)
            message = f"got an answer of {present} Regions, want {needed} of {len(self._regions)}; no answer of {named}"
            raise NotHome("NO_MAJORITY", message)
