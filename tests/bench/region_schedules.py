"""Random outages of a lobby with several Regions: how often two Regions could write, and how long none could.

The real lease, fence and rules run on votes in memory, in steps of five seconds. Regions go down and are cut off from
each other at random, renewals run every minute, clocks differ by up to five seconds, and operators promote Regions. A
write that has begun can take effect for another 35 seconds, so a second home that begins in this time counts as two
writers. With two Regions, the operator promotes one Region in an outage, as the runbook says.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from lobby.domain.regions.home import USUAL, Answer, Terms, Unreachable, Vote
from lobby.errors import LobbyError
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.home_lease import HomeLease
from lobby.ledger.regions.home_votes import Votes
from lobby.names import Region

STEP = 5_000
LONGEST_WRITE = 35_000
MOST_SKEW = 2_500
START = 1_800_000_000_000
NAMES = tuple(map(Region, ("eu-west-1", "eu-central-1", "us-east-2", "us-west-2", "ap-south-1")))


class World:
    """The Regions and what reaches what. `now` is the true time in ms."""

    def __init__(self, count: int, chance: random.Random) -> None:
        self.regions, self.now = NAMES[:count], START
        self.votes: dict[Region, Vote] = {}
        self.down: set[Region] = set()
        self.cut: set[frozenset[Region]] = set()
        self.skew = {region: chance.randint(-MOST_SKEW, MOST_SKEW) for region in self.regions}

    def reaches(self, here: Region, there: Region) -> bool:
        return there not in self.down and here not in self.down and frozenset({here, there}) not in self.cut

    def clock(self, region: Region) -> int:
        return self.now + self.skew[region]


class VotesInMemory(Votes):
    """The votes as a Region reaches them."""

    def __init__(self, world: World, here: Region) -> None:
        self._world, self._here = world, here

    def read(self, region: Region, at: Region | None = None) -> Answer:
        if not self._world.reaches(self._here, at or region):
            return Unreachable("down or cut off")
        return self._world.votes.get(region)

    def read_all(self, regions: Sequence[Region]) -> dict[Region, Answer]:
        return {region: self.read(region) for region in regions}

    def write(self, region: Region, before: Vote | None, after: Vote) -> bool:
        unchanged = self._world.votes.get(region) == before
        if unchanged and self._world.reaches(self._here, region):
            self._world.votes[region] = after
            return True
        return False


@dataclass
class Tally:
    """What happened in some schedules. `idle_steps` are those in which no Region wrote although one was up."""

    schedules: int = 0
    steps: int = 0
    idle_steps: int = 0
    homes: int = 0
    two_writers: int = 0


@dataclass
class Schedule:
    """One lobby with a random fate."""

    world: World
    chance: random.Random
    terms: Terms = USUAL
    leases: dict[Region, HomeLease] = field(default_factory=dict)
    fences: dict[Region, Fence] = field(default_factory=dict)
    effective_until: dict[Region, int] = field(default_factory=dict)
    promoting: Region | None = None

    def __post_init__(self) -> None:
        for region in self.world.regions:
            votes = VotesInMemory(self.world, region)
            clock = partial(self.world.clock, region)
            self.leases[region] = HomeLease(region, self.world.regions, votes, clock, self.terms)
            self.fences[region] = Fence(region, votes, clock, self.terms)
        self.leases[self.world.regions[0]].keep()

    def run(self, steps: int, tally: Tally) -> None:
        for number in range(steps):
            self.world.now += STEP
            self._change_fate()
            for offset, region in enumerate(self.world.regions):
                if (number + offset) % (60_000 // STEP) == 0 and region not in self.world.down:
                    self.leases[region].keep()
            self._operate()
            self._observe(tally)
        tally.schedules += 1
        tally.steps += steps
        tally.homes += max((vote.epoch for vote in self.world.votes.values()), default=1)

    def _change_fate(self) -> None:
        world, chance = self.world, self.chance
        if chance.random() < 0.02:
            pair = frozenset(chance.sample(world.regions, 2))
            world.cut ^= {pair}
        if chance.random() < 0.01:
            world.down ^= {chance.choice(world.regions)}
        if chance.random() < 0.02:
            world.cut, world.down, self.promoting = set(), set(), None

    def _operate(self) -> None:
        if self.promoting is None and self.chance.random() < 0.03:
            self.promoting = self.chance.choice(self.world.regions)
        if len(self.world.regions) > 2 and self.chance.random() < 0.1:
            self.promoting = self.chance.choice(self.world.regions)
        if self.promoting is not None and self.promoting not in self.world.down:
            try:
                self.leases[self.promoting].promote()
            except LobbyError:
                return

    def _observe(self, tally: Tally) -> None:
        """Every Region that is up writes to the home, also from a door. Count the moments in which two are written."""
        now, written = self.world.now, set[Region]()
        for region in self.world.regions:
            try:
                if region not in self.world.down:
                    written.add(self.fences[region].require(here=False).home)
            except LobbyError:
                continue
        for home in written:
            others = [until for other, until in self.effective_until.items() if other != home]
            tally.two_writers += any(until > now for until in others)
        for home in written:
            self.effective_until[home] = now + LONGEST_WRITE
        tally.idle_steps += not written and len(self.world.down) < len(self.world.regions)


def simulate(regions: int, schedules: int, steps: int, seed: int, terms: Terms = USUAL) -> Tally:
    """Run random schedules of a lobby with this many Regions."""
    tally = Tally()
    for number in range(schedules):
        chance = random.Random(f"{seed}/{regions}/{number}")  # noqa: S311  # a repeatable schedule
        Schedule(World(regions, chance), chance, terms).run(steps, tally)
    return tally
