"""`devices`: filters, pages, and fields that lists do not have."""

from typing import Any

import pytest

from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.lists.counts import PARTITIONS
from lobby.ledger.models import LedgerRow
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, counted, fingerprint
from tests.functional.admin_api.device_lists import AT_HERE, DEVICES

FAILED = 0xF << 252
ALL = {"pump-1", "pump-2", "pump-3", "valve-1", "valve-2", "valve-3"}


def ask(lobby: Lobby, **variables: Any) -> dict[str, Any]:
    page: dict[str, Any] = lobby.ask(DEVICES, variables).data["devices"]
    return page


def names(page: dict[str, Any]) -> set[str]:
    return {node["devicename"] for node in page["nodes"]}


def fleet(lobby: Lobby) -> None:
    """Two devices wait, one is knocking, one is claimed for each target, one has failed."""
    for number, name in enumerate(["pump-1", "pump-2", "valve-1", "pump-3", "valve-2"]):
        (lobby.admit if name == "valve-1" else lobby.waiting)(number, name)
    lobby.ledger.claim(fingerprint(3), ClaimRequest(HERE), "user:bob")
    lobby.ledger.claim(fingerprint(4), ClaimRequest(THERE), "user:bob")
    lobby.waiting(FAILED, "valve-3")
    failing = lobby.ledger.claim(fingerprint(FAILED), ClaimRequest(THERE), "user:bob")
    lobby.ledger.fail(failing, "TARGET_LIMIT", "raise the quota", "commissioner")


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (None, ALL),
        ({}, ALL),
        ({"state": None, "target": None, "namePrefix": None}, ALL),
        ({"state": "inlobby"}, {"pump-1", "pump-2"}),
        ({"state": "revoked"}, set()),
        ({"target": AT_HERE}, {"pump-3"}),
        ({"target": {"account": THERE.account, "region": THERE.region}, "state": "claimed"}, {"valve-2"}),
        ({"namePrefix": "valve"}, {"valve-1", "valve-2", "valve-3"}),
        ({"namePrefix": "pump", "state": "inlobby"}, {"pump-1", "pump-2"}),
        ({"fingerprintPrefix": "00000000"}, ALL - {"valve-3"}),
        ({"fingerprintPrefix": "00:00 00-00"}, ALL - {"valve-3"}),
        ({"fingerprintPrefix": fingerprint(3).upper()}, {"pump-3"}),
        ({"fingerprintPrefix": "0001"}, set()),
        ({"fingerprintPrefix": "0000", "state": "inlobby", "namePrefix": "pump"}, {"pump-1", "pump-2"}),
        ({"fingerprintPrefix": "0000", "target": AT_HERE}, {"pump-3"}),
        ({"state": "claimed", "enteredBefore": "9999-12-31T00:00:00Z"}, {"pump-3", "valve-2"}),
        ({"state": "claimed", "enteredBefore": "2001-01-01T00:00:00Z"}, set()),
        ({"target": AT_HERE, "enteredBefore": "9999-12-31T00:00:00Z"}, {"pump-3"}),
        ({"state": "failed", "reason": "TARGET_LIMIT"}, {"valve-3"}),
        ({"state": "failed", "reason": "TARGET_ROLE_DENIED"}, set()),
        ({"reason": "TARGET_LIMIT"}, {"valve-3"}),
        ({"reason": "TARGET_LIMIT", "namePrefix": "pump"}, set()),
        ({"fingerprintPrefix": None, "reason": None, "enteredBefore": None, "state": "knocking"}, {"valve-1"}),
    ],
)
def test_a_filter_returns_the_devices_that_match_every_field(
    lobby: Lobby, filter_: dict[str, Any] | None, expected: set[str]
) -> None:
    fleet(lobby)
    assert names(ask(lobby, filter=filter_)) == expected


@pytest.mark.parametrize(
    "filter_",
    [
        {"state": "inlobby"},
        {"namePrefix": "thing"},
        {"fingerprintPrefix": "0000"},
        None,
        {"state": "inlobby", "enteredBefore": "9999-12-31T00:00:00Z"},
    ],
)
def test_pages_have_no_gaps_and_no_duplicates(lobby: Lobby, filter_: dict[str, Any] | None) -> None:
    expected = {lobby.waiting(number) for number in range(7)}
    listed: list[str] = []
    after = None
    while True:
        page = ask(lobby, filter=filter_, first=3, after=after)
        listed += [node["certid"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] is (after is not None)
        if after is None:
            break
    assert sorted(listed) == sorted(expected)


@pytest.mark.parametrize(
    ("filter_", "code"),
    [
        ({"state": "nope"}, "INVALID_STATE"),
        ({"state": ""}, "INVALID_STATE"),
        ({"namePrefix": "a"}, "INVALID_PREFIX"),
        ({"namePrefix": ""}, "INVALID_THING_NAME"),
        ({"namePrefix": "a#b"}, "INVALID_THING_NAME"),
        ({"namePrefix": "\ud800\ud800"}, "INVALID_REQUEST"),
        ({"namePrefix": "x" * 500}, "INVALID_THING_NAME"),
        ({"target": {"account": "1", "region": "eu-west-1"}}, "INVALID_ACCOUNT"),
        ({"fingerprintPrefix": "abc"}, "INVALID_PREFIX"),
        ({"fingerprintPrefix": "DL1:AAAA"}, "INVALID_PREFIX"),
        ({"reason": "a lower case one"}, "INVALID_REASON"),
        ({"state": "claimed", "enteredBefore": "yesterday"}, "INVALID_TIME"),
        ({"state": "claimed", "enteredBefore": "2026-11-22T07:42:28"}, "INVALID_TIME"),
        ({"state": "claimed", "enteredBefore": "2026-11-22T07:42:28+01:00"}, "INVALID_TIME"),
        ({"enteredBefore": "2026-11-22T07:42:28Z"}, "INVALID_FILTER"),
        ({"enteredBefore": "2026-11-22T07:42:28Z", "namePrefix": "pump"}, "INVALID_FILTER"),
        ({"target": {"account": HERE.account}}, "INVALID_QUERY"),
        ({"colour": "red"}, "INVALID_QUERY"),
    ],
)
def test_a_malformed_filter_is_rejected(lobby: Lobby, filter_: dict[str, Any], code: str) -> None:
    assert lobby.ask(DEVICES, {"filter": filter_}).code == code


@pytest.mark.parametrize("first", [0, -3, 101])
def test_a_page_has_1_to_100_devices(lobby: Lobby, first: int) -> None:
    assert lobby.ask(DEVICES, {"first": first}).code == "INVALID_COUNT"


@pytest.mark.parametrize(
    "field",
    [
        "message",
        "config",
        "endpoint",
        "clientVersion",
        "historyIntact",
        "history { at }",
        "certificate { key }",
    ],
)
def test_a_field_not_in_lists_is_one_error_and_the_rest_is_returned(lobby: Lobby, field: str) -> None:
    for number in range(3):
        lobby.waiting(number)
    response = lobby.ask(f"{{ devices {{ nodes {{ certid {field} }} }} }}")
    assert response.code == "NOT_IN_LISTS"
    assert [node["certid"] for node in response.body["data"]["devices"]["nodes"]] == [fingerprint(n) for n in (2, 1, 0)]


def test_a_list_returns_every_field_of_its_index(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    fields = (
        "certid devicename devstate enteredAt generation reason targetaccount targetregion profile claimedBy claimedAt"
        " firstSeen lobbyRegion shortForm labelCode allowedActions previousTargets { account region }"
    )
    document = f'{{ device(certid: "{certid}") {{ {fields} }} devices {{ nodes {{ {fields} }} }} }}'
    data = lobby.ask(document).data
    assert data["devices"]["nodes"] == [data["device"]]


@pytest.mark.parametrize(
    "filter_",
    [
        {"state": "inlobby"},
        {"state": "revoked"},
        {"target": AT_HERE},
        {"state": "failed", "reason": "TARGET_LIMIT"},
        {"state": "claimed", "enteredBefore": "2026-11-22T00:00:00Z"},
        {"target": AT_HERE, "enteredBefore": "2026-11-22T00:00:00Z"},
    ],
)
def test_a_page_costs_one_query(lobby: Lobby, filter_: dict[str, Any]) -> None:
    fleet(lobby)
    with counted() as calls:
        for after in (None, ask(lobby, filter=filter_, first=1)["pageInfo"]["endCursor"]):
            calls.clear()
            ask(lobby, filter=filter_, first=100, after=after)
            assert calls == ["Query"]


@pytest.mark.parametrize("filter_", [{"namePrefix": "pump"}, {"fingerprintPrefix": "00000000"}])
def test_a_page_of_names_or_fingerprints_costs_a_query_and_a_read(lobby: Lobby, filter_: dict[str, Any]) -> None:
    fleet(lobby)
    with counted() as calls:
        ask(lobby, filter=filter_, first=100)
    assert calls == ["Query", "BatchGetItem"]


@pytest.mark.parametrize(
    "filter_",
    [
        {"target": AT_HERE, "state": "claimed", "reason": "EXPIRED"},
        {"namePrefix": "pump", "state": "inlobby"},
        {"fingerprintPrefix": "0000", "state": "inlobby", "reason": "EXPIRED"},
    ],
)
def test_with_several_conditions_the_counts_choose_the_index_once(lobby: Lobby, filter_: dict[str, Any]) -> None:
    fleet(lobby)
    with counted() as calls:
        after = ask(lobby, filter=filter_, first=1)["pageInfo"]["endCursor"]
        assert calls.count("Query") == (1 + PARTITIONS) + 1
        if after is not None:
            calls.clear()
            ask(lobby, filter=filter_, first=1, after=after)
            assert calls.count("Query") == 1


def test_a_page_of_all_devices_costs_one_query_for_each_state_that_has_devices_left(lobby: Lobby) -> None:
    for number in range(3):
        lobby.waiting(number)
    with counted() as calls:
        after = ask(lobby, first=2)["pageInfo"]["endCursor"]
        assert calls == ["Query"] * len(State)
        calls.clear()
        ask(lobby, first=2, after=after)
    assert calls == ["Query"]


def test_the_last_hellos_of_a_list_are_read_together(lobby: Lobby) -> None:
    waiting = [lobby.waiting(number) for number in range(3)]
    unseen = lobby.admit(9)
    with counted() as calls:
        nodes = lobby.ask("{ devices { nodes { certid lastSeen } } }").data["devices"]["nodes"]
    assert {each["certid"] for each in nodes if each["lastSeen"]} == set(waiting)
    assert [each["lastSeen"] for each in nodes if each["certid"] == unseen] == [None]
    assert (calls.count("BatchGetItem"), calls.count("GetItem")) == (1, 0)


def test_the_renewals_of_a_list_are_read_together(lobby: Lobby) -> None:
    due = lobby.waiting(1)
    lobby.waiting(2)
    LedgerRow(due).update(actions=[LedgerRow.renew_by.set("2026-01-01T00:00:00.000Z")])
    with counted() as calls:
        nodes = lobby.ask("{ devices { nodes { certid lastSeen renewal { stage by overdue unable } } } }").data[
            "devices"
        ]
        assert (calls.count("BatchGetItem"), calls.count("GetItem")) == (1, 0)
    found = {each["certid"]: each["renewal"] for each in nodes["nodes"]}
    renewal = {"stage": "DUE", "by": "2026-01-01T00:00:00.000Z", "overdue": True, "unable": True}
    assert found == {due: renewal, fingerprint(2): None}


def test_a_list_can_begin_with_the_oldest(lobby: Lobby) -> None:
    waiting = [lobby.waiting(number) for number in range(3)]
    query = """query($after: String) {
      devices(first: 2, after: $after, order: OLDEST_FIRST) { nodes { certid } pageInfo { endCursor } } }"""
    page = lobby.ask(query).data["devices"]
    rest = lobby.ask(query, {"after": page["pageInfo"]["endCursor"]}).data["devices"]
    assert [each["certid"] for each in (*page["nodes"], *rest["nodes"])] == waiting
