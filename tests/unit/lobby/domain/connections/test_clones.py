"""Evidence that two devices use one certificate, and honest devices that must not be suspected."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lobby.domain.connections.clones import (
    KEPT_MS,
    LOBBY,
    MAX_SIGHTINGS,
    RETURNS,
    SKEW_MS,
    WINDOW_MS,
    Evidence,
    LobbySession,
    Sighting,
    Signal,
    Suspicion,
    added,
    at_once,
    dismissed,
    takeovers,
    usable_from,
)
from lobby.domain.connections.lifecycle_events import address_of, sighting_of
from lobby.errors import InvalidInput

MINUTE = 60_000
NOON = 1_795_348_800_000
TARGET = "111111111111/eu-west-1"
A, B, C = "192.0.2.1", "198.51.100.7", "203.0.113.9"
SIX, OTHER_SIX = "2001:db8:1:2::/64", "2001:db8:9:9::/64"


def seen(version: int, address: str, at: int = 0, place: str = LOBBY) -> Sighting:
    return Sighting(place, version, f"{place}-{version}", NOON + at, address)


def in_turn(*addresses: str, step: int = 10_000, place: str = LOBBY) -> list[Sighting]:
    return [seen(version, address, version * step, place) for version, address in enumerate(addresses)]


def test_two_addresses_in_turn_are_evidence() -> None:
    found = takeovers(in_turn(A, B, A, B, A, B, A), LOBBY, 0)
    assert found == Evidence(Signal.TAKEOVERS, LOBBY, (A, B))


@pytest.mark.parametrize(
    "addresses",
    [
        [A] * 24,
        [A] * 12 + [B] * 12,
        [A, B, C, "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8"],
        [A, B, A, B, A, B],
        [A] * 5 + [B] * 5 + [A] * 5 + [B] * 5,
        [A, SIX] * 12,
        [],
    ],
    ids=["bad network", "new address", "mobile network", "one too few", "two networks", "IPv4 and IPv6", "nothing"],
)
def test_one_device_is_not_suspected(addresses: list[str]) -> None:
    assert takeovers(in_turn(*addresses), LOBBY, 0) is None


def test_two_holders_that_both_have_ipv4_and_ipv6_are_evidence() -> None:
    assert takeovers(in_turn(A, SIX, B, OTHER_SIX, A, B, A, B, A, B), LOBBY, 0) == Evidence(
        Signal.TAKEOVERS, LOBBY, (A, B)
    )
    found = takeovers(in_turn(SIX, OTHER_SIX, SIX, A, OTHER_SIX, SIX, OTHER_SIX, SIX), LOBBY, 0)
    assert found == Evidence(Signal.TAKEOVERS, LOBBY, (SIX, OTHER_SIX))


def test_only_the_last_ten_minutes_count() -> None:
    slow = in_turn(*[A, B] * 4, step=WINDOW_MS // 4)
    assert takeovers(slow, LOBBY, 0) is None


def test_each_place_counts_its_own_versions() -> None:
    sightings = in_turn(A, B, A, B) + in_turn(A, B, A, B, place=TARGET)
    assert takeovers(sightings, LOBBY, 0) is None
    assert takeovers(sightings, TARGET, 0) is None


def test_evidence_from_before_a_dismissal_does_not_count() -> None:
    sightings = in_turn(*[A, B] * 4)
    suspicion = Suspicion(Signal.TAKEOVERS, "2026-11-22T12:00:30.000Z", LOBBY, (A, B))
    assert usable_from(None) == usable_from(suspicion) == 0
    later = dismissed(suspicion, "2026-11-22T12:05:00.000Z")
    assert usable_from(later) == NOON + 5 * MINUTE + SKEW_MS
    assert takeovers(sightings, LOBBY, usable_from(later)) is None
    again = [replace(each, at=each.at + 8 * MINUTE) for each in sightings]
    assert takeovers(again, LOBBY, usable_from(later)) is not None
    assert dismissed(later, "2026-11-22T13:00:00.000Z") == later


CHANGES = st.lists(st.integers(1, 20), min_size=1, max_size=RETURNS + 1)
"""How many connections one device makes from each network in turn: a device changes its network at most five times in
ten minutes."""


@settings(deadline=None)
@given(CHANGES, st.randoms(use_true_random=False))
def test_a_device_that_changes_its_network_is_not_suspected_whatever_aws_delivers(runs: list[int], chance: Any) -> None:
    """Times are up to two minutes off, events come twice and in any order, and some are missing."""
    addresses = [(A, B)[number % 2] for number, count in enumerate(runs) for _ in range(count)]
    events = [seen(version, each, version * 5_000) for version, each in enumerate(addresses)]
    delivered = [replace(each, at=each.at + chance.randint(-SKEW_MS, SKEW_MS)) for each in events]
    delivered = [each for each in delivered if chance.random() < 0.9] + chance.sample(delivered, len(delivered) // 2)
    chance.shuffle(delivered)
    sightings: tuple[Sighting, ...] = ()
    for each in delivered:
        sightings = added(sightings, each)
        assert takeovers(sightings, LOBBY, 0) is None
    assert len(sightings) <= MAX_SIGHTINGS


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_copy_is_found_although_events_are_disordered_and_come_twice(chance: Any) -> None:
    events = in_turn(*[A, B] * 6, step=20_000)
    delivered = [replace(each, at=each.at + chance.randint(-SKEW_MS, SKEW_MS)) for each in events] * 2
    chance.shuffle(delivered)
    sightings: tuple[Sighting, ...] = ()
    for each in delivered:
        sightings = added(sightings, each)
    assert takeovers(sightings, LOBBY, 0) is not None


def test_a_connection_that_is_known_changes_nothing_and_old_ones_are_removed() -> None:
    sightings = added((), seen(1, A))
    assert added(sightings, replace(seen(1, A), at=NOON + 5)) == sightings
    assert added(sightings, seen(2, A, 25 * 60 * MINUTE)) == (seen(2, A, 25 * 60 * MINUTE),)
    for version in range(2, 99):
        sightings = added(sightings, seen(version, A, version))
    assert [each.version for each in sightings] == list(range(99 - MAX_SIGHTINGS, 99))


def test_a_wrong_time_hides_no_later_connections() -> None:
    """A target's owner can send any report."""
    wrong = added(added((), seen(1, A)), seen(2, A, 4000 * KEPT_MS))
    assert added(wrong, seen(3, B, 1000)) == (seen(3, B, 1000),)


def session(minutes: float, address: str = A) -> LobbySession:
    return LobbySession(address, NOON, NOON + int(minutes * MINUTE))


def test_a_connection_to_the_target_within_one_to_the_lobby_is_evidence() -> None:
    there = [seen(1, B, 6 * MINUTE, TARGET)]
    assert at_once(there, session(11), 0) == Evidence(Signal.AT_ONCE, TARGET, (A, B))


@pytest.mark.parametrize(
    ("at", "address", "minutes", "place"),
    [
        (4, B, 30, TARGET),
        (6, B, 10, TARGET),
        (6, A, 30, TARGET),
        (6, SIX, 30, TARGET),
        (6, B, 30, LOBBY),
        (31, B, 30, TARGET),
        (-5, B, 30, TARGET),
    ],
    ids=["begin inexact", "end inexact", "same address", "IPv4 and IPv6", "same place", "after it", "before it"],
)
def test_a_connection_that_one_device_can_make_is_no_evidence(at: int, address: str, minutes: int, place: str) -> None:
    assert at_once([seen(1, address, at * MINUTE, place)], session(minutes), 0) is None


def test_a_connection_from_before_a_dismissal_is_no_evidence() -> None:
    assert at_once([seen(1, B, 6 * MINUTE, TARGET)], session(30), NOON + 7 * MINUTE) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("not an address", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_an_address_is_that_of_the_network_of_a_device(text: object, address: str | None) -> None:
    assert address_of({"address": text}) == address


def test_an_event_of_an_earlier_rule_has_no_sighting() -> None:
    event = {"version": 3, "session": "s1", "at": NOON, "address": A}
    assert sighting_of(event, LOBBY) == Sighting(LOBBY, 3, "s1", NOON, A)
    assert sighting_of(event | {"version": None}, LOBBY) is None
    assert sighting_of(event | {"address": None}, LOBBY) is None
    with pytest.raises(InvalidInput, match="got session"):
        sighting_of(event | {"session": 4}, LOBBY)


def test_a_suspicion_is_stored_and_read_again() -> None:
    suspicion = Suspicion(Signal.AT_ONCE, "2026-11-22T12:00:00.000Z", TARGET, (A, B))
    assert Suspicion.decode(suspicion.encode()) == suspicion
    later = dismissed(suspicion, "2026-11-22T13:00:00.000Z")
    assert Suspicion.decode(later.encode()) == later
    assert f"{A} and {B}" in suspicion.message
    assert A not in suspicion.advice
