"""A ledger with many devices, for tests of lists."""

from collections.abc import Iterator

import pytest

from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow
from tests import aws
from tests.aws import Calls
from tests.functional.lobby.ledger.listed_devices import MANY, device


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
