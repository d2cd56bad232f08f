"""Lists: right, in order, page by page, by queries alone, and with cursors that cannot be forged."""

import base64
import json
from collections.abc import Iterator

import pytest

from lobby.errors import InvalidInput
from lobby.ledger import listing
from lobby.ledger.device import Device
from lobby.ledger.listing import Filter, Page, devices
from lobby.ledger.models import LedgerRow, attributes_of
from lobby.ledger.states import State
from lobby.names import Fingerprint, ThingName, parse_target
from tests import aws
from tests.aws import Calls

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
MANY = 130


def device(number: int) -> Device:
    state = (State.INLOBBY, State.ARRIVED, State.ARRIVED, State.FAILED, State.REVOKED)[number % 5]
    return Device(
        Fingerprint(f"{number:064x}"),
        state,
        f"2026-11-22T12:{number // 60:02}:{number % 60:02}.000Z",
        devicename=ThingName(f"sensor-{number:04}"),
        devicecert="PEM",
        target=None if state is State.INLOBBY else (A if number % 2 else B),
        reason=("TARGET_LIMIT", "UNKNOWN_TARGET")[number % 2] if state is State.FAILED else None,
    )


@pytest.fixture(scope="module")
def full() -> Iterator[Calls]:
    """A ledger that many devices are in; no test here changes it."""
    with aws.aws() as calls, calls.uncounted(), LedgerRow.batch_write() as batch:
        for number in range(MANY):
            batch.save(LedgerRow(**attributes_of(device(number))))
        batch.commit()
        calls._off = False
        yield calls


@pytest.fixture
def calls(full: Calls) -> Calls:
    full.forget()
    return full


def numbers(page: Page) -> list[int]:
    return [int(found.certid, 16) for found in page.devices]


def every_page(wanted: Filter, count: int) -> list[list[int]]:
    pages, cursor = [], None
    while True:
        page = devices(wanted, count, cursor)
        pages.append(numbers(page))
        cursor = page.cursor
        if cursor is None:
            return pages


def expected(wanted: Filter) -> set[int]:
    return {
        int(each.certid, 16)
        for each in map(device, range(MANY))
        if wanted.state in (None, each.devstate)
        and wanted.target in (None, each.target)
        and (each.devicename or "").startswith(wanted.name_prefix or "")
        and each.certid.startswith(wanted.print_prefix or "")
        and wanted.reason in (None, each.reason)
        and (wanted.entered_before is None or each.enteredat < wanted.entered_before)
    }


FILTERS = {
    "all": Filter(),
    "state": Filter(State.INLOBBY),
    "empty state": Filter(State.EXPECTED),
    "target": Filter(target=A),
    "prefix": Filter(name_prefix="sensor-00"),
    "state and target": Filter(State.FAILED, A),
    "state and prefix": Filter(State.ARRIVED, name_prefix="sensor-01"),
    "target and prefix": Filter(target=B, name_prefix="se"),
    "all three": Filter(State.REVOKED, B, "sensor-0"),
    "no such name": Filter(name_prefix="zz"),
    "fingerprint": Filter(print_prefix="0" * 62),
    "whole fingerprint": Filter(print_prefix=f"{7:064x}"),
    "no such fingerprint": Filter(print_prefix="ffff"),
    "fingerprint and the rest": Filter(State.ARRIVED, A, "sensor-0", "0000", None, "2026-11-22T12:01:00.000Z"),
    "state and before": Filter(State.ARRIVED, entered_before="2026-11-22T12:01:00.000Z"),
    "target and before": Filter(target=A, entered_before="2026-11-22T12:01:00.000Z"),
    "prefix and before": Filter(name_prefix="sensor-0", entered_before="2026-11-22T12:01:00.000Z"),
    "state and reason": Filter(State.FAILED, reason="TARGET_LIMIT"),
    "reason alone": Filter(reason="TARGET_LIMIT"),
    "before alone": Filter(entered_before="2026-11-22T12:01:00.000Z"),
}
WALKS = (Filter(), FILTERS["reason alone"], FILTERS["before alone"])
"""What no index narrows."""


@pytest.mark.parametrize("count", [7, 100])
@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())
def test_the_pages_together_hold_each_device_once(calls: Calls, wanted: Filter, count: int) -> None:
    pages = every_page(wanted, count)
    found = [number for page in pages for number in page]
    assert sorted(found) == sorted(expected(wanted))
    assert all(len(page) <= count for page in pages)
    assert "Scan" not in calls.names()


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())
def test_one_page_of_a_filtered_list_is_one_query(calls: Calls, wanted: Filter) -> None:
    devices(wanted, 20)
    if wanted in WALKS:
        assert set(calls.names()) == {"Query"}
        assert len(calls.names()) <= len(State)
    else:
        assert calls.names() == ["Query"]


def test_twenty_waiting_among_many_cost_one_query_of_twenty(calls: Calls) -> None:
    page = devices(Filter(State.INLOBBY), 20)
    assert len(page.devices) == 20
    query = calls.made[0].params
    assert (calls.names(), query["Limit"], query["IndexName"]) == (["Query"], 20, "by-state")
    assert query.get("ConsistentRead") in (None, False)


def test_the_newest_come_first(calls: Calls) -> None:
    found = numbers(devices(Filter(State.INLOBBY), 5))
    assert found == sorted(expected(Filter(State.INLOBBY)), reverse=True)[:5]
    assert numbers(devices(Filter(target=A), 5)) == sorted(expected(Filter(target=A)), reverse=True)[:5]


def test_names_come_in_their_order(calls: Calls) -> None:
    assert numbers(devices(Filter(name_prefix="sensor-00"), 5)) == [0, 1, 2, 3, 4]


def test_who_needs_somebody_comes_first_in_the_list_of_all(calls: Calls) -> None:
    page = devices(Filter(), 100)
    order = [found.devstate for found in page.devices]
    assert order == sorted(order, key=listing._ORDER.index)
    assert order[0] is State.INLOBBY
    assert set(listing._ORDER) == set(State)


def test_a_listed_device_shows_what_lists_show(calls: Calls) -> None:
    found = devices(Filter(State.FAILED), 1).devices[0]
    assert (found.devicename, found.target) == (
        f"sensor-{int(found.certid, 16):04}",
        B if int(found.certid, 16) % 2 == 0 else A,
    )
    assert found.devicecert is None


@pytest.mark.parametrize("count", [0, -1, 101, 10**9])
def test_a_count_out_of_bounds_is_refused(calls: Calls, count: int) -> None:
    with pytest.raises(InvalidInput, match="INVALID_COUNT"):
        devices(Filter(), count)
    assert calls.names() == []


@pytest.mark.parametrize("prefix", ["", "s", "s" * 129])
def test_a_prefix_that_no_index_can_answer_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidInput, match="INVALID_PREFIX"):
        Filter(name_prefix=prefix)


def cursor_of(body: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


WAITING = Filter(State.INLOBBY)
GOOD_KEY = {"certid": {"S": "0" * 64}, "devstate": {"S": "inlobby"}, "enteredat": {"S": "2026"}}
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
    "no key": cursor_of({"q": "inlobby||", "in": "inlobby"}),
    "key of null": cursor_of({"q": "inlobby||", "in": "inlobby", "key": None}),
    "key that is a list": cursor_of({"q": "inlobby||", "in": "inlobby", "key": [1]}),
    "key that is text": cursor_of({"q": "inlobby||", "in": "inlobby", "key": "x"}),
    "key of another type": cursor_of({"q": "inlobby||", "in": "inlobby", "key": {**GOOD_KEY, "certid": {"N": "1"}}}),
    "key of no type": cursor_of({"q": "inlobby||", "in": "inlobby", "key": {**GOOD_KEY, "certid": {"S": 1}}}),
    "key with more": cursor_of({"q": "inlobby||", "in": "inlobby", "key": {**GOOD_KEY, "x": {"S": "1"}}}),
    "key with less": cursor_of({"q": "inlobby||", "in": "inlobby", "key": {"devstate": {"S": "inlobby"}}}),
    "key of another state": cursor_of(
        {"q": "inlobby||", "in": "inlobby", "key": {**GOOD_KEY, "devstate": {"S": "revoked"}}}
    ),
}


@pytest.mark.parametrize("cursor", FORGED.values(), ids=FORGED.keys())
def test_a_forged_cursor_is_refused_before_any_query(calls: Calls, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        devices(WAITING, 5, cursor)
    assert refused.value.code == "INVALID_CURSOR"
    assert calls.names() == []


@pytest.mark.parametrize("body", [
    {"q": "||", "in": None, "key": None}, {"q": "||", "in": "nowhere", "key": None}, {"q": "||", "in": {}, "key": None},
    {"q": "||", "in": "revoked", "key": GOOD_KEY},
], ids=["no state", "no such state", "an object", "a key of another state"])  # fmt: skip
def test_a_forged_cursor_of_the_list_of_all_is_refused(calls: Calls, body: object) -> None:
    with pytest.raises(InvalidInput, match="INVALID_CURSOR"):
        devices(Filter(), 5, cursor_of(body))
    assert calls.names() == []


@pytest.mark.parametrize("other", [key for key in FILTERS if key != "state"])
def test_a_cursor_of_another_question_is_refused(calls: Calls, other: str) -> None:
    cursor = devices(WAITING, 5).cursor
    assert cursor is not None
    with pytest.raises(InvalidInput, match="INVALID_CURSOR"):
        devices(FILTERS[other], 5, cursor)


def test_a_page_that_ends_with_the_list_has_no_cursor_or_an_empty_rest(calls: Calls) -> None:
    waiting = len(expected(WAITING))
    page = devices(WAITING, waiting)
    rest = devices(WAITING, waiting, page.cursor).devices if page.cursor else ()
    assert (len(page.devices), rest) == (waiting, ())


def test_a_page_may_end_where_a_state_does(calls: Calls) -> None:
    waiting = len(expected(WAITING))
    first = devices(Filter(), waiting)
    assert {found.devstate for found in first.devices} == {State.INLOBBY}
    second = devices(Filter(), 3, first.cursor)
    assert {found.devstate for found in second.devices} == {State.FAILED}
