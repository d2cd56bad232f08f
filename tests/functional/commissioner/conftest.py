"""A lobby with two targets, as a fixture."""

import pytest

from tests.aws import Calls, Clock
from tests.functional.commissioner.lobby_with_targets import LobbyWithTargets


@pytest.fixture
def lobby(calls: Calls, clock: Clock) -> LobbyWithTargets:
    return LobbyWithTargets(calls, clock)
