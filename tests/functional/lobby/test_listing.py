"""Lists: right, in order, page by page, by queries alone, and with cursors that cannot be forged."""

import base64
import json
from collections.abc import Iterator

import pytest

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.items import attributes_of
from lobby.ledger.listing import Filter, Page, devices
from lobby.ledger.models import LedgerRow
from lobby.names import Fingerprint, ThingName, parse_target
from tests import aws
from tests.aws import Calls

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
MANY, BEFORE = 130, "2026-11-22T12:01:00.000Z"


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
        and each.certid.startswith(wanted.fingerprint_prefix or "")
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
    "fingerprint": Filter(fingerprint_prefix="0" * 62),
    "whole fingerprint": Filter(fingerprint_prefix=f"{7:064x}"),
    "no such fingerprint": Filter(fingerprint_prefix="ffff"),
    "fingerprint and the rest": Filter(State.ARRIVED, A, "sensor-0", "0000", None, BEFORE),
    "state and before": Filter(State.ARRIVED, entered_before=BEFORE),
    "target and before": Filter(target=A, entered_before=BEFORE),
    "prefix and before": Filter(name_prefix="sensor-0", entered_before=BEFORE),
    "state and reason": Filter(State.FAILED, reason="TARGET_LIMIT"),
    "reason alone": Filter(reason="TARGET_LIMIT"),
    "before alone": Filter(entered_before=BEFORE),
}


@pytest.mark.parametrize("count", [7, 100])
@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())
def test_all_pages_together_contain_each_device_once(calls: Calls, wanted: Filter, count: int) -> None:
    pages = every_page(wanted, count)
    found = [number for page in pages for number in page]
    assert sorted(found) == sorted(expected(wanted))
    assert all(len(page) <= count for page in pages)
    assert "Scan" not in calls.names()


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())
def test_one_page_is_one_query(calls: Calls, wanted: Filter) -> None:
    devices(wanted, 20)
    assert calls.names() == ["Query"]


def test_a_page_of_twenty_costs_one_query_of_twenty_rows(calls: Calls) -> None:
    page = devices(Filter(State.INLOBBY), 20)
    assert len(page.devices) == 20
    query = calls.made[0].params
    assert (calls.names(), query["Limit"], query["IndexName"]) == (["Query"], 20, "by-state")
    assert query.get("ConsistentRead") in (None, False)


def test_the_newest_come_first(calls: Calls) -> None:
    found = numbers(devices(Filter(State.INLOBBY), 5))
    assert found == sorted(expected(Filter(State.INLOBBY)), reverse=True)[:5]
    assert numbers(devices(Filter(target=A), 5)) == sorted(expected(Filter(target=A)), reverse=True)[:5]
    assert numbers(devices(Filter(), 5)) == sorted(expected(Filter()), reverse=True)[:5]


def test_names_and_fingerprints_are_sorted(calls: Calls) -> None:
    assert numbers(devices(Filter(name_prefix="sensor-00"), 5)) == [0, 1, 2, 3, 4]
    assert numbers(devices(Filter(fingerprint_prefix="0000"), 5)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("wanted", "index", "sifts"),
    [
        (Filter(State.ARRIVED, entered_before=BEFORE), "by-state", False),
        (Filter(target=A, entered_before=BEFORE), "by-target", False),
        (Filter(State.ARRIVED, A, entered_before=BEFORE), "by-target", True),
        (Filter(State.FAILED, reason="TARGET_LIMIT"), "by-state", True),
        (Filter(fingerprint_prefix="0000"), "by-print", False),
        (Filter(name_prefix="sensor-00", fingerprint_prefix="0000"), "by-print", True),
        (Filter(name_prefix="sensor-00", entered_before=BEFORE), "by-name", True),
        (Filter(), "by-time", False),
        (Filter(entered_before=BEFORE), "by-time", False),
        (Filter(reason="TARGET_LIMIT"), "by-time", True),
    ],
    ids=[
        "state",
        "target",
        "state of target",
        "reason of state",
        "fingerprint",
        "fingerprint and name",
        "name",
        "all",
        "moment",
        "reason",
    ],
)
def test_conditions_on_keys_need_no_filter(calls: Calls, wanted: Filter, index: str, sifts: bool) -> None:
    devices(wanted, 7)
    query = calls.made[0].params
    assert (query["IndexName"], "FilterExpression" in query, query["Limit"]) == (index, sifts, 500 if sifts else 7)


def test_a_listed_device_has_the_projected_attributes(calls: Calls) -> None:
    found = devices(Filter(State.FAILED), 1).devices[0]
    assert (found.devicename, found.target) == (
        f"sensor-{int(found.certid, 16):04}",
        B if int(found.certid, 16) % 2 == 0 else A,
    )
    assert found.devicecert is None


@pytest.mark.parametrize("count", [0, -1, 101, 10**9])
def test_an_invalid_count_is_rejected(calls: Calls, count: int) -> None:
    with pytest.raises(InvalidInput, match="INVALID_COUNT"):
        devices(Filter(), count)
    assert calls.names() == []


@pytest.mark.parametrize(
    ("part", "code", "values"),
    [
        ("name_prefix", "INVALID_PREFIX", ["", "s", "s" * 129]),
        ("fingerprint_prefix", "INVALID_PREFIX", ["", "abc", "ABCD", "abcg", "ab:cd", "a" * 65, "abcd\n", "٣٣٣٣"]),
        ("reason", "INVALID_REASON", ["", "too old", "target_limit", "_X", "X" * 65, "X\n", "É"]),
        (
            "entered_before",
            "INVALID_TIME",
            [
                "",
                "2026",
                "2026-11-22",
                "2026-11-22T12:00:00Z",
                "2026-11-22T12:00:00.000",
                "2026-11-22T12:00:00.000+00:00",
                "2026-11-22T12:00:00.000Z\n",
                "٢٠٢٦-11-22T12:00:00.000Z",
            ],
        ),
    ],
    ids=["name", "fingerprint", "reason", "moment"],
)
def test_an_invalid_filter_is_rejected(part: str, code: str, values: list[str]) -> None:
    for value in values:
        with pytest.raises(InvalidInput) as refusal:
            Filter(**{part: value})  # type: ignore[arg-type]
        assert refusal.value.code == code


def cursor_of(body: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


def place(question: Filter, key: object) -> str:
    """A cursor as this list has it, but for what is wrong with the key."""
    return cursor_of({"q": question.as_list(), "key": key})


def with_key(good: dict[str, str], **other: object) -> dict[str, object]:
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
"""Questions, each with a place where a page of it could have ended."""
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
    "key of null": place(WAITING, None),
    "key that is a list": place(WAITING, [1]),
    "key that is text": place(WAITING, "x"),
    "key of another type": place(WAITING, with_key(GOOD["state"][1]) | {"certid": {"N": "1"}}),
    "key of two types": place(WAITING, with_key(GOOD["state"][1]) | {"certid": {"S": PRINT, "N": "1"}}),
    "key of no type": place(WAITING, with_key(GOOD["state"][1], certid=1)),
    "question of no kind": cursor_of({"q": 7, "key": with_key(GOOD["state"][1])}),
}
WRONG: dict[str, tuple[str, dict[str, object]]] = {
    "another state": ("state", {"devstate": "revoked"}),
    "one attribute more": ("state", {"devicename": "sensor-1"}),
    "one attribute less": ("state", {"enteredat": None}),
    "no moment": ("state", {"enteredat": "2026"}),
    "a moment of other digits": ("state", {"enteredat": "२०२६-11-22T12:00:30.000Z"}),
    "an empty moment": ("state", {"enteredat": ""}),
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
    "the very moment of all": ("all before", {"enteredat": BEFORE}),
    "the very moment": ("before", {"enteredat": BEFORE}),
    "a later moment": ("before", {"enteredat": "2027-11-22T12:00:00.000Z"}),
}
"""What DynamoDB would refuse, or answer with what was not asked."""


@pytest.mark.parametrize("cursor", FORGED.values(), ids=FORGED.keys())
def test_a_forged_cursor_is_rejected_without_a_query(calls: Calls, cursor: str) -> None:
    refused(calls, WAITING, cursor)


@pytest.mark.parametrize(("which", "other"), WRONG.values(), ids=WRONG.keys())
def test_a_start_key_outside_the_filter_is_rejected_without_a_query(
    calls: Calls, which: str, other: dict[str, object]
) -> None:
    question, good = GOOD[which]
    refused(calls, question, place(question, with_key(good, **other)))


@pytest.mark.parametrize(("question", "good"), GOOD.values(), ids=GOOD.keys())
def test_a_start_key_within_the_filter_is_used(calls: Calls, question: Filter, good: dict[str, str]) -> None:
    devices(question, 5, place(question, with_key(good)))
    assert calls.names() == ["Query"]
    assert calls.made[0].params["ExclusiveStartKey"] == with_key(good)


def refused(calls: Calls, question: Filter, cursor: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        devices(question, 5, cursor)
    assert refusal.value.code == "INVALID_CURSOR"
    assert calls.names() == []


@pytest.mark.parametrize("other", [key for key in FILTERS if key != "state"])
def test_a_cursor_of_another_filter_is_rejected(calls: Calls, other: str) -> None:
    cursor = devices(WAITING, 5).cursor
    assert cursor is not None
    with pytest.raises(InvalidInput, match="INVALID_CURSOR"):
        devices(FILTERS[other], 5, cursor)


def test_the_last_page_has_no_cursor_or_an_empty_next_page(calls: Calls) -> None:
    waiting = len(expected(WAITING))
    page = devices(WAITING, waiting)
    rest = devices(WAITING, waiting, page.cursor).devices if page.cursor else ()
    assert (len(page.devices), rest) == (waiting, ())
