"""Revocation lists: complete, with increasing numbers, and never without their record."""

import json
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from lobby.errors import InvalidInput
from pki.ca.authority import Authority
from pki.ca.crl import CRL_FILE, RECORD_FILE, Reason, crl_number, load_crl, load_record
from pki.errors import StorageError


def test_a_list_is_signed_and_has_an_expiry(ca: Authority, now: datetime) -> None:
    issued = ca.renew_crl(now=now)
    assert issued.is_signature_valid(ca.key.public_key())
    assert issued.issuer == ca.intermediate.subject
    assert issued.next_update_utc == now + timedelta(days=30)
    assert issued.last_update_utc < now
    assert load_crl(ca.directory) == issued


@pytest.mark.parametrize("reason", list(Reason))
def test_a_revoked_device_is_listed_with_its_reason(ca: Authority, now: datetime, reason: Reason) -> None:
    device = ca.issue_device("d", now=now).certificate
    entry = ca.revoke([device], reason, now=now).get_revoked_certificate_by_serial_number(device.serial_number)
    assert entry is not None
    assert entry.revocation_date_utc == now
    if reason is Reason.UNSPECIFIED:
        assert len(entry.extensions) == 0
    else:
        assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason == reason.flag()


def test_lists_keep_revocations_and_increase_their_number(ca: Authority, now: datetime) -> None:
    devices = [ca.issue_device(f"d-{i}", now=now).certificate for i in range(3)]
    numbers = [crl_number(ca.revoke([device], Reason.SUPERSEDED, now=now)) for device in devices]
    issued = ca.renew_crl(now=now + timedelta(days=20), days=7)
    assert numbers == [2, 3, 4]
    assert crl_number(issued) == 5
    assert {entry.serial_number for entry in issued} == {device.serial_number for device in devices}


def test_revoking_twice_keeps_the_first_time_and_reason(ca: Authority, now: datetime) -> None:
    device = ca.issue_device("d", now=now).certificate
    ca.revoke([device], Reason.KEY_COMPROMISE, now=now)
    ca.revoke([device], Reason.SUPERSEDED, now=now + timedelta(days=1))
    (entry,) = load_record(ca.directory).revoked
    assert (entry.reason, entry.at) == (Reason.KEY_COMPROMISE, now.isoformat())


def test_restoring_an_older_record_does_not_decrease_the_number(ca: Authority, now: datetime) -> None:
    backup = (ca.directory / RECORD_FILE).read_bytes()
    for _ in range(3):
        ca.renew_crl(now=now)
    (ca.directory / RECORD_FILE).write_bytes(backup)
    assert crl_number(ca.renew_crl(now=now)) == 5


def test_a_restored_record_that_lacks_revocations_is_rejected(ca: Authority, now: datetime) -> None:
    backup = (ca.directory / RECORD_FILE).read_bytes()
    first, second = (ca.issue_device(name, now=now).certificate for name in ("d-1", "d-2"))
    ca.revoke([first], Reason.SUPERSEDED, now=now)
    before = (ca.directory / CRL_FILE).read_bytes()
    (ca.directory / RECORD_FILE).write_bytes(backup)
    with pytest.raises(StorageError, match=r"BROKEN_FILE: got .*revoked.json without 1 revocations"):
        ca.renew_crl(now=now)
    with pytest.raises(StorageError, match="BROKEN_FILE"):
        ca.revoke([second], Reason.SUPERSEDED, now=now)
    assert (ca.directory / CRL_FILE).read_bytes() == before
    assert (ca.directory / RECORD_FILE).read_bytes() == backup


def test_a_certificate_of_another_ca_cannot_be_revoked(ca: Authority, shared_ca: Authority, now: datetime) -> None:
    before = (ca.directory / CRL_FILE).read_bytes()
    foreign = (shared_ca.issue_device("d", now=now).certificate, ca.intermediate, ca.root)
    for certificate in foreign:
        with pytest.raises(InvalidInput, match="FOREIGN_CERTIFICATE"):
            ca.revoke([certificate], Reason.SUPERSEDED, now=now)
    assert (ca.directory / CRL_FILE).read_bytes() == before


def test_a_list_without_its_record_is_not_renewed(ca: Authority, now: datetime) -> None:
    (ca.directory / RECORD_FILE).unlink()
    with pytest.raises(StorageError, match=RECORD_FILE):
        ca.renew_crl(now=now)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"number": 1}', '{"number": 1, "revoked": [{}]}', '{"number": 1, "revoked": [{"reason": "x"}]}'],
)
def test_an_invalid_record_is_rejected_and_the_list_is_unchanged(ca: Authority, now: datetime, content: str) -> None:
    before = (ca.directory / CRL_FILE).read_bytes()
    (ca.directory / RECORD_FILE).write_text(content)
    with pytest.raises(StorageError, match="BROKEN_FILE"):
        ca.renew_crl(now=now)
    assert (ca.directory / CRL_FILE).read_bytes() == before


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_list_validity_out_of_range_is_rejected(ca: Authority, now: datetime, days: int) -> None:
    before = json.loads((ca.directory / RECORD_FILE).read_bytes())
    with pytest.raises(InvalidInput, match="INVALID_DAYS"):
        ca.renew_crl(now=now, days=days)
    assert json.loads((ca.directory / RECORD_FILE).read_bytes()) == before
