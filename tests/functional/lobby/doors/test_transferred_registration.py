"""A device that was transferred to another lobby, at a door of this lobby that does not know its certificate yet."""

from datetime import timedelta
from typing import Any

import pytest

from commissioner.lobby_side import LobbySide
from lobby.aws.region_clients import ONE_REGION
from lobby.domain.changes import Chosen, Lift, Quarantine
from lobby.domain.transfers.transfer import Transfer, TransferStep
from lobby.domain.transfers.transfer_transitions import ENDED
from lobby.ledger.clock import timestamp
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests import aws
from tests import certificates as make
from tests.aws import REGION, WAITING_POLICY, Calls, Clock
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
    made.iot.detach_policy(policyName=WAITING_POLICY, target=arn)
    made.iot.update_certificate(certificateId=CERTID, newStatus="INACTIVE")
    made.iot.delete_certificate(certificateId=CERTID, forceDelete=True)
    return made


def status(door: RegistrationDoor) -> Any:
    return door.iot.describe_certificate(certificateId=CERTID)["certificateDescription"]["status"]


def test_it_connects_while_this_lobby_sends_it_to_the_new_one(door: RegistrationDoor) -> None:
    assert door.deliver(door.first_connection()) == "admitted"
    assert status(door) == "ACTIVE"


def policies() -> list[str]:
    return [policy for principal, policy in aws.registry()["policies"] if CERTID in principal]


def ended(clock: Clock) -> Ledger:
    clock.advance(days=2)
    ledger = Ledger(REGION, clock, pause=lambda _attempt: None)
    device = ledger.get(CERTID)
    assert device is not None
    ledger.end_transfer(device, "service:sweeper")
    return ledger


def test_it_is_not_activated_again_after_that_time(door: RegistrationDoor, clock: Clock) -> None:
    ended(clock)
    assert door.deliver(door.first_connection()) == ENDED
    assert status(door) == "INACTIVE"


def test_it_can_connect_when_the_ended_transfer_is_withdrawn(door: RegistrationDoor, clock: Clock) -> None:
    ledger = ended(clock)
    door.deliver(door.first_connection())
    ledger.withdraw(CERTID, "user:ann")
    come_back(door, ledger)
    assert (status(door), policies()) == ("ACTIVE", [WAITING_POLICY])
    assert aws.registry()["principals"][0][1] == "sensor-1"


def test_it_can_connect_when_its_quarantine_is_lifted(door: RegistrationDoor, clock: Clock) -> None:
    ledger = Ledger(REGION, clock, pause=lambda _attempt: None)
    ledger.withdraw(CERTID, "user:ann")
    come_back(door, ledger)
    ledger.change(Chosen(CERTID), Quarantine("a copy?"), "user:ann")
    assert door.deliver(door.first_connection()) == "QUARANTINED"
    assert status(door) == "INACTIVE"
    ledger.change(Chosen(CERTID), Lift("no copy"), "user:ann")
    come_back(door, ledger)
    assert (status(door), policies()) == ("ACTIVE", [WAITING_POLICY])


def come_back(door: RegistrationDoor, ledger: Ledger) -> None:
    """Do the commissioner's part for a device that is in the lobby again."""
    device = ledger.get(CERTID)
    assert device is not None
    assert device.reactivate
    LobbySide(ledger, door.iot, aws.client("iot-data"), ONE_REGION).reactivate(device)
