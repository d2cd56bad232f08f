"""A lobby with two targets, as fixtures."""

import pytest

from commissioner.lanes.messages import WorkerEnvironment
from tests.aws import Calls, Clock
from tests.functional.commissioner.lane_runs import new_environment
from tests.functional.commissioner.lobby_with_targets import LobbyWithTargets
from tests.functional.commissioner.survey_runs import ABSENT, deploy_reports, error


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock)


@pytest.fixture
def three(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock, "sensor-1", "sensor-2", "sensor-3")


@pytest.fixture
def environment(three: LobbyWithTargets) -> WorkerEnvironment:
    return new_environment(three)


@pytest.fixture
def target(lobby: LobbyWithTargets) -> LobbyWithTargets:
    """A target that is ready, for dry runs."""
    deploy_reports()
    lobby.calls.fails = {operation: error(code, operation) for operation, code in ABSENT.items()}
    return lobby
