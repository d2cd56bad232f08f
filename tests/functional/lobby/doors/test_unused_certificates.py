"""Unused certificates in a lobby with several Regions: the home deletes them at every door."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto.iot.models import iot_backends

from lobby.aws.region_clients import RegionClients
from lobby.doors.unused_certificates import UnusedCertificates
from lobby.ledger.reader import LedgerReader
from lobby.ledger.renewals.requested_keys import record_requested_key
from lobby.names import Fingerprint, Region, ThingName
from tests import certificates as make
from tests.aws import LOBBY, Calls, Clock
from tests.functional.lobby.claim_door import device_pem
from tests.regions import DUBLIN, FRANKFURT, Regions, regions

NAME = ThingName("sensor-1")
OWNER = Fingerprint("a" * 64)


class Doors:
    """Two Regions, of which Dublin is home at first. The notes are saved where both find them."""

    def __init__(self, clock: Clock, several: Regions) -> None:
        self.clock, self.several, self.notes = clock, several, dict[str, Any]()

    def orphan(self, region: Region, number: int) -> Fingerprint:
        """Let a door issue a certificate for a renewal that ends before it is recorded."""
        record_requested_key(make.public_key(number), OWNER)
        request = make.signing_request(NAME, number)
        made = boto3.client("iot", region_name=region).create_certificate_from_csr(certificateSigningRequest=request)
        return self._dated(region, made["certificateId"])

    def denied(self, region: Region) -> Fingerprint:
        """Let a door issue a certificate for a device that is then denied."""
        iot = boto3.client("iot", region_name=region)
        made = iot.register_certificate_without_ca(certificatePem=device_pem("pump-1"), status="PENDING_ACTIVATION")
        return self._dated(region, made["certificateId"])

    def _dated(self, region: Region, certid: str) -> Fingerprint:
        iot_backends[LOBBY][region].certificates[certid].creation_date = self.clock() - timedelta(days=2)
        return Fingerprint(certid)

    def clean(self, region: Region = DUBLIN) -> int:
        doors = RegionClients.of(region, {"LOBBY_REGIONS": ",".join(self.several.names)})
        iot = boto3.client("iot", region_name=region)
        return UnusedCertificates(region, iot, LedgerReader(), self.clock, doors).clean(self.notes)


def has(region: Region, certid: Fingerprint) -> bool:
    return certid in iot_backends[LOBBY][region].certificates


@pytest.fixture
def doors(calls: Calls, clock: Clock) -> Iterator[Doors]:
    with regions(calls) as several:
        yield Doors(clock, several)


def test_orphans_are_deleted_at_every_door(doors: Doors) -> None:
    here, there = doors.orphan(DUBLIN, 5), doors.orphan(FRANKFURT, 6)
    assert doors.clean() == 2
    assert (has(DUBLIN, here), has(FRANKFURT, there)) == (False, False)


def test_certificates_of_denied_devices_are_deleted_at_every_door(doors: Doors) -> None:
    denied = doors.denied(FRANKFURT)
    assert (doors.clean(), has(FRANKFURT, denied)) == (1, False)


def test_a_door_that_is_down_delays_no_other_and_is_cleaned_when_it_answers(doors: Doors) -> None:
    here, there = doors.orphan(DUBLIN, 5), doors.orphan(FRANKFURT, 6)
    doors.several.down = {FRANKFURT}
    assert (doors.clean(), has(DUBLIN, here), has(FRANKFURT, there)) == (1, False, True)
    doors.several.down = set()
    assert (doors.clean(), has(FRANKFURT, there)) == (1, False)


def test_an_error_in_the_own_region_is_an_error_of_the_run(doors: Doors) -> None:
    doors.several.down = {DUBLIN}
    with pytest.raises(Exception, match="Connect timeout"):
        doors.clean()


def test_a_new_home_continues_where_the_previous_one_was(doors: Doors, calls: Calls) -> None:
    doors.orphan(FRANKFURT, 6)
    doors.clean()
    there = doors.orphan(FRANKFURT, 7)
    assert doors.clean(FRANKFURT) == 0, "the run of the day was the previous home's"
    doors.clock.advance(days=1)
    iot_backends[LOBBY][FRANKFURT].certificates[there].creation_date = doors.clock() - timedelta(days=1.5)
    assert (doors.clean(FRANKFURT), has(FRANKFURT, there)) == (1, False)
