"""Each call of the home's lease with each fault: the step is repeated, and has the result of a step without a fault.
The next run of the lease's timer gives the votes of Regions that could not be reached before.

The steps are the beginning of a lobby, an extension, a planned handover, and a promotion after the loss of the home, in
lobbies with two and three Regions. At no time may two Regions write.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from lobby.domain.regions.home import LEASE_MS, MARGIN_MS, Vote
from lobby.errors import LobbyError
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.home_votes import Votes
from lobby.names import Region
from tests import aws
from tests.aws import CutOff
from tests.regions import DUBLIN, FRANKFURT, OHIO, Fault, Regions, regions

Step = Callable[[Regions], None]
MOST_CALLS = 20


def _begin(lobby: Regions) -> None:
    lobby.keep(DUBLIN)


def _extend(lobby: Regions) -> None:
    lobby.keep(DUBLIN)


def _promote(lobby: Regions) -> None:
    lobby.here = FRANKFURT
    lobby.lease(FRANKFURT).promote()


def _lose_dublin(lobby: Regions) -> None:
    lobby.keep(DUBLIN)
    lobby.down = {DUBLIN}
    lobby.now += LEASE_MS + MARGIN_MS


def _end_lease_of_dublin(lobby: Regions) -> None:
    lobby.keep(DUBLIN)
    _promote(lobby)
    lobby.replicate(DUBLIN, FRANKFURT)
    lobby.now += MARGIN_MS


STEPS: dict[str, tuple[Step, Step, Region]] = {
    "a lobby begins": (lambda _lobby: None, _begin, DUBLIN),
    "the lease is extended": (_begin, _extend, DUBLIN),
    "the old home ends its lease": (_begin, _promote, FRANKFURT),
    "the new home takes the lease": (_end_lease_of_dublin, _promote, FRANKFURT),
    "another Region is promoted after the loss of the home": (_lose_dublin, _promote, FRANKFURT),
}
"""The preparation, the step that gets the fault, and the Region in which it runs."""


@pytest.fixture(
    params=[
        pytest.param((DUBLIN, FRANKFURT), id="two"),
        pytest.param((DUBLIN, FRANKFURT, OHIO), id="three", marks=pytest.mark.full),
    ]
)
def names(request: pytest.FixtureRequest) -> tuple[Region, ...]:
    found: tuple[Region, ...] = request.param
    return found


def lobbies(names: tuple[Region, ...]) -> Iterator[Regions]:
    with aws.aws() as calls, regions(calls, *names) as lobby:
        yield lobby


def state(lobby: Regions) -> dict[str, tuple[str, int, str | None]]:
    """Return who is home by each vote, without its times and revisions."""
    lobby.here, lobby.down = lobby.names[0], set()
    votes = {name: Votes().read(name) for name in lobby.names}
    return {name: (vote.home, vote.epoch, vote.successor) for name, vote in votes.items() if isinstance(vote, Vote)}


def writers(lobby: Regions) -> list[Region]:
    found, before = [], lobby.here
    for name in lobby.names:
        lobby.here = name
        try:
            if name not in lobby.down and Fence(name, Votes(), lobby.clock).is_home():
                found.append(name)
        except LobbyError:
            continue
    lobby.here = before
    return found


def run(names: tuple[Region, ...], step: str, number: int, fault: Fault) -> tuple[int, object]:
    """Run a step with a fault of its n-th call, and repeat it. Return the number of calls, and the state."""
    prepare, act, region = STEPS[step]
    for lobby in lobbies(names):
        prepare(lobby)
        lobby.here, lobby.reached, lobby.fault_at, lobby.fault = region, 0, number, fault
        with suppress(CutOff, LobbyError):
            act(lobby)
        made, lobby.fault_at = lobby.reached, 0
        assert len(writers(lobby)) <= 1
        for _ in range(3):
            lobby.here = region
            act(lobby)
            assert len(writers(lobby)) <= 1
        lobby.keep(region)
        return made, state(lobby)
    raise AssertionError("one lobby")


@pytest.mark.slow
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("step", STEPS)
def test_a_fault_of_any_call_does_not_change_the_outcome(names: tuple[Region, ...], step: str, fault: Fault) -> None:
    calls, expected = run(names, step, 0, fault)
    assert 0 < calls < MOST_CALLS
    results = {number: run(names, step, number, fault)[1] for number in range(1, calls + 1)}
    assert {number: result for number, result in results.items() if result != expected} == {}
