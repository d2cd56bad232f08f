"""Lists: filters, cursors that nobody can bend, and what a list does not carry."""

import base64
import json
from typing import Any

import pytest

from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.listing import Filter
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, counted, fingerprint

DEVICES = """
query Devices($filter: DeviceFilter, $first: Int! = 20, $after: String) {
  devices(filter: $filter, first: $first, after: $after) {
    nodes { certid devicename devstate } pageInfo { hasNextPage endCursor }
  }
}"""


FAILED = 0xF << 252
AT_HERE = {"account": HERE.account, "region": HERE.region}
ALL = {"pump-1", "pump-2", "pump-3", "valve-1", "valve-2", "valve-3"}


def ask(lobby: Lobby, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = lobby.ask(DEVICES, variables).data["devices"]
    return found


def names(page: dict[str, Any]) -> set[str]:
    return {node["devicename"] for node in page["nodes"]}


def cursor(body: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


def fleet(lobby: Lobby) -> None:
    """Two wait, one knocks, one is claimed for each target, one has failed."""
    for number, name in enumerate(["pump-1", "pump-2", "valve-1", "pump-3", "valve-2"]):
        (lobby.admit if name == "valve-1" else lobby.waiting)(number, name)
    lobby.ledger.claim(fingerprint(3), ClaimRequest(HERE), "user:bob")
    lobby.ledger.claim(fingerprint(4), ClaimRequest(THERE), "user:bob")
    lobby.waiting(FAILED, "valve-3")
    failing = lobby.ledger.claim(fingerprint(FAILED), ClaimRequest(THERE), "user:bob")
    lobby.ledger.fail(failing, "TARGET_LIMIT", "raise the quota", "commissioner")


@pytest.mark.parametrize(
    ("wanted", "found"),
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
def test_a_filter_gives_those_for_whom_all_of_it_holds(
    lobby: Lobby, wanted: dict[str, Any] | None, found: set[str]
) -> None:
    fleet(lobby)
    assert names(ask(lobby, filter=wanted)) == found


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": "inlobby"},
        {"namePrefix": "thing"},
        {"fingerprintPrefix": "0000"},
        None,
        {"state": "inlobby", "enteredBefore": "9999-12-31T00:00:00Z"},
    ],
)
def test_pages_follow_each_other_without_gap_or_repetition(lobby: Lobby, wanted: dict[str, Any] | None) -> None:
    expected = {lobby.waiting(number) for number in range(7)}
    seen: list[str] = []
    after = None
    while True:
        page = ask(lobby, filter=wanted, first=3, after=after)
        seen += [node["certid"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] is (after is not None)
        if after is None:
            break
    assert sorted(seen) == sorted(expected)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"state": "nope"}, "INVALID_STATE"),
        ({"state": ""}, "INVALID_STATE"),
        ({"namePrefix": "a"}, "INVALID_PREFIX"),
        ({"namePrefix": ""}, "INVALID_THING_NAME"),
        ({"namePrefix": "a#b"}, "INVALID_THING_NAME"),
        ({"namePrefix": "\ud800\ud800"}, "INVALID_THING_NAME"),
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
def test_a_malformed_filter_is_refused(lobby: Lobby, wanted: dict[str, Any], code: str) -> None:
    assert lobby.ask(DEVICES, {"filter": wanted}).code == code


KEY = {"certid": {"S": fingerprint(1)}, "kind": {"S": "device"}, "enteredat": {"S": "2026-01-01T00:00:00.000Z"}}
ANY = Filter().as_list()


def test_a_cursor_that_is_made_as_ours_are_is_taken(lobby: Lobby) -> None:
    """So that the forged ones below are refused for what is forged in them."""
    assert lobby.ask(DEVICES, {"after": cursor({"q": ANY, "key": KEY})}).codes == []


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "ü",
        cursor(None),
        cursor([]),
        cursor("text"),
        cursor({"q": ANY, "key": None}),
        cursor({"q": ANY}),
        cursor({"q": ANY, "key": []}),
        cursor({"q": ANY, "key": {}}),
        cursor({"q": ANY, "key": KEY | {"certid": {"S": 5}}}),
        cursor({"q": ANY, "key": KEY | {"certid": "S"}}),
        cursor({"q": ANY, "key": KEY | {"certid": {"S": "a", "N": "1"}}}),
        cursor({"q": ANY, "key": KEY | {"other": {"S": "a"}}}),
        cursor({"q": ANY, "key": KEY | {"kind": {"S": "account"}}}),
        cursor({"q": ANY, "key": KEY | {"enteredat": {"S": "2026-01-01"}}}),
        cursor({"q": ANY, "key": KEY | {"certid": {"S": "AB" * 32}}}),
        cursor({"q": ANY, "key": {"certid": {"S": "a"}}}),
        cursor({"q": Filter(state=State.INLOBBY).as_list(), "key": KEY}),
        cursor({"q": "||", "key": KEY}),
        base64.urlsafe_b64encode(b"[" * 20_000).decode(),
    ],
    ids=range(20),
)
def test_a_forged_cursor_is_refused_as_such(lobby: Lobby, forged: str) -> None:
    assert lobby.ask(DEVICES, {"after": forged}).code == "INVALID_CURSOR"


def place(**values: str) -> dict[str, Any]:
    return {"certid": {"S": fingerprint(1)}} | {name: {"S": value} for name, value in values.items()}


BEFORE = "2026-11-22T00:00:00.000Z"


@pytest.mark.parametrize(
    ("wanted", "question", "inside", "outside"),
    [
        (
            {"namePrefix": "pump"},
            Filter(name_prefix="pump"),
            place(namehead="pu", devicename="pump-1"),
            place(namehead="pu", devicename="pulley"),
        ),
        (
            {"namePrefix": "pump"},
            Filter(name_prefix="pump"),
            place(namehead="pu", devicename="pump-1"),
            place(namehead="va", devicename="pump-1"),
        ),
        (
            {"fingerprintPrefix": "0000"},
            Filter(fingerprint_prefix="0000"),
            place(printhead="0000"),
            place(printhead="0001"),
        ),
        (
            {"state": "failed", "enteredBefore": BEFORE},
            Filter(state=State.FAILED, entered_before=BEFORE),
            place(devstate="failed", enteredat="2026-11-21T00:00:00.000Z"),
            place(devstate="failed", enteredat="2026-11-23T00:00:00.000Z"),
        ),
        (
            {"target": AT_HERE},
            Filter(target=HERE),
            place(target=str(HERE), enteredat=BEFORE),
            place(target=str(THERE), enteredat=BEFORE),
        ),
        ({"state": "inlobby"}, Filter(state=State.INLOBBY), place(devstate="inlobby", enteredat=BEFORE), None),
    ],
    ids=["another name", "another partition", "another fingerprint", "later", "another target", "no place"],
)
def test_a_cursor_that_leads_out_of_its_question_is_refused(
    lobby: Lobby, wanted: dict[str, Any], question: Filter, inside: dict[str, Any], outside: dict[str, Any] | None
) -> None:
    def after(key: dict[str, Any] | None) -> list[str]:
        made = cursor({"q": question.as_list(), "key": key})
        return lobby.ask(DEVICES, {"filter": wanted, "after": made}).codes

    assert (after(inside), after(outside)) == ([], ["INVALID_CURSOR"])


def test_the_cursor_of_one_question_is_no_answer_to_another(lobby: Lobby) -> None:
    for number in range(3):
        lobby.waiting(number)
    after = ask(lobby, filter={"state": "inlobby"}, first=1)["pageInfo"]["endCursor"]
    assert lobby.ask(DEVICES, {"filter": {"state": "knocking"}, "after": after}).code == "INVALID_CURSOR"


@pytest.mark.parametrize("first", [0, -3, 101])
def test_a_page_of_devices_has_1_to_100(lobby: Lobby, first: int) -> None:
    assert lobby.ask(DEVICES, {"first": first}).code == "INVALID_COUNT"


@pytest.mark.parametrize(
    "field",
    [
        "message",
        "config",
        "endpoint",
        "lastSeen",
        "clientVersion",
        "historyIntact",
        "history { at }",
        "certificate { key }",
    ],
)
def test_what_a_list_does_not_carry_is_refused_once_and_the_rest_is_given(lobby: Lobby, field: str) -> None:
    for number in range(3):
        lobby.waiting(number)
    answer = lobby.ask(f"{{ devices {{ nodes {{ certid {field} }} }} }}")
    assert answer.code == "NOT_IN_LISTS"
    assert [node["certid"] for node in answer.body["data"]["devices"]["nodes"]] == [fingerprint(n) for n in (2, 1, 0)]


def test_a_list_shows_everything_that_its_index_carries(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    fields = (
        "certid devicename devstate enteredAt generation reason targetaccount targetregion profile claimedBy claimedAt"
        " firstSeen lobbyRegion shortForm labelCode allowedActions previousTargets { account region }"
    )
    document = f'{{ device(certid: "{certid}") {{ {fields} }} devices {{ nodes {{ {fields} }} }} }}'
    data = lobby.ask(document).data
    assert data["devices"]["nodes"] == [data["device"]]


@pytest.mark.parametrize(
    "wanted",
    [
        {"state": "inlobby"},
        {"state": "revoked"},
        {"target": AT_HERE},
        {"target": AT_HERE, "state": "claimed", "reason": "EXPIRED"},
        {"namePrefix": "pump"},
        {"namePrefix": "pump", "state": "inlobby"},
        {"fingerprintPrefix": "00000000"},
        {"fingerprintPrefix": "0000", "state": "inlobby", "reason": "EXPIRED"},
        {"state": "failed", "reason": "TARGET_LIMIT"},
        {"state": "claimed", "enteredBefore": "2026-11-22T00:00:00Z"},
        {"target": AT_HERE, "enteredBefore": "2026-11-22T00:00:00Z"},
    ],
)
def test_a_page_costs_one_query_whatever_is_asked_and_shown(lobby: Lobby, wanted: dict[str, Any]) -> None:
    fleet(lobby)
    with counted() as calls:
        for after in (None, ask(lobby, filter=wanted, first=1)["pageInfo"]["endCursor"]):
            calls.clear()
            ask(lobby, filter=wanted, first=100, after=after)
            assert calls == ["Query"]


def test_a_page_of_all_devices_costs_one_query_as_long_as_it_stays_in_a_state(lobby: Lobby) -> None:
    for number in range(3):
        lobby.waiting(number)
    with counted() as calls:
        ask(lobby, first=2)
    assert calls == ["Query"]
