"""Fixtures of the Lambdas' tests: an AWS (moto) for each test, and a clock that the test controls."""

import asyncio
import gc
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from lobby.ledger.store import Ledger
from tests import aws, tiers
from tests.aws import REGION, Calls, Clock

_HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    if not tiers.is_full(config):
        tiers.try_few_examples()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while modules are imported: almost everything stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import a file of which the tier runs no test."""
    if not collection_path.is_relative_to(_HERE):
        return None
    file = collection_path.relative_to(_HERE).as_posix()
    return tiers.is_left_out(file, config.getoption("markexpr", default="")) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tiers.mark(items)
    tiers.sort(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> tiers.Scheduling:
    return tiers.Scheduling(config, log)


def pytest_collection_finish() -> None:
    """Exclude imported objects from garbage collection, which would visit them repeatedly."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def event_loop() -> Iterator[None]:
    """The event loop of this thread. Mangum uses it; without one it creates a loop that is never closed."""
    with asyncio.Runner() as runner:
        runner.get_loop()
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls() -> Iterator[Calls]:
    """An AWS with the lobby's empty tables, for one test."""
    with aws.aws() as calls:
        yield calls


@pytest.fixture
def ledger(calls: Calls, clock: Clock) -> Ledger:
    return Ledger(REGION, clock, pause=lambda _attempt: None)
