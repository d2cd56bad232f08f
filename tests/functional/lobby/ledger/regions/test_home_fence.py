"""Who may write: a writer in a door also requires the vote of the home itself."""

import pytest

from lobby.domain.regions.home import MARGIN_MS
from lobby.errors import NotHome
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.home_votes import Votes
from tests.regions import DUBLIN, FRANKFURT, OHIO, Regions


def test_a_door_that_a_promotion_did_not_reach_stops_writing_to_the_old_home(three: Regions) -> None:
    three.cut = {frozenset({FRANKFURT, OHIO})}
    three.here = FRANKFURT
    assert not three.lease(FRANKFURT).promote().done
    three.replicate(DUBLIN, FRANKFURT)
    three.now += MARGIN_MS
    assert three.lease(FRANKFURT).promote().done
    three.here = OHIO
    door = Fence(OHIO, Votes(), three.clock)
    assert door.vote().home == DUBLIN
    assert door.vote().permits(three.now)
    with pytest.raises(NotHome, match="LEASE_EXPIRED"):
        door.require(here=False)


def test_a_door_remembers_for_a_while_that_the_home_does_not_answer(two: Regions) -> None:
    two.down = {DUBLIN}
    two.here = FRANKFURT
    door = Fence(FRANKFURT, Votes(), two.clock)
    two.calls.forget()
    for _ in range(5):
        with pytest.raises(NotHome, match="HOME_UNREACHABLE"):
            door.require(here=False)
    assert len(two.calls.made) <= 2
    two.down = set()
    two.now += 10_000
    assert door.require(here=False).home == DUBLIN
