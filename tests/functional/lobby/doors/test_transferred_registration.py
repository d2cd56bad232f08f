"""A device that was transferred to another lobby, at a door of this lobby that does not know its certificate yet."""

from datetime import timedelta
from typing import Any

import pytest

from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.domain.transfers.transfer_transitions import ENDED
from lobby.ledger.clock import timestamp
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests import certificates as make
from tests.aws import REGION, Calls, Clock
from tests.functional.lobby.registration_door import GOOD, RegistrationDoor

CERTID = Fingerprint(make.fingerprint_of(GOOD))
OFFER = "0f" * 16


@pytest.fixture
def door(calls: Calls, clock: Clock) -> RegistrationDoor:
    """The device was admitted and transferred. AWS IoT has lost its certificate, as a Region that was added later."""
    made, ledger = RegistrationDoor(calls, clock), Ledger(REGION, clock, pause=lambda _attempt: None)
    assert made.deliver(made.first_connection()) == "admitted"
    at, until = timestamp(clock()), timestamp(clock() + timedelta(days=1))
    ledger.offer(CERTID, Transfer(TransferStep.OFFERED, OFFER, "Bob", at, "user:ann", until))
    completed = Transfer(
        TransferStep.COMPLETED, OFFER, "2" * 12, at, "user:eve", "", endpoint="b.example.com", until=until
    )
    ledger.transfer(CERTID, completed)
    arn = made.iot.describe_certificate(certificateId=CERTID)["certificateDescription"]["certificateArn"]
    made.iot.detach_thing_principal(thingName="sensor-1", principal=arn)
    made.iot.update_certificate(certificateId=CERTID, newStatus="INACTIVE")
    made.iot.delete_certificate(certificateId=CERTID, forceDelete=True)
    return made


def status(door: RegistrationDoor) -> Any:
    return door.iot.describe_certificate(certificateId=CERTID)["certificateDescription"]["status"]


def test_it_connects_while_this_lobby_sends_it_to_the_new_one(door: RegistrationDoor) -> None:
    assert door.deliver(door.first_connection()) == "admitted"
    assert status(door) == "ACTIVE"


def test_it_is_not_activated_again_after_that_time(door: RegistrationDoor, clock: Clock) -> None:
    clock.advance(days=2)
    ledger = Ledger(REGION, clock, pause=lambda _attempt: None)
    device = ledger.get(CERTID)
    assert device is not None
    ledger.end_transfer(device, "service:sweeper")
    assert door.deliver(door.first_connection()) == ENDED
    assert status(door) == "INACTIVE"
