"""What the tests of the Lambdas share: an AWS of their own for each, and a clock that stands still."""

import asyncio
from collections.abc import Iterator

import pytest

from lobby.ledger.store import Ledger
from tests import aws
from tests.aws import REGION, Calls, Clock


@pytest.fixture(autouse=True, scope="module")
def event_loop() -> Iterator[None]:
    """This thread's. Mangum takes it, and where there is none makes one that nobody closes."""
    with asyncio.Runner() as runner:
        runner.get_loop()
        yield


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
