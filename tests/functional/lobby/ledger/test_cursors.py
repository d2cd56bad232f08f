"""Cursors of lists cannot be forged or used with another filter."""

import base64
import json

import pytest

from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.listing import Filter, devices
from tests.aws import Calls
from tests.functional.lobby.ledger.listed_devices import (
    BEFORE,
    FILTERS,
    A,
    B,
    expected,
)


def cursor_of(body: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


def cursor_with_key(wanted: Filter, key: object) -> str:
    """Return a cursor of this list with any key."""
    return cursor_of({"q": wanted.as_list(), "key": key})


def changed_key(good: dict[str, str], **other: object) -> dict[str, object]:
    return {name: {"S": value} for name, value in {**good, **other}.items() if value is not None}


PRINT, MOMENT = "ab" * 32, "2026-11-22T12:00:30.000Z"


WAITING = Filter(State.INLOBBY)


GOOD: dict[str, tuple[Filter, dict[str, str]]] = {
    "state": (WAITING, {"certid": PRINT, "devstate": "inlobby", "enteredat": MOMENT}),
    "target": (Filter(target=A), {"certid": PRINT, "target": str(A), "enteredat": MOMENT}),
    "name": (Filter(name_prefix="sens"), {"certid": PRINT, "namehead": "se", "devicename": "sensor-1"}),
    "fingerprint": (Filter(fingerprint_prefix="ababab"), {"certid": PRINT, "printhead": "abab"}),
    "all": (Filter(), {"certid": PRINT, "kind": "device", "enteredat": MOMENT}),
    "all before": (Filter(entered_before=BEFORE), {"certid": PRINT, "kind": "device", "enteredat": MOMENT}),
    "before": (
        Filter(State.INLOBBY, entered_before=BEFORE),
        {"certid": PRINT, "devstate": "inlobby", "enteredat": MOMENT},
    ),
}
"""Filters, each with a valid start key."""


FORGED: dict[str, str] = {
    "no base64": "!!!",
    "text": "hello",
    "not ASCII": "é",
    "half a surrogate": "\ud800",
    "no JSON": base64.urlsafe_b64encode(b"{").decode(),
    "deep JSON": base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    "null": cursor_of(None),
    "a list": cursor_of([1]),
    "empty": cursor_of({}),
    "no key": cursor_of({"q": WAITING.as_list()}),
    "key of null": cursor_with_key(WAITING, None),
    "key that is a list": cursor_with_key(WAITING, [1]),
    "key that is text": cursor_with_key(WAITING, "x"),
    "key of another type": cursor_with_key(WAITING, changed_key(GOOD["state"][1]) | {"certid": {"N": "1"}}),
    "key of two types": cursor_with_key(WAITING, changed_key(GOOD["state"][1]) | {"certid": {"S": PRINT, "N": "1"}}),
    "key of no type": cursor_with_key(WAITING, changed_key(GOOD["state"][1], certid=1)),
    "question of no kind": cursor_of({"q": 7, "key": changed_key(GOOD["state"][1])}),
}


WRONG: dict[str, tuple[str, dict[str, object]]] = {
    "another state": ("state", {"devstate": "revoked"}),
    "one attribute more": ("state", {"devicename": "sensor-1"}),
    "one attribute less": ("state", {"enteredat": None}),
    "no time": ("state", {"enteredat": "2026"}),
    "a time with other digits": ("state", {"enteredat": "२०२६-11-22T12:00:30.000Z"}),
    "an empty time": ("state", {"enteredat": ""}),
    "no fingerprint": ("state", {"certid": "ab"}),
    "an empty fingerprint": ("state", {"certid": ""}),
    "a fingerprint not as it is kept": ("state", {"certid": PRINT.upper()}),
    "a fingerprint and more": ("state", {"certid": PRINT + "\n"}),
    "another target": ("target", {"target": str(B)}),
    "a target's key of a state": ("target", {"target": None, "devstate": "inlobby"}),
    "another name's head": ("name", {"namehead": "xx"}),
    "a name outside": ("name", {"devicename": "senna"}),
    "no name": ("name", {"devicename": "sens or"}),
    "a name without end": ("name", {"devicename": "s" + "ens" * 100_000}),
    "half a surrogate in a name": ("name", {"devicename": "sens\ud800"}),
    "another fingerprint's head": ("fingerprint", {"printhead": "cdcd"}),
    "a fingerprint outside": ("fingerprint", {"certid": "abab" + "0" * 60}),
    "a fingerprint's key of a name": ("fingerprint", {"printhead": None, "namehead": "ab"}),
    "another kind": ("all", {"kind": "account"}),
    "all devices' key of a state": ("all", {"kind": None, "devstate": "inlobby"}),
    "the exact time, all devices": ("all before", {"enteredat": BEFORE}),
    "the exact time": ("before", {"enteredat": BEFORE}),
    "a later time": ("before", {"enteredat": "2027-11-22T12:00:00.000Z"}),
}
"""Start keys that DynamoDB would reject, or that are outside the filter."""


@pytest.mark.parametrize("cursor", FORGED.values(), ids=FORGED.keys())
def test_a_forged_cursor_is_rejected_without_a_query(listing: Calls, cursor: str) -> None:
    refused(listing, WAITING, cursor)


@pytest.mark.parametrize(("which", "other"), WRONG.values(), ids=WRONG.keys())
def test_a_start_key_outside_the_filter_is_rejected_without_a_query(
    listing: Calls, which: str, other: dict[str, object]
) -> None:
    wanted, good = GOOD[which]
    refused(listing, wanted, cursor_with_key(wanted, changed_key(good, **other)))


@pytest.mark.parametrize(("wanted", "good"), GOOD.values(), ids=GOOD.keys())
def test_a_start_key_within_the_filter_is_used(listing: Calls, wanted: Filter, good: dict[str, str]) -> None:
    devices(wanted, 5, cursor_with_key(wanted, changed_key(good)))
    assert listing.names() == ["Query"]
    assert listing.made[0].params["ExclusiveStartKey"] == changed_key(good)


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
