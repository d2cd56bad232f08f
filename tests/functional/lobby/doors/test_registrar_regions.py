"""Claim certificates in a lobby with several Regions: valid at every door, and deactivated at every door."""

from collections.abc import Iterator

import boto3
import pytest

from lobby.aws.door_clients import DoorClients
from lobby.domain.claim_certificate import Activity
from lobby.doors.registrar import Registrar
from lobby.ledger.reader import LedgerReader
from lobby.names import Region, Target
from tests import aws
from tests.aws import LOBBY, Calls, Clock
from tests.functional.lobby.claim_door import KEYS_POLICY, POLICY, PUMPS, ClaimDoor
from tests.regions import DUBLIN, FRANKFURT, Regions, regions

IN_FRANKFURT = Target(LOBBY, FRANKFURT)


class Doors(ClaimDoor):
    """The registrar of one Region, with the AWS IoT of the others."""

    def __init__(self, calls: Calls, clock: Clock, several: Regions) -> None:
        super().__init__(calls, clock)
        self.several = several
        with calls.uncounted():
            for policy in (POLICY, KEYS_POLICY):
                boto3.client("iot", region_name=FRANKFURT).create_policy(policyName=policy, policyDocument="{}")
        self.registrar = self.in_region(DUBLIN)
        self.enrol(limit=5)

    def in_region(self, region: Region) -> Registrar:
        doors = DoorClients.of(region, {"LOBBY_REGIONS": ",".join(self.several.names)})
        iot = boto3.client("iot", region_name=region)
        return Registrar(iot, POLICY, KEYS_POLICY, LedgerReader(), self.clock, doors)


@pytest.fixture
def doors(calls: Calls, clock: Clock) -> Iterator[Doors]:
    with regions(calls) as several:
        yield Doors(calls, clock, several)


def test_a_claim_certificate_is_active_at_every_door(doors: Doors) -> None:
    certid = doors.add_claim(creates_keys=True)
    assert (aws.status(certid), aws.status(certid, IN_FRANKFURT)) == ("ACTIVE", "ACTIVE")
    policies = [policy for _, policy in aws.registry(IN_FRANKFURT)["policies"]]
    assert sorted(policies) == sorted([POLICY, KEYS_POLICY])


def test_it_is_active_only_when_every_door_has_it(doors: Doors) -> None:
    doors.several.down = {FRANKFURT}
    with pytest.raises(Exception, match="Connect timeout"):
        doors.add_claim()
    (certificate,) = doors.registrar._certificates.of(PUMPS)
    assert certificate.activity is Activity.STARTING
    doors.several.down = set()
    doors.registrar.align_all()
    assert doors.claim(certificate.certid).activity is Activity.ACTIVE
    assert aws.status(certificate.certid, IN_FRANKFURT) == "ACTIVE"


def test_after_a_promotion_the_new_home_revokes_it_at_every_door(doors: Doors) -> None:
    certid = doors.add_claim()
    doors.in_region(FRANKFURT).revoke(certid, "user:ann")
    assert (aws.status(certid), aws.status(certid, IN_FRANKFURT)) == ("INACTIVE", "INACTIVE")


def test_it_counts_as_active_until_it_was_deactivated_at_a_door_that_is_down(doors: Doors) -> None:
    certid = doors.add_claim()
    doors.several.down = {FRANKFURT}
    with pytest.raises(Exception, match="Connect timeout"):
        doors.registrar.revoke(certid, "user:ann")
    assert doors.claim(certid).activity is Activity.ACTIVE
    doors.several.down = set()
    doors.registrar.align_all()
    assert doors.claim(certid).activity is Activity.INACTIVE
    assert aws.status(certid, IN_FRANKFURT) == "INACTIVE"
