"""Decides whether a Region may write the ledger now, from the vote of the process's own Region.

In a lobby with several Regions, every write is checked here first. The vote is one item of the own replica. Each
process reads it at most every 10 seconds (`Terms`), and once more before a write is refused. The vote states until when
the home may write, so an outdated value permits nothing after that time. A process that writes to the home in another
Region also reads the vote of that Region.
"""

import threading
from collections.abc import Callable
from typing import Final

from lobby.domain.regions.home import USUAL, Answer, Terms, Unreachable, Vote
from lobby.errors import NotHome
from lobby.ledger.regions.home_lease import now_ms
from lobby.ledger.regions.home_votes import Votes
from lobby.names import Region

NOT_HOME: Final = "NOT_HOME"
LEASE_EXPIRED: Final = "LEASE_EXPIRED"
NO_HOME: Final = "NO_HOME"
HOME_UNREACHABLE: Final = "HOME_UNREACHABLE"


class Fence:
    """`own` is the Region of this process."""

    def __init__(self, own: Region, votes: Votes, clock: Callable[[], int] = now_ms, terms: Terms = USUAL) -> None:
        self.own, self.terms = own, terms
        self._votes, self._clock = votes, clock
        self._lock = threading.Lock()
        self._read: dict[Region, tuple[int, Answer]] = {}

    def vote(self, *, fresh: bool = False) -> Vote:
        """Return the vote of the own Region. Raise `NotHome` NO_HOME if it has none, or cannot be read."""
        found = self._vote_of(self.own, fresh=fresh)
        if isinstance(found, Unreachable):
            with self._lock:
                self._read.pop(self.own, None)
            raise NotHome(NO_HOME, f"got no answer of DynamoDB in {self.own}: {found.why}")
        if found is None:
            message = f"got no home in {self.own} yet, want one; the lease renewal of the first Region begins it"
            raise NotHome(NO_HOME, message)
        return found

    def _vote_of(self, region: Region, *, fresh: bool) -> Answer:
        with self._lock:
            read = self._read.get(region)
            if fresh or read is None or self._clock() - read[0] >= self.terms.read_every:
                found = self._votes.read(region)
                read = self._read[region] = self._clock(), found
        return read[1]

    def home(self) -> Region:
        """Return the Region that is home, even if its lease has ended. Raise `NotHome` NO_HOME."""
        return self.vote().home

    def require(self, *, here: bool) -> Vote:
        """Return the vote if the home may write now; with `here`, only if this Region is the home. Raise `NotHome`."""
        vote = self._valid(here=here)
        if vote.home != self.own:
            self._require_of_home(vote)
        return vote

    def _valid(self, *, here: bool) -> Vote:
        for fresh in (False, True):
            try:
                vote = self.vote(fresh=fresh)
                self._check(vote, here=here)
            except NotHome:
                if fresh:
                    raise
            else:
                return vote
        raise AssertionError("the second attempt returns or raises")

    def _check(self, vote: Vote, *, here: bool) -> None:
        if not vote.permits(self._clock()):
            raise _ended(vote.home)
        if here and vote.home != self.own:
            raise NotHome(NOT_HOME, f"got a change in {self.own}, want it in the home Region {vote.home}")

    def _require_of_home(self, vote: Vote) -> None:
        """Raise `NotHome` unless the home's own vote also permits the write, because a promotion that could not reach
        this Region has not changed this Region's vote. A failure to reach the home is cached like a vote."""
        for fresh in (False, True):
            found = self._vote_of(vote.home, fresh=fresh)
            if isinstance(found, Unreachable):
                raise NotHome(HOME_UNREACHABLE, f"got no answer of the home {vote.home}: {found.why}")
            if found is not None and found.is_for(vote.home, vote.epoch) and found.permits(self._clock()):
                return
        raise _ended(vote.home)

    def is_home(self) -> bool:
        """Return whether this Region may write now; False if another Region is home. Raise `NotHome` LEASE_EXPIRED or
        NO_HOME if no Region may write."""
        try:
            self.require(here=True)
        except NotHome as error:
            if error.code != NOT_HOME:
                raise
            return False
        return True


def _ended(home: Region) -> NotHome:
    return NotHome(LEASE_EXPIRED, f"got a lease of {home} that has ended, want one that lasts; see docs/regions.md")
