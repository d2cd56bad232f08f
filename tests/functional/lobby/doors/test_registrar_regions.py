"""Claim certificates in a lobby with several Regions: valid at every door, and deactivated at every door."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import boto3
import pytest
from moto.iot.models import iot_backends

from lobby.aws.pacer import Pacer
from lobby.aws.region_clients import RegionClients
from lobby.domain.enrolments.claim_certificate import CertificateActivity
from lobby.domain.pacing import Pace
from lobby.doors.claim_registrations import ClaimRegistrations
from lobby.doors.elsewhere_round import MINUTES, PARTS, ElsewhereRound, part_of
from lobby.doors.registrar import handler
from lobby.ledger.reader import LedgerReader
from lobby.names import Fingerprint, Region, Target
from tests import aws
from tests.aws import LOBBY, WAITING_POLICY, Calls, Clock
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
        self.claims = self.in_region(DUBLIN)
        self.enrol(limit=5)

    def in_region(self, region: Region) -> ClaimRegistrations:
        doors = RegionClients.of(region, {"LOBBY_REGIONS": ",".join(self.several.names)})
        iot = boto3.client("iot", region_name=region)
        return ClaimRegistrations(iot, POLICY, KEYS_POLICY, LedgerReader(), self.clock, doors)


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
    (certificate,) = doors.claims._certificates.of(PUMPS)
    assert certificate.activity is CertificateActivity.STARTING
    doors.several.down = set()
    doors.claims.align_all()
    assert doors.claim(certificate.certid).activity is CertificateActivity.ACTIVE
    assert aws.status(certificate.certid, IN_FRANKFURT) == "ACTIVE"


def test_after_a_promotion_the_new_home_revokes_it_at_every_door(doors: Doors) -> None:
    certid = doors.add_claim()
    doors.in_region(FRANKFURT).revoke(certid, "user:ann")
    assert (aws.status(certid), aws.status(certid, IN_FRANKFURT)) == ("INACTIVE", "INACTIVE")


def test_it_counts_as_active_until_it_was_deactivated_at_a_door_that_is_down(doors: Doors) -> None:
    certid = doors.add_claim()
    doors.several.down = {FRANKFURT}
    with pytest.raises(Exception, match="Connect timeout"):
        doors.claims.revoke(certid, "user:ann")
    assert doors.claim(certid).activity is CertificateActivity.ACTIVE
    doors.several.down = set()
    doors.claims.align_all()
    assert doors.claim(certid).activity is CertificateActivity.INACTIVE
    assert aws.status(certid, IN_FRANKFURT) == "INACTIVE"


def forget(certid: Fingerprint) -> None:
    """Make the second Region one that was added after the certificate."""
    there = iot_backends[LOBBY][FRANKFURT]
    del there.certificates[certid]
    there.principal_policies.clear()


def test_a_region_that_was_added_later_gets_the_active_claim_certificates(doors: Doors) -> None:
    certid = doors.add_claim(creates_keys=True)
    forget(certid)
    certificate = doors.claim(certid)
    assert [doors.in_region(FRANKFURT).complete(certificate) for _ in range(2)] == [True, False]
    assert aws.status(certid, IN_FRANKFURT) == "ACTIVE"
    policies = [policy for _, policy in aws.registry(IN_FRANKFURT)["policies"]]
    assert sorted(policies) == sorted([POLICY, KEYS_POLICY])


def test_a_region_gets_no_claim_certificate_that_is_not_active(doors: Doors) -> None:
    certid = doors.add_claim()
    doors.claims.revoke(certid, "user:ann")
    forget(certid)
    assert not doors.in_region(FRANKFURT).complete(doors.claim(certid))
    assert aws.status(certid, IN_FRANKFURT) is None


def test_the_timer_registers_what_is_missing_in_a_region_that_is_not_home(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    certid = doors.add_claim()
    forget(certid)
    doors.several.replicate(DUBLIN, FRANKFURT)
    monkeypatch.setattr("lobby.doors.elsewhere_round.authorities_of", lambda _iot: [])
    working = ElsewhereRound(boto3.client("iot", FRANKFURT), WAITING_POLICY, Pacer(Pace(1000)), doors.clock)
    service = replace(doors.service, claims=doors.in_region(FRANKFURT), elsewhere=working)
    doors.clock.advance(minutes=MINUTES * (int(certid[:8], 16) % PARTS - part_of(doors.clock())))
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 110_000)
    with doors.several.at(FRANKFURT):
        assert handler({"operation": "run"}, context, service) == {"CertificatesOfOtherDoors": 1}
    assert aws.status(certid, IN_FRANKFURT) == "ACTIVE"
