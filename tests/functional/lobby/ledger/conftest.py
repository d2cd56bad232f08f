"""A ledger with many devices, for tests of lists, and lobbies in several Regions, of which Dublin is home."""

from collections.abc import Iterator

import pytest

from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow
from tests import aws
from tests.aws import Calls
from tests.functional.lobby.ledger.listed_devices import MANY, device
from tests.regions import DUBLIN, FRANKFURT, OHIO, Regions, regions


@pytest.fixture(scope="module")
def many_devices() -> Iterator[Calls]:
    """A ledger with many devices, which no test changes."""
    with aws.aws() as calls, calls.uncounted(), LedgerRow.batch_write() as batch:
        for number in range(MANY):
            batch.save(LedgerRow(**attributes_of(device(number))))
        batch.commit()
        calls._off = False
        yield calls


@pytest.fixture
def listing(many_devices: Calls) -> Calls:
    many_devices.forget()
    return many_devices


@pytest.fixture
def two(calls: Calls) -> Iterator[Regions]:
    with regions(calls) as lobby:
        lobby.keep(DUBLIN)
        yield lobby


@pytest.fixture
def three(calls: Calls) -> Iterator[Regions]:
    with regions(calls, DUBLIN, FRANKFURT, OHIO) as lobby:
        lobby.keep(DUBLIN)
        yield lobby
