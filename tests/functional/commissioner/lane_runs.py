"""Runs of a lane's worker in tests: claims that wait, announcements, and commissioned devices."""

from collections.abc import Callable
from itertools import count

from commissioner.lanes.messages import WorkerEnvironment, handle
from commissioner.token_messages import Verdict
from lobby.contracts.lane_tokens import Token
from lobby.domain.device import Priority
from lobby.domain.lanes.lane import lane_to
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint, Target
from tests.functional.commissioner.lane_environment import environment_with
from tests.functional.commissioner.lobby_with_targets import (
    ANN,
    ONE,
    PROFILES,
    THREE,
    TWO,
    A,
    LobbyWithTargets,
    wall_clock,
)

LANE = lane_to(A)
_NUMBERS = count(1)


def new_environment(lobby: LobbyWithTargets, rate: float = 9.0) -> WorkerEnvironment:
    """Return the environment of a Lambda that has just started."""
    targets = RecentTargets(Targets.read_only(), lobby.clock)
    return environment_with(
        lobby.ledger,
        targets,
        lobby.clock,
        PROFILES,
        sessions_clock=wall_clock,
        rate=lambda _lane: rate,
        holders=lambda: f"worker {next(_NUMBERS)}",
    )


def claim(lobby: LobbyWithTargets, *certids: Fingerprint, target: Target = A, bulk: bool = True) -> None:
    with lobby.calls.uncounted():
        request = ClaimRequest(target, priority=Priority.BULK if bulk else Priority.SINGLE)
        for certid in certids:
            lobby.clock.advance(seconds=0.1)
            lobby.ledger.claim(certid, request, ANN)


def states(lobby: LobbyWithTargets) -> list[State]:
    return [lobby.device(certid).devstate for certid in (ONE, TWO, THREE)]


def commissioned(lobby: LobbyWithTargets) -> list[Fingerprint]:
    """Return the devices in the order in which they were commissioned."""
    devices = [lobby.device(certid) for certid in (ONE, TWO, THREE)]
    done = [device for device in devices if device.devstate is State.COMMISSIONED]
    return [device.certid for device in sorted(done, key=lambda device: device.enteredat)]


def announcement(*certids: Fingerprint) -> Token:
    """Return the next announcement of these rows."""
    return Token(LANE, None, certids, f"{next(_NUMBERS):012x}")


def run(
    environment: WorkerEnvironment, token: Token | None = None, hide: Callable[[int], None] | None = None
) -> Verdict:
    return handle(token or Token(LANE), environment, hide or (lambda _seconds: None))
