"""Heartbeats: how often they are written, and what they change."""

import pytest

from lobby.domain.device import Device
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.models import LedgerRow
from lobby.ledger.store import Ledger
from tests import aws
from tests.aws import Calls, Clock
from tests.functional.lobby.ledger.ledger_devices import ANN, ONE, A, B, admitted, arrived, in_lobby


def test_a_heartbeat_is_written_at_most_once_in_half_an_hour(ledger: Ledger, calls: Calls, clock: Clock) -> None:
    device = in_lobby(ledger)
    calls.forget()
    for _ in range(10):
        clock.advance(seconds=5)
        assert not ledger.record_heartbeat(device, "1.0")
    assert calls.names() == []
    clock.advance(minutes=30)
    assert ledger.record_heartbeat(device, "1.0")
    assert calls.names() == ["UpdateItem"]
    after = ledger.get(ONE)
    assert after is not None
    assert after.lastseen == "2026-11-22T12:30:50.000Z"


def test_a_heartbeat_changes_no_index_and_no_history(ledger: Ledger, clock: Clock) -> None:
    device = in_lobby(ledger)
    before = aws.tables()
    clock.advance(minutes=31)
    assert ledger.record_heartbeat(device, "1.0")
    after = aws.tables()
    old, new = before.pop("device-lobby-ledger"), after.pop("device-lobby-ledger")
    assert before == after
    assert {key for key in new[0] if new[0][key] != old[0].get(key)} == {"lastseen"}
    indexes = (LedgerRow.by_state, LedgerRow.by_target, LedgerRow.by_name, LedgerRow.by_print)
    assert all("lastseen" not in (index.Meta.projection.non_key_attributes or ()) for index in indexes)


@pytest.mark.parametrize("state", ["knocking", "claimed", "commissioned", "arrived", "released"])
def test_a_heartbeat_is_written_for_waiting_devices_only(ledger: Ledger, clock: Clock, state: str) -> None:
    device: Device | None = admitted(ledger)
    if state != "knocking":
        device = arrived(ledger)
    if state in ("claimed", "commissioned"):
        device = ledger.move(ONE, ClaimRequest(B), ANN)
    if state == "commissioned" and device:
        device = ledger.commission(device, "b.example", "service:commissioner")
    if state == "released":
        device = ledger.release(ONE, ANN)
    clock.advance(minutes=31)
    before = aws.tables()
    assert device is not None
    assert not ledger.record_heartbeat(device, None)
    assert aws.tables() == before


def test_a_device_that_is_being_commissioned_reports_once_that_it_can_renew(ledger: Ledger, calls: Calls) -> None:
    admitted(ledger)
    device = ledger.claim(ONE, ClaimRequest(B), ANN)
    assert ledger.record_heartbeat(device, "2.0", can_renew=True)
    after = ledger.get(ONE)
    assert after is not None
    assert (after.can_renew, after.needs_commissioner, after.version) == (True, True, device.version)
    assert ledger.commission(device, "b.example", "service:commissioner").version == device.version + 1
    commissioned = ledger.get(ONE)
    assert commissioned is not None
    assert commissioned.can_renew
    calls.forget()
    assert not ledger.record_heartbeat(after, "2.0", can_renew=True)
    assert not ledger.record_heartbeat(device, "2.0")
    assert calls.names() == []


def test_a_heartbeat_yields_to_a_change_of_the_claim(ledger: Ledger, calls: Calls, clock: Clock) -> None:
    device = in_lobby(ledger)
    clock.advance(minutes=31)
    calls.meanwhile["UpdateItem"] = lambda: ledger.claim(ONE, ClaimRequest(A), ANN)
    assert not ledger.record_heartbeat(device, None)
    assert (aws.item(ONE) or {})["lastseen"] == {"S": "2026-11-22T12:00:00.000Z"}


def test_a_heartbeat_records_the_client_version(ledger: Ledger, clock: Clock) -> None:
    device = in_lobby(ledger)
    clock.advance(minutes=31)
    assert ledger.record_heartbeat(device, "2.0")
    after = ledger.get(ONE)
    assert after is not None
    assert (after.clientversion, after.version) == ("2.0", device.version)
