"""Lists: complete, sorted, in pages, with queries only."""

import pytest

from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.lists.counts import PARTITIONS, Bucket, shard_of
from lobby.ledger.lists.listing import Filter, devices
from lobby.ledger.models import CountRow
from tests import aws
from tests.aws import Calls
from tests.functional.lobby.ledger.listed_devices import (
    BEFORE,
    DUE,
    FILTERS,
    OVERDUE,
    A,
    B,
    every_page,
    expected,
    numbers,
)


@pytest.mark.parametrize("count", [7, 100])
@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS.keys())
def test_all_pages_together_contain_each_device_once(listing: Calls, wanted: Filter, count: int) -> None:
    pages = every_page(wanted, count)
    listed = [number for page in pages for number in page]
    assert sorted(listed) == sorted(expected(wanted))
    assert all(len(page) <= count for page in pages)
    assert "Scan" not in listing.names()


@pytest.mark.parametrize(
    "wanted", [Filter(State.INLOBBY), Filter(target=A), Filter(State.FAILED, reason="TARGET_LIMIT")]
)
def test_a_page_of_a_state_or_a_target_is_one_query(listing: Calls, wanted: Filter) -> None:
    devices(wanted, 20)
    assert listing.names() == ["Query"]


@pytest.mark.parametrize(
    "wanted", [Filter(name_prefix="sensor-00"), Filter(fingerprint_prefix="0000"), Filter(renewal=DUE)]
)
def test_a_page_of_names_fingerprints_or_renewals_is_a_query_of_keys_and_a_read_of_their_rows(
    listing: Calls, wanted: Filter
) -> None:
    assert len(devices(wanted, 20).devices) == 20
    query, read = listing.made
    assert (query.operation, query.params["Limit"], read.operation) == ("Query", 20, "BatchGetItem")
    assert len(read.params["RequestItems"]["device-lobby-ledger"]["Keys"]) == 20


@pytest.mark.parametrize("wanted", [Filter(), Filter(entered_before=BEFORE), Filter(reason="TARGET_LIMIT")])
def test_a_page_of_all_devices_is_one_query_for_each_state(listing: Calls, wanted: Filter) -> None:
    devices(wanted, 20)
    assert listing.names() == ["Query"] * len(State)


def test_a_page_of_twenty_costs_one_query_of_twenty_rows(listing: Calls) -> None:
    page = devices(Filter(State.INLOBBY), 20)
    assert len(page.devices) == 20
    query = listing.made[0].params
    assert (listing.names(), query["Limit"], query["IndexName"]) == (["Query"], 20, "by-state")
    assert query.get("ConsistentRead") in (None, False)


TIMED = {
    name: each
    for name, each in FILTERS.items()
    if each.name_prefix is None and each.fingerprint_prefix is None and each.renewal is None
}


@pytest.mark.parametrize("wanted", TIMED.values(), ids=TIMED.keys())
def test_the_oldest_come_first_on_request_with_as_many_queries(listing: Calls, wanted: Filter) -> None:
    newest = [number for page in every_page(wanted, 7) for number in page]
    queries = len(listing.names())
    listing.forget()
    oldest, cursor = list[int](), None
    while True:
        page = devices(wanted, 7, cursor, oldest_first=True)
        oldest += numbers(page)
        cursor = page.cursor
        if cursor is None:
            break
    assert oldest == newest[::-1]
    assert len(listing.names()) <= queries + len(State)


def test_a_cursor_is_valid_for_one_order(listing: Calls) -> None:
    for oldest_first in (True, False):
        cursor = devices(Filter(State.INLOBBY), 5, oldest_first=oldest_first).cursor
        with pytest.raises(InvalidInput, match="INVALID_CURSOR"):
            devices(Filter(State.INLOBBY), 5, cursor, oldest_first=not oldest_first)


def test_the_newest_come_first(listing: Calls) -> None:
    listed = numbers(devices(Filter(State.INLOBBY), 5))
    assert listed == sorted(expected(Filter(State.INLOBBY)), reverse=True)[:5]
    assert numbers(devices(Filter(target=A), 5)) == sorted(expected(Filter(target=A)), reverse=True)[:5]
    assert numbers(devices(Filter(), 5)) == sorted(expected(Filter()), reverse=True)[:5]


def test_names_and_fingerprints_are_sorted(listing: Calls) -> None:
    assert numbers(devices(Filter(name_prefix="sensor-00"), 5)) == [0, 1, 2, 3, 4]
    assert numbers(devices(Filter(fingerprint_prefix="0000"), 5)) == [0, 1, 2, 3, 4]


def test_due_devices_are_sorted_by_their_deadline_and_overdue_ones_come_first(listing: Calls) -> None:
    due = [number for page in every_page(Filter(renewal=DUE), 7) for number in page]
    overdue = [number for page in every_page(Filter(renewal=OVERDUE), 7) for number in page]
    deadlines = [each.renew_by for each in devices(Filter(renewal=DUE), 100).devices]
    assert deadlines == sorted(deadlines, key=str)
    assert overdue
    assert due[: len(overdue)] == overdue
    assert len(due) > len(overdue)


@pytest.mark.parametrize("wanted", [Filter(State.ARRIVED, renewal=OVERDUE), Filter(target=A, renewal=DUE)])
def test_due_devices_of_a_state_or_a_target_are_read_by_their_renewal(listing: Calls, wanted: Filter) -> None:
    devices(wanted, 20)
    assert {call.params["IndexName"] for call in listing.of("Query")} == {"by-renewal-keys"}
    assert not any("FilterExpression" in call.params for call in listing.of("Query"))


@pytest.mark.parametrize(
    ("wanted", "index", "is_filtered"),
    [
        (Filter(State.ARRIVED, entered_before=BEFORE), "by-state", False),
        (Filter(target=A, entered_before=BEFORE), "by-target", False),
        (Filter(State.FAILED, reason="TARGET_LIMIT"), "by-state", True),
        (Filter(), "by-state", False),
        (Filter(entered_before=BEFORE), "by-state", False),
        (Filter(reason="TARGET_LIMIT"), "by-state", True),
    ],
    ids=["state", "target", "reason of state", "all", "moment", "reason"],
)
def test_conditions_on_keys_need_no_filter(listing: Calls, wanted: Filter, index: str, is_filtered: bool) -> None:
    devices(wanted, 7)
    query = listing.made[0].params
    assert (query["IndexName"], "FilterExpression" in query, query["Limit"]) == (
        index,
        is_filtered,
        500 if is_filtered else 7,
    )


@pytest.mark.parametrize(
    ("counted", "wanted", "index"),
    [
        ({State.FAILED: 3, State.ARRIVED: 50_000}, Filter(State.FAILED, name_prefix="sensor-0"), "by-state"),
        ({State.FAILED: 3, State.ARRIVED: 50_000}, Filter(State.ARRIVED, name_prefix="sensor-0"), "by-name-keys"),
        ({State.FAILED: 3, State.ARRIVED: 50_000}, Filter(State.FAILED, A), "by-state"),
        ({State.FAILED: 3, State.ARRIVED: 50_000}, Filter(State.ARRIVED, B), "by-target"),
        ({State.FAILED: 900, State.ARRIVED: 50_000}, Filter(State.FAILED, fingerprint_prefix="0000"), "by-print-keys"),
        ({State.FAILED: 3}, Filter(State.FAILED, fingerprint_prefix="0" * 64), "by-print-keys"),
    ],
    ids=["few failed", "many arrived", "few failed of a target", "no device of a target", "fingerprint", "unique"],
)
def test_the_index_with_the_fewest_rows_is_used(
    listing: Calls, counted: dict[State, int], wanted: Filter, index: str
) -> None:
    with listing.uncounted():
        for state, number in counted.items():
            shard_of(("", Bucket(state, A).key), 0).update(actions=[CountRow.number.set(number)])
    try:
        devices(wanted, 20)
    finally:
        aws.empty("device-lobby-counts")
    assert [call.params["IndexName"] for call in listing.of("Query") if "IndexName" in call.params][-1] == index
    assert len(listing.of("Query")) <= 2 + 1 + PARTITIONS


def test_a_listed_device_has_the_projected_attributes(listing: Calls) -> None:
    listed = devices(Filter(State.FAILED), 1).devices[0]
    assert (listed.devicename, listed.target) == (
        f"sensor-{int(listed.certid, 16):04}",
        B if int(listed.certid, 16) % 2 == 0 else A,
    )
    assert listed.devicecert is None


@pytest.mark.parametrize("count", [0, -1, 101, 10**9])
def test_an_invalid_count_is_rejected(listing: Calls, count: int) -> None:
    with pytest.raises(InvalidInput, match="INVALID_COUNT"):
        devices(Filter(), count)
    assert listing.names() == []


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
