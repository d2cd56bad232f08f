"""Devices in the ledger, and checks of their histories, for tests."""

from typing import Any

from botocore.exceptions import ClientError

from lobby.domain.device import Device
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.states import Event
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")


ONE, TWO = Fingerprint("1a" * 32), Fingerprint("2b" * 32)


ANN = "user:ann"


WHO = Identity(ONE, ThingName("sensor-1"), "PEM 1")


def admitted(ledger: Ledger, identity: Identity = WHO) -> Device:
    return ledger.admit(identity, "service:bouncer")


def in_lobby(ledger: Ledger) -> Device:
    return ledger.hello(admitted(ledger), "1.0", "service:receptionist")


def arrived(ledger: Ledger) -> Device:
    in_lobby(ledger)
    claimed = ledger.claim(ONE, ClaimRequest(A), ANN)
    return ledger.arrive(ledger.commission(claimed, "a.example", "service:commissioner"), "service:arrivals")


def verified_events(ledger: Ledger, certid: Fingerprint = ONE) -> list[Event]:
    """Return the events of a device's history, after a check of the history and the row."""
    device, entries = ledger.get(certid), ledger.history(certid)
    if device is None:
        assert first_broken_entry(entries) is None
    else:
        assert first_broken_entry(entries, version=device.version, head=device.head) is None
    return [entry.event for entry in entries]


def cancelled(*codes: str) -> ClientError:
    """Return the error of a transaction that DynamoDB has cancelled because of its last items."""
    reasons = [{"Code": "None"}, {"Code": "None"}, *({"Code": code} for code in codes)]
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": reasons,
    }
    return ClientError(response, "TransactWriteItems")
