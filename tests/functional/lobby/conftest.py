"""A lobby with one admitted device, as a fixture."""

import pytest

from lobby.ledger.store import Ledger
from tests.aws import Calls
from tests.functional.lobby.reception import Reception


@pytest.fixture
def reception(calls: Calls, ledger: Ledger) -> Reception:
    return Reception(calls, ledger)
