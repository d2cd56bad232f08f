"""Renewals in the ledger: found by each certificate, linked in the history, always in one row."""

import pytest

from lobby.domain.device import Device
from lobby.domain.states import Event, State
from lobby.errors import Conflict
from lobby.ledger.models import CertificateRow, LedgerRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint
from tests.aws import Calls
from tests.functional.lobby.ledger.ledger_devices import ONE, arrived

NEW, OTHER = Fingerprint("cd" * 32), Fingerprint("ef" * 32)
PEM = "-----BEGIN CERTIFICATE-----\nnew\n-----END CERTIFICATE-----\n"
BY = "2026-12-22T12:00:00.000Z"
JOB, DOOR, COMMISSIONER = "service:reconciler", "service:renewer", "service:commissioner"


def renewed(ledger: Ledger) -> None:
    device = ledger.due(arrived(ledger), BY, JOB)
    device = ledger.renew(device, NEW, PEM, "2049-12-31", DOOR)
    device = ledger.commission(device, "a.example", COMMISSIONER)
    device = ledger.arrive(device, "service:arrivals", NEW)
    ledger.retire_certificates(device, device.retiring, COMMISSIONER)


def able(ledger: Ledger) -> Device:
    device = arrived(ledger)
    assert ledger.record_heartbeat(device, "2.0", can_renew=True)
    row = ledger.get(ONE)
    assert row is not None
    return row


def test_a_renewed_device_is_found_by_its_label_and_by_its_new_certificate(ledger: Ledger) -> None:
    renewed(ledger)
    device = ledger.find(ONE)
    assert device == ledger.find(NEW)
    assert device is not None
    assert (device.certid, device.current, device.devstate) == (ONE, NEW, State.ARRIVED)
    assert ledger.find(OTHER) is None


def test_the_history_has_both_certificates(ledger: Ledger) -> None:
    renewed(ledger)
    events = [(entry.event, entry.reason) for entry in ledger.history(ONE)][-5:]
    assert events == [
        (Event.DUE, None),
        (Event.RENEW, NEW),
        (Event.COMMISSION, None),
        (Event.ARRIVE, "RENEWED"),
        (Event.RETIRE, ONE),
    ]


def test_the_new_certificate_names_its_device_and_the_one_that_it_renews(ledger: Ledger) -> None:
    renewed(ledger)
    item = CertificateRow.get(NEW)
    assert (item.device, item.renews) == (ONE, ONE)


def test_a_device_that_renews_is_read_with_both_certificates(ledger: Ledger) -> None:
    device = ledger.due(arrived(ledger), BY, JOB)
    ledger.renew(device, NEW, PEM, None, DOOR)
    read = ledger.get_with_certificate(ONE)
    assert read is not None
    assert read.pems() == {ONE: "PEM 1", NEW: PEM}


def test_a_renewed_device_is_read_with_its_new_certificate(ledger: Ledger) -> None:
    renewed(ledger)
    read = ledger.get_with_certificate(ONE)
    assert read is not None
    assert read.pems() == {NEW: PEM}
    assert ledger.certificate(read) == PEM


def test_only_devices_that_are_to_renew_are_in_the_index(ledger: Ledger) -> None:
    device = arrived(ledger)
    assert not list(LedgerRow.by_renewal.query("due"))
    ledger.due(device, BY, JOB)
    assert [(row.certid, row.renew_by) for row in LedgerRow.by_renewal.query("due")] == [(ONE, BY)]


def test_a_certificate_signed_for_an_earlier_claim_is_rejected(ledger: Ledger) -> None:
    device = ledger.due(arrived(ledger), BY, JOB)
    ledger.retry(ONE, "user:ann")
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        ledger.renew(device, NEW, PEM, None, DOOR)
    assert ledger.find(NEW) is None


def test_two_concurrent_requests_give_one_certificate(ledger: Ledger, calls: Calls) -> None:
    device = ledger.due(arrived(ledger), BY, JOB)
    calls.meanwhile["TransactWriteItems"] = lambda: ledger.renew(device, OTHER, PEM, None, DOOR)
    with pytest.raises(Conflict, match="CHANGED_MEANWHILE"):
        ledger.renew(device, NEW, PEM, None, DOOR)
    assert ledger.find(NEW) is None


def test_being_asked_again_is_an_entry_and_changes_no_deadline(ledger: Ledger) -> None:
    device = ledger.due(able(ledger), BY, JOB)
    asked = ledger.retire_certificates(device, (), COMMISSIONER)
    again = ledger.due(asked, "2027-12-22T12:00:00.000Z", JOB)
    assert (again.renew_by, again.needs_commissioner) == (BY, True)
    assert [(each.event, each.reason) for each in ledger.latest(ONE, 3)] == [
        (Event.DUE, None),
        (Event.DUE, "ASKED"),
        (Event.DUE, None),
    ]
