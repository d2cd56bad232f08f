"""The workshop as a fixture."""

import pytest

from tests.aws import Calls, Clock
from tests.functional.commissioner.workshop import Workshop


@pytest.fixture
def shop(calls: Calls, clock: Clock) -> Workshop:
    return Workshop(calls, clock)
