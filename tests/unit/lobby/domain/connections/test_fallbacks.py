"""Fallbacks of devices that alternate between lobby and target."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lobby.domain import hellos, transitions
from lobby.domain.commissioner_transitions import arrive
from lobby.domain.connections.fallbacks import LONGEST_STAY, is_fallback
from lobby.domain.device import Device
from lobby.domain.hellos import Report
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.clock import timestamp
from lobby.ledger.items import attributes_of, device_of_image
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, parse_target

BEGIN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TARGET = parse_target("1" * 12, "eu-west-1")
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
ARRIVED = Device(
    Fingerprint("ab" * 32), State.ARRIVED, timestamp(BEGIN), iotep="a.example", target=TARGET, devicecert="PEM"
)
COMMISSIONED = replace(ARRIVED, devstate=State.COMMISSIONED)


def alternate(device: Device, every: timedelta, until: timedelta) -> tuple[Device, int]:
    """Let the device send hellos in the lobby, and connect to its target between them. Return the added entries."""
    at, entries = BEGIN, 0
    while at < BEGIN + until:
        at += every
        if device.devstate is State.ARRIVED and is_fallback(device, at):
            device, entries = hellos.hello(device, Report(), timestamp(at)), entries + 1
        if device.devstate is State.COMMISSIONED:
            device, entries = arrive(device, timestamp(at + every / 2)), entries + 1
    return device, entries


def test_a_device_that_alternates_adds_few_entries_a_day_without_end() -> None:
    _, first_day = alternate(ARRIVED, 30 * SECOND, DAY)
    _, ten_days = alternate(ARRIVED, 30 * SECOND, 10 * DAY)
    assert first_day == 20
    assert ten_days <= 12 * 10


def test_the_first_fallback_is_recorded_after_a_minute_and_each_next_one_takes_twice_as_long() -> None:
    device, waits = ARRIVED, []
    for _ in range(5):
        wait = next(minutes for minutes in range(1000) if is_fallback(device, at_minute(device, minutes)))
        waits.append(wait)
        at = at_minute(device, wait)
        device = arrive(hellos.hello(device, Report(), timestamp(at)), timestamp(at + SECOND))
    assert waits == [2, 3, 5, 9, 17]


def at_minute(device: Device, minutes: int) -> datetime:
    return datetime.fromisoformat(device.enteredat) + minutes * MINUTE


def test_a_day_in_the_target_or_a_new_claim_starts_the_count_again() -> None:
    unsteady = replace(ARRIVED, fallbacks=9)
    back = hellos.hello(unsteady, Report(), timestamp(BEGIN + LONGEST_STAY))
    assert (back.devstate, back.fallbacks) == (State.COMMISSIONED, 0)
    moved = transitions.move(unsteady, ClaimRequest(parse_target("2" * 12, "eu-west-1")), "user:ann", timestamp(BEGIN))
    assert moved.fallbacks == 0


def test_a_hello_from_before_the_arrival_is_no_fallback_and_only_arrived_devices_fall_back() -> None:
    assert not is_fallback(ARRIVED, BEGIN - MINUTE)
    assert not is_fallback(COMMISSIONED, BEGIN + DAY)


def test_the_count_is_stored_in_the_row_and_an_older_row_has_none() -> None:
    for count in (0, 3):
        device = replace(ARRIVED, fallbacks=count)
        assert device_of_image(LedgerRow(**attributes_of(device)).serialize()) == device
    assert "fallbacks" not in attributes_of(ARRIVED)
