"""The fault layer and the ground that its stories begin on, for pytest: made once for each module that wants them."""

from collections.abc import Iterator

import pytest

from tests.bench.faults.faulty_aws import faulty_aws
from tests.bench.faults.ground import Ground
from tests.bench.faults.layer import FaultLayer


@pytest.fixture(scope="module")
def layer() -> Iterator[FaultLayer]:
    with faulty_aws() as made:
        yield made


@pytest.fixture(scope="module")
def ground(layer: FaultLayer) -> Ground:
    return Ground(layer)
