"""Devices to claim in bulk, for tests."""

from collections.abc import Iterable

from lobby.domain.device import Device
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.identity import Identity
from lobby.domain.transitions import ClaimRequest
from lobby.errors import LobbyError
from lobby.ledger.items import attributes_of
from lobby.ledger.models import LedgerRow
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, ThingName, parse_target

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")


ANN, US, T = "user:ann", "service:tests", "2026-11-22T12:00:00.000Z"


REQUEST = ClaimRequest(A)


def never() -> bool:
    return False


def fingerprints(count: int, first: int = 0) -> list[Fingerprint]:
    return [Fingerprint(f"{number:064x}") for number in range(first, first + count)]


def in_lobby(ledger: Ledger, certid: Fingerprint) -> Device:
    return ledger.hello(ledger.admit(Identity(certid, ThingName(f"sensor-{int(certid, 16)}"), "PEM"), US), None, US)


def put(devices: Iterable[Device]) -> None:
    with LedgerRow.batch_write() as batch:
        for device in devices:
            batch.save(LedgerRow(**attributes_of(device)))


def results(outcomes: list[Device | LobbyError]) -> list[str]:
    """Return the state or the error code of each result."""
    return [each.code if isinstance(each, LobbyError) else each.devstate.value for each in outcomes]


def is_valid(ledger: Ledger, certid: Fingerprint) -> bool:
    device = ledger.get(certid)
    assert device is not None
    return first_broken_entry(ledger.history(certid), version=device.version, head=device.head) is None
