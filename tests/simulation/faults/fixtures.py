"""The fault layer and the ground that its stories begin on, for pytest: made once for each module that wants them."""

from collections.abc import Iterator

import pytest

from tests.simulation.faults.faulty_aws import faulty_aws
from tests.simulation.faults.ground import Ground
from tests.simulation.faults.layer import FaultLayer


@pytest.fixture(scope="module")
def layer() -> Iterator[FaultLayer]:
    with faulty_aws() as made:
        yield made


@pytest.fixture(scope="module")
def ground(layer: FaultLayer) -> Ground:
    return Ground(layer)
