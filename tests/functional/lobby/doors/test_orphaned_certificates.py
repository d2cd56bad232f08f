"""The job that deletes orphaned certificates: which ones it deletes, and which certificates of other users it keeps."""

from datetime import datetime
from typing import Any

import pytest
from moto.iot.models import iot_backends

from lobby.domain.identity import Identity
from lobby.doors.orphaned_certificates import OrphanedCertificates
from lobby.ledger.certificates import compressed
from lobby.ledger.models import CertificateRow
from lobby.ledger.reader import LedgerReader
from lobby.ledger.renewals.requested_keys import record_requested_key
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName
from tests import aws
from tests import certificates as make
from tests.aws import LOBBY, REGION, WAITING_POLICY, Clock
from tests.functional.lobby.claim_door import ClaimDoor

NAME = ThingName("sensor-1")
ONE = make.device(make.authority(), NAME)
OWNER = make.fingerprint_of(make.pem_of(ONE))


class Account:
    """The lobby's AWS IoT, with a device, and certificates whose age is chosen."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.iot, self.clock, self.note = aws.client("iot"), clock, dict[str, Any]()
        ledger.admit(Identity(OWNER, NAME, make.pem_of(ONE)), "service:bouncer")
        self.job = OrphanedCertificates(self.iot, LedgerReader(), clock)

    def issue(self, number: int, *, days: float = 2, active: bool = False) -> Fingerprint:
        """Issue a certificate for the key `number`, as AWS IoT did some days ago."""
        request = make.signing_request(NAME, number)
        made = self.iot.create_certificate_from_csr(certificateSigningRequest=request, setAsActive=active)
        self.date(made["certificateId"], self.clock() - days * make.DAY)
        return Fingerprint(made["certificateId"])

    def request(self, number: int, *, days: float = 2, active: bool = False) -> Fingerprint:
        """As `issue`, for a device that has requested it in order to renew."""
        record_requested_key(make.public_key(number), OWNER)
        return self.issue(number, days=days, active=active)

    @staticmethod
    def date(certid: str, at: datetime) -> None:
        iot_backends[LOBBY][REGION].certificates[certid].creation_date = at

    def run(self) -> int:
        return self.job.clean(self.note)

    def has(self, certid: str) -> bool:
        return certid in iot_backends[LOBBY][REGION].certificates


@pytest.fixture
def account(ledger: Ledger, clock: Clock) -> Account:
    return Account(ledger, clock)


def test_a_certificate_that_a_renewal_did_not_record_is_deleted(account: Account) -> None:
    orphan = account.request(5)
    assert (account.run(), account.has(orphan)) == (1, False)


def test_a_certificate_of_the_key_of_its_device_is_deleted(account: Account) -> None:
    orphan = account.issue(0)
    assert (account.run(), account.has(orphan)) == (1, False)


def test_a_certificate_of_an_unknown_key_belongs_to_another_user(account: Account) -> None:
    others = account.issue(5)
    assert (account.run(), account.has(others)) == (0, True)


def test_a_certificate_younger_than_a_day_may_still_be_recorded(account: Account) -> None:
    orphan = account.request(5, days=0.9)
    assert account.run() == 0
    account.clock.advance(days=1)
    assert (account.run(), account.has(orphan)) == (1, False)


def test_a_certificate_that_a_renewal_has_recorded_stays(account: Account) -> None:
    retired = account.request(5)
    pem = account.iot.describe_certificate(certificateId=retired)["certificateDescription"]["certificatePem"]
    CertificateRow(retired, pem=compressed(pem), device=OWNER, renews=OWNER).save()
    assert (account.run(), account.has(retired)) == (0, True)


def test_an_active_certificate_stays(account: Account) -> None:
    active = account.request(5, active=True)
    assert (account.run(), account.has(active)) == (0, True)


def test_a_certificate_with_a_policy_stays(account: Account) -> None:
    attached = account.request(5)
    arn = account.iot.describe_certificate(certificateId=attached)["certificateDescription"]["certificateArn"]
    account.iot.attach_policy(policyName=WAITING_POLICY, target=arn)
    assert (account.run(), account.has(attached)) == (0, True)


def test_the_certificate_of_a_revoked_device_stays(account: Account, ledger: Ledger) -> None:
    pem = make.pem_of(ONE)
    account.iot.register_certificate_without_ca(certificatePem=pem, status="INACTIVE")
    account.date(OWNER, account.clock() - 2 * make.DAY)
    ledger.revoke(OWNER, "stolen", "user:ann")
    assert (account.run(), account.has(OWNER)) == (0, True)


def test_a_claim_certificate_of_a_paused_enrolment_stays(door: ClaimDoor) -> None:
    door.enrol(limit=1)
    claim = door.add_claim()
    door.iot.update_certificate(certificateId=claim, newStatus="INACTIVE")
    Account.date(claim, door.clock() - 2 * make.DAY)
    assert door.orphaned.clean({}) == 0


def test_a_run_a_day_reads_what_is_new_since_the_last_one(account: Account) -> None:
    account.run()
    orphan = account.request(5, days=1.5)
    assert account.run() == 0, "one run a day"
    account.clock.advance(days=1)
    account.date(orphan, account.clock() - 1.5 * make.DAY)
    assert account.run() == 1


def test_a_run_that_is_interrupted_starts_again(account: Account) -> None:
    account.request(5)
    assert account.job.clean(account.note, lambda: True) == 0
    assert "orphans" not in account.note
    assert account.run() == 1


@pytest.fixture
def door(calls: aws.Calls, clock: Clock) -> ClaimDoor:
    return ClaimDoor(calls, clock)
