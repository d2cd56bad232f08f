"""The fault injector and the lobby that scenarios start in: created once for each test module."""

from collections.abc import Iterator

import pytest

from tests.simulation.faults.faulty_aws import faulty_aws
from tests.simulation.faults.injector import FaultInjector
from tests.simulation.faults.setup import ScenarioSetup


@pytest.fixture(scope="module")
def injector() -> Iterator[FaultInjector]:
    with faulty_aws() as injector:
        yield injector


@pytest.fixture(scope="module")
def setup(injector: FaultInjector) -> ScenarioSetup:
    return ScenarioSetup(injector)
