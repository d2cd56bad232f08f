"""Devices of another lobby, accepted by one with several Regions: they can connect at every door."""

from collections.abc import Iterator

import boto3
import pytest

from lobby.aws.region_clients import RegionClients
from lobby.contracts.transfers import AcceptDevices, AcceptedDevice, DeviceToAccept
from lobby.domain.states import State
from lobby.doors.acceptance import Acceptance
from lobby.ledger.clock import timestamp
from lobby.names import Target, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import LOBBY, WAITING_POLICY, Calls, Clock
from tests.functional.lobby.claim_door import ClaimDoor
from tests.regions import DUBLIN, FRANKFURT, Regions, regions

IN_FRANKFURT = Target(LOBBY, FRANKFURT)
PEM = make.pem_of(make.device(make.authority(number=3), "pump-1", number=6, serial=7006))
CERTID = make.fingerprint_of(PEM)


class Doors(ClaimDoor):
    """The registrar of one Region, with the AWS IoT of the other."""

    def __init__(self, calls: Calls, clock: Clock, several: Regions) -> None:
        super().__init__(calls, clock)
        self.several = several
        doors = RegionClients.of(DUBLIN, {"LOBBY_REGIONS": ",".join(several.names)})
        self.acceptance = Acceptance(self.iot, self.ledger, WAITING_POLICY, clock, doors)

    def accept(self) -> AcceptedDevice:
        device = DeviceToAccept(CERTID, ThingName("pump-1"), PEM)
        request = AcceptDevices(
            "a" * 32, "2" * 12 + "/us-east-1", timestamp(make.NOW), "2030-01-01T00:00:00.000Z", "user:bob", (device,)
        )
        (result,) = self.acceptance.accept(request)
        return result


@pytest.fixture
def doors(calls: Calls, clock: Clock) -> Iterator[Doors]:
    with regions(calls) as several:
        yield Doors(calls, clock, several)


def test_an_accepted_certificate_is_active_with_thing_and_policy_at_every_door(doors: Doors) -> None:
    assert doors.accept().here == CERTID
    assert (aws.status(CERTID), aws.status(CERTID, IN_FRANKFURT)) == ("ACTIVE", "ACTIVE")
    assert [policy for _, policy in aws.registry(IN_FRANKFURT)["policies"]] == [WAITING_POLICY]


def test_a_device_is_accepted_only_when_every_door_has_its_certificate(doors: Doors) -> None:
    doors.several.down = {FRANKFURT}
    assert doors.accept().code == "NOT_TRIED"
    assert aws.status(CERTID) is None
    doors.several.down = set()
    assert doors.accept().here == CERTID
    assert aws.status(CERTID, IN_FRANKFURT) == "ACTIVE"


def test_a_certificate_that_another_door_has_for_another_purpose_is_refused(doors: Doors) -> None:
    there = boto3.client("iot", region_name=FRANKFURT)
    there.register_certificate_without_ca(certificatePem=PEM, status="ACTIVE")
    assert doors.accept().code == "CERTIFICATE_IN_USE"
    assert (doors.ledger.get(CERTID), aws.status(CERTID)) == (None, None)


def test_a_device_that_has_tried_to_connect_at_another_door_is_accepted(doors: Doors) -> None:
    there = boto3.client("iot", region_name=FRANKFURT)
    there.register_certificate_without_ca(certificatePem=PEM, status="PENDING_ACTIVATION")
    assert doors.accept().code is None
    assert aws.status(CERTID, IN_FRANKFURT) == "ACTIVE"
    device = doors.ledger.get(CERTID)
    assert device is not None
    assert device.devstate is State.KNOCKING
