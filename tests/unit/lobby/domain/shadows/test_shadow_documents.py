"""Updates of shadows: merged as AWS IoT merges them, they give the wanted state. Invalid documents are rejected."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby.domain.shadows.shadow_documents import MAX_BYTES, Shadow, encoded, parse_shadow, updates, with_version
from lobby.errors import InvalidInput

AT = "2026-11-30T12:00:00.500Z"
SECOND = 1796040000
LEAVES = st.integers(-5, 5) | st.booleans() | st.sampled_from(["", "x"]) | st.lists(st.integers(0, 3), max_size=2)
KEYS = st.sampled_from(["a", "b", "c"])
NESTED = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=2), max_leaves=4)
OBJECTS = st.dictionaries(KEYS, NESTED, max_size=3)
STATES = st.fixed_dictionaries({}, optional={"desired": OBJECTS.filter(bool), "reported": OBJECTS.filter(bool)})


def merged(base: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    """Merge an update as AWS IoT does: objects key by key, null removes the key."""
    result = copy.deepcopy(base)
    for key, value in update.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def without_empty(state: dict[str, Any]) -> dict[str, Any]:
    return {section: value for section, value in state.items() if value}


@given(STATES, STATES)
def test_updates_lead_to_the_wanted_state(present: dict[str, Any], wanted: dict[str, Any]) -> None:
    state = present
    for request in updates(present, wanted):
        state = merged(state, json.loads(request)["state"])
    assert without_empty(state) == wanted


@given(STATES)
def test_an_equal_shadow_needs_no_update(state: dict[str, Any]) -> None:
    assert updates(state, copy.deepcopy(state)) == []


def test_an_update_that_would_be_too_large_first_empties_the_shadow() -> None:
    present = {"reported": {f"{number:05}" * 20: "x" for number in range(60)}}
    wanted = {"reported": {f"{number:05}" * 20: "x" for number in range(60, 120)}}
    first, second = map(json.loads, updates(present, wanted))
    assert first == {"state": {"desired": None, "reported": None}}
    assert second == {"state": wanted}
    assert len(encoded(wanted)) <= MAX_BYTES


def test_an_empty_shadow_is_filled_by_one_update_of_any_size() -> None:
    wanted = {"reported": {"text": "x" * (MAX_BYTES - len('{"reported":{"text":""}}'))}}
    assert updates({}, wanted) == [encoded(wanted)]


def test_numbers_and_truth_values_are_different() -> None:
    assert json.loads(updates({"reported": {"on": 1}}, {"reported": {"on": True}})[0]) == {
        "state": {"reported": {"on": True}}
    }


def test_a_version_makes_an_update_conditional() -> None:
    request = encoded({"reported": {"on": True}})
    assert json.loads(with_version(request, 7)) == {"state": {"reported": {"on": True}}, "version": 7}
    assert with_version(request, None) == request


def document(**more: Any) -> bytes:
    return json.dumps({"state": {}, "version": 1, "timestamp": SECOND + 99} | more).encode()


def test_only_the_sections_with_values_and_the_times_of_values_are_read() -> None:
    metadata = {
        "desired": {"timestamp": {"timestamp": SECOND - 9}, "list": [{"timestamp": SECOND - 5}]},
        "reported": {"a": {"b": {"timestamp": SECOND - 7}}},
        "delta": {"x": {"timestamp": SECOND + 5}},
    }
    state = {"desired": {"timestamp": 1, "list": [1]}, "reported": {"a": {"b": 1}}, "delta": {"timestamp": 1}}
    shadow = parse_shadow(document(state=state, metadata=metadata, version=4))
    assert shadow.state == {"desired": state["desired"], "reported": state["reported"]}
    assert (shadow.version, sorted(shadow.written)) == (4, [SECOND - 9, SECOND - 7, SECOND - 5])
    assert parse_shadow(document(state={"desired": {}})).state == {}


def test_a_section_that_was_removed_has_no_times() -> None:
    removed = {"desired": {"timestamp": SECOND}, "reported": {"a": {"timestamp": SECOND}}}
    assert parse_shadow(document(state={}, metadata=removed)).written == frozenset()


@pytest.mark.parametrize(("written", "since"), [(SECOND - 1, False), (SECOND, True), (SECOND + 1, True)])
def test_a_value_of_the_second_of_the_request_counts_as_written_since(written: int, *, since: bool) -> None:
    assert Shadow({}, 1, frozenset({1, written})).is_written_since(AT) is since


def test_a_shadow_without_values_is_not_written_since() -> None:
    assert not Shadow({}, 3).is_written_since(AT)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"{}",
        b'{"state": 7, "version": 1}',
        b'{"state": {}}',
        b'{"state": {}, "version": "one"}',
        b'{"state": {}, "version": 1, "metadata": 7}',
        b'{"state": {"reported": NaN}, "version": 1}',
        b'{"state": {"reported": 1e999}, "version": 1}',
        b"[" * 5000,
    ],
)
def test_a_document_that_is_no_shadow_is_rejected(payload: bytes) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_shadow(payload)
    assert error.value.code == "INVALID_SHADOW"
