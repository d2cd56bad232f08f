"""The hash chain of a history: changed, removed, added and reordered entries are detected."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby.domain.device import GENESIS, Device, Entry
from lobby.domain.history.history_audit import first_broken_entry
from lobby.domain.states import Event, State
from lobby.names import Fingerprint
from lobby.wire import Route

CERTID = Fingerprint("ab" * 32)
OTHER: dict[str, Any] = {
    "certid": "cd" * 32,
    "seq": 9,
    "at": "2027-01-01T00:00:00.000Z",
    "actor": "user:mallory",
    "event": Event.REVOKE,
    "before": State.FAILED,
    "after": State.REFUSED,
    "generation": 7,
    "reason": "because",
    "target": "111111111111/eu-west-1",
    "prior": "f" * 64,
    "hash": "f" * 64,
}


def chain(length: int) -> list[Entry]:
    entries: list[Entry] = []
    for number in range(1, length + 1):
        prior = entries[-1].hash if entries else GENESIS
        entry = Entry(
            CERTID,
            number,
            f"2026-11-22T12:00:0{number}.000Z",
            "user:ann",
            Event.CLAIM,
            State.INLOBBY,
            State.CLAIMED,
            number,
            None,
            None,
            prior,
        )
        entries.append(entry.with_hash())
    return entries


def test_a_valid_chain_has_no_broken_entry() -> None:
    entries = chain(4)
    assert first_broken_entry(entries) is None
    assert first_broken_entry(entries, version=4, head=entries[-1].hash) is None
    assert first_broken_entry([], version=0, head=GENESIS) is None


@pytest.mark.parametrize("name", [field.name for field in fields(Entry)])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_an_altered_field_is_detected_at_its_entry(name: str, number: int) -> None:
    entries = chain(4)
    entries[number - 1] = replace(entries[number - 1], **{name: OTHER[name]})
    assert first_broken_entry(entries) == number


@pytest.mark.parametrize("name", [field.name for field in fields(Entry) if field.name != "hash"])
def test_an_altered_entry_with_a_new_hash_is_detected(name: str) -> None:
    entries = chain(4)
    entries[1] = replace(entries[1], **{name: OTHER[name]}).with_hash()
    assert first_broken_entry(entries) in (2, 3)


def test_an_altered_last_entry_with_a_new_hash_is_detected_by_the_row() -> None:
    entries = chain(4)
    head = entries[-1].hash
    entries[-1] = replace(entries[-1], actor="user:mallory").with_hash()
    assert first_broken_entry(entries) is None
    assert first_broken_entry(entries, version=4, head=head) == 4


@pytest.mark.parametrize("gone", [0, 1, 3])
def test_a_missing_entry_is_detected(gone: int) -> None:
    entries = chain(5)
    del entries[gone]
    assert first_broken_entry(entries) == gone + 1


def test_reordered_entries_are_detected() -> None:
    first, second, third = chain(3)
    assert first_broken_entry([first, third, second]) == 2
    assert first_broken_entry([third, second, first]) == 1


def test_a_duplicate_entry_is_detected() -> None:
    entries = chain(3)
    assert first_broken_entry([*entries, entries[-1]]) == 4


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_truncated_history_is_detected_by_the_row(kept: int) -> None:
    entries = chain(4)
    assert first_broken_entry(entries[:kept]) is None
    assert first_broken_entry(entries[:kept], version=4, head=entries[-1].hash) == kept + 1


def test_an_entry_after_the_row_s_last_one_is_detected() -> None:
    entries = chain(4)
    assert first_broken_entry(entries, version=3, head=entries[2].hash) is not None


@given(st.permutations(range(5)))
def test_only_one_order_is_valid(order: list[int]) -> None:
    entries = chain(5)
    assert (first_broken_entry([entries[position] for position in order]) is None) == (order == [0, 1, 2, 3, 4])


def test_only_a_commissioned_device_has_a_route() -> None:
    device = Device(CERTID, State.COMMISSIONED, "t", iotep="h.example", generation=3, config={"a": 1})
    assert device.route() == Route("h.example", {"a": 1}, None, 3)
    assert replace(device, devstate=State.ARRIVED).route() is not None
    assert replace(device, iotep=None).route() is None
    for state in set(State) - {State.COMMISSIONED, State.ARRIVED}:
        assert replace(device, devstate=state).route() is None


def test_the_port_of_the_endpoint_is_in_the_route() -> None:
    device = Device(CERTID, State.COMMISSIONED, "t", iotep="127.0.0.2:8884")
    assert device.route() == Route("127.0.0.2", "default", 8884, 0)
