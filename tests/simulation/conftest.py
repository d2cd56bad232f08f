"""The fault injector and the lobby that scenarios start in: created once for each test module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.faults.faulty_aws import faulty_aws
from tests.simulation.faults.injector import FaultInjector
from tests.simulation.faults.setup import ScenarioSetup


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of this folder out of the fast tier."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def injector() -> Iterator[FaultInjector]:
    with faulty_aws() as injector:
        yield injector


@pytest.fixture(scope="module")
def setup(injector: FaultInjector) -> ScenarioSetup:
    return ScenarioSetup(injector)
