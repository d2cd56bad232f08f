"""What the tests of the Lambdas share: an AWS of their own for each, and a clock that stands still."""

from collections.abc import Iterator

import pytest

from lobby.ledger.store import Ledger
from tests import aws
from tests.aws import REGION, Calls, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls() -> Iterator[Calls]:
    """An empty AWS, with the lobby's tables, for this test alone."""
    with aws.aws() as made:
        yield made


@pytest.fixture
def ledger(calls: Calls, clock: Clock) -> Ledger:
    return Ledger(REGION, clock, pause=lambda _attempt: None)
