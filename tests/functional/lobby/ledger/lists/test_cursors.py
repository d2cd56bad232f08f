"""Cursors of lists cannot be forged or used with another filter."""

import base64
import json

import pytest

from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.lists.listing import Filter, devices
from tests.aws import Calls
from tests.functional.lobby.ledger.listed_devices import (
    BEFORE,
    DUE,
    FILTERS,
    OVERDUE,
    A,
    B,
    expected,
)


def cursor_of(body: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


def cursor_at(wanted: Filter, index: object, value: object, after: object, **more: object) -> str:
    """Return a cursor of this list with any place."""
    return cursor_of({"q": wanted.as_list(), "index": index, "value": value, "after": after, **more})


PRINT, MOMENT = "ab" * 32, "2026-11-22T12:00:30.000Z"


WAITING = Filter(State.INLOBBY)


GOOD: dict[str, tuple[Filter, tuple[str, str, dict[str, str | None]]]] = {
    "state": (WAITING, ("state", MOMENT, {"inlobby": PRINT})),
    "target": (Filter(target=A), ("target", MOMENT, {str(A): PRINT})),
    "name": (Filter(name_prefix="sens"), ("name", "sensor-1", {"se": PRINT})),
    "fingerprint": (Filter(fingerprint_prefix="ababab"), ("print", PRINT, {"abab": PRINT})),
    "all": (Filter(), ("all", MOMENT, {"inlobby": PRINT, "arrived": "cd" * 32})),
    "all, with a state from its time on": (Filter(), ("all", MOMENT, {"inlobby": PRINT, "failed": None})),
    "all before": (Filter(entered_before=BEFORE), ("all", MOMENT, {"failed": PRINT})),
    "before": (Filter(State.INLOBBY, entered_before=BEFORE), ("state", MOMENT, {"inlobby": PRINT})),
    "name of state": (Filter(State.INLOBBY, name_prefix="sens"), ("name", "sensor-1", {"se": PRINT})),
    "due": (Filter(renewal=DUE), ("renewal", "9100-01-01T00:00:00.000Z", {"due": PRINT})),
    "overdue": (Filter(renewal=OVERDUE), ("renewal", "2020-01-01T00:00:00.000Z", {"due": PRINT})),
    "state with name": (Filter(State.INLOBBY, name_prefix="sens"), ("state", MOMENT, {"inlobby": PRINT})),
}
"""Filters, each with a valid place: index, value of the range key, and the last fingerprint of each partition."""


FORGED: dict[str, str] = {
    "no base64": "!!!",
    "text": "hello",
    "not ASCII": "é",
    "half a surrogate": "\ud800",
    "no JSON": base64.urlsafe_b64encode(b"{").decode(),
    "deep JSON": base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    "null": cursor_of(None),
    "a number": cursor_of(7),
    "a list": cursor_of([1]),
    "empty": cursor_of({}),
    "no place": cursor_of({"q": WAITING.as_list()}),
    "a cursor of version 0.2.0": cursor_of({"q": WAITING.as_list(), "key": {"certid": {"S": PRINT}}}),
    "one field more": cursor_at(WAITING, "state", MOMENT, {"inlobby": PRINT}, more=1),
    "index of null": cursor_at(WAITING, None, MOMENT, {"inlobby": PRINT}),
    "index that is a list": cursor_at(WAITING, ["state"], MOMENT, {"inlobby": PRINT}),
    "value of null": cursor_at(WAITING, "state", None, {"inlobby": PRINT}),
    "value of a number": cursor_at(WAITING, "state", 7, {"inlobby": PRINT}),
    "place of null": cursor_at(WAITING, "state", MOMENT, None),
    "place that is a list": cursor_at(WAITING, "state", MOMENT, [PRINT]),
    "place that is text": cursor_at(WAITING, "state", MOMENT, "inlobby"),
    "place of a number": cursor_at(WAITING, "state", MOMENT, {"inlobby": 1}),
    "place of a list": cursor_at(WAITING, "state", MOMENT, {"inlobby": [PRINT]}),
    "question of no kind": cursor_of({"q": 7, "index": "state", "value": MOMENT, "after": {"inlobby": PRINT}}),
}


WRONG: dict[str, tuple[str, dict[str, object]]] = {
    "another state": ("state", {"after": {"revoked": PRINT}}),
    "another state in addition": ("state", {"after": {"inlobby": PRINT, "revoked": PRINT}}),
    "no partition": ("state", {"after": {}}),
    "a name without a fingerprint": ("name", {"after": {"se": None}}),
    "a fingerprint without itself": ("fingerprint", {"after": {"abab": None}}),
    "an unknown state": ("all", {"after": {"resting": PRINT}}),
    "the index of all devices": ("state", {"index": "all"}),
    "an unknown index": ("state", {"index": "by-time"}),
    "the index of another field": ("state", {"index": "target"}),
    "no time": ("state", {"value": "2026"}),
    "a time with other digits": ("state", {"value": "२०२६-11-22T12:00:30.000Z"}),
    "an empty time": ("state", {"value": ""}),
    "no fingerprint": ("state", {"after": {"inlobby": "ab"}}),
    "an empty fingerprint": ("state", {"after": {"inlobby": ""}}),
    "a fingerprint not as it is kept": ("state", {"after": {"inlobby": PRINT.upper()}}),
    "a fingerprint and more": ("state", {"after": {"inlobby": PRINT + "\n"}}),
    "another target": ("target", {"after": {str(B): PRINT}}),
    "a target's place of a state": ("target", {"after": {"inlobby": PRINT}}),
    "another name's head": ("name", {"after": {"xx": PRINT}}),
    "a name outside": ("name", {"value": "senna"}),
    "no name": ("name", {"value": "sens or"}),
    "a name without end": ("name", {"value": "s" + "ens" * 100_000}),
    "half a surrogate in a name": ("name", {"value": "sens\ud800"}),
    "a time as a name": ("name of state", {"value": MOMENT}),
    "a name as a time": ("state with name", {"value": "sensor-1"}),
    "another fingerprint's head": ("fingerprint", {"after": {"cdcd": PRINT}}),
    "a fingerprint outside": ("fingerprint", {"value": "abab" + "0" * 60, "after": {"abab": "abab" + "0" * 60}}),
    "two fingerprints": ("fingerprint", {"value": "ab" * 31 + "ac"}),
    "a device that is not overdue": ("overdue", {"value": "9100-01-01T00:00:00.000Z"}),
    "no deadline": ("due", {"value": ""}),
    "a deadline without a fingerprint": ("due", {"after": {"due": None}}),
    "a renewal's other partition": ("due", {"after": {"done": PRINT}}),
    "the exact time, all devices": ("all before", {"value": BEFORE}),
    "the exact time": ("before", {"value": BEFORE}),
    "a later time": ("before", {"value": "2027-11-22T12:00:00.000Z"}),
}
"""Places that DynamoDB would reject, or that are outside the filter."""


@pytest.mark.parametrize("cursor", FORGED.values(), ids=FORGED.keys())
def test_a_forged_cursor_is_rejected_without_a_query(listing: Calls, cursor: str) -> None:
    refused(listing, WAITING, cursor)


@pytest.mark.parametrize(("which", "other"), WRONG.values(), ids=WRONG.keys())
def test_a_place_outside_the_filter_is_rejected_without_a_query(
    listing: Calls, which: str, other: dict[str, object]
) -> None:
    wanted, (index, value, after) = GOOD[which]
    refused(listing, wanted, cursor_at(wanted, **{"index": index, "value": value, "after": after, **other}))


@pytest.mark.parametrize(("wanted", "good"), GOOD.values(), ids=GOOD.keys())
def test_a_list_continues_at_a_place_within_the_filter(
    listing: Calls, wanted: Filter, good: tuple[str, str, dict[str, str | None]]
) -> None:
    devices(wanted, 5, cursor_at(wanted, *good))
    keys = [call.params["ExclusiveStartKey"] for call in listing.of("Query") if "ExclusiveStartKey" in call.params]
    places = {partition: certid for partition, certid in good[2].items() if certid}
    assert sorted(key["certid"]["S"] for key in keys) == sorted(places.values())
    assert all({"S": good[1]} in key.values() for key in keys)
    assert {value["S"] for key in keys for value in key.values()} >= set(places)
    assert len(listing.of("Query")) == len(good[2]), "partitions that were read to their ends are not read again"


def refused(listing: Calls, wanted: Filter, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        devices(wanted, 5, cursor)
    assert refusal.value.code == "INVALID_CURSOR"
    assert listing.names() == []


@pytest.mark.parametrize("other", [key for key in FILTERS if key != "state"])
def test_a_cursor_of_another_filter_is_rejected(listing: Calls, other: str) -> None:
    cursor = devices(WAITING, 5).cursor
    assert cursor is not None
    with pytest.raises(InvalidInput, match="INVALID_CURSOR"):
        devices(FILTERS[other], 5, cursor)


def test_the_last_page_has_no_cursor_or_an_empty_next_page(listing: Calls) -> None:
    waiting = len(expected(WAITING))
    page = devices(WAITING, waiting)
    rest = devices(WAITING, waiting, page.cursor).devices if page.cursor else ()
    assert (len(page.devices), rest) == (waiting, ())
