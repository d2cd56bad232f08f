"""Lists: filters, cursors that nobody can bend, and what a list does not carry."""

import base64
import json
from typing import Any

import pytest

from lobby.ledger.decisions import Claim
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint

DEVICES = """
query Devices($filter: DeviceFilter, $first: Int! = 20, $after: String) {
  devices(filter: $filter, first: $first, after: $after) {
    nodes { certid devicename devstate } pageInfo { hasNextPage endCursor }
  }
}"""


def ask(lobby: Lobby, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = lobby.ask(DEVICES, variables).data["devices"]
    return found


def names(page: dict[str, Any]) -> set[str]:
    return {node["devicename"] for node in page["nodes"]}


def cursor(body: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


def fleet(lobby: Lobby) -> None:
    """Two wait, one knocks, one is claimed for each target."""
    for number, name in enumerate(["pump-1", "pump-2", "valve-1", "pump-3", "valve-2"]):
        (lobby.admit if name == "valve-1" else lobby.waiting)(number, name)
    lobby.ledger.claim(fingerprint(3), Claim(HERE), "user:bob")
    lobby.ledger.claim(fingerprint(4), Claim(THERE), "user:bob")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, {"pump-1", "pump-2", "pump-3", "valve-1", "valve-2"}),
        ({}, {"pump-1", "pump-2", "pump-3", "valve-1", "valve-2"}),
        ({"state": None, "target": None, "namePrefix": None}, {"pump-1", "pump-2", "pump-3", "valve-1", "valve-2"}),
        ({"state": "inlobby"}, {"pump-1", "pump-2"}),
        ({"state": "revoked"}, set()),
        ({"target": {"account": HERE.account, "region": HERE.region}}, {"pump-3"}),
        ({"target": {"account": THERE.account, "region": THERE.region}, "state": "claimed"}, {"valve-2"}),
        ({"namePrefix": "valve"}, {"valve-1", "valve-2"}),
        ({"namePrefix": "pump", "state": "inlobby"}, {"pump-1", "pump-2"}),
    ],
)
def test_a_filter_gives_those_for_whom_all_of_it_holds(
    lobby: Lobby, wanted: dict[str, Any] | None, found: set[str]
) -> None:
    fleet(lobby)
    assert names(ask(lobby, filter=wanted)) == found


@pytest.mark.parametrize("wanted", [{"state": "inlobby"}, {"namePrefix": "thing"}, None])
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
        ({"target": {"account": HERE.account}}, "INVALID_QUERY"),
        ({"colour": "red"}, "INVALID_QUERY"),
    ],
)
def test_a_malformed_filter_is_refused(lobby: Lobby, wanted: dict[str, Any], code: str) -> None:
    assert lobby.ask(DEVICES, {"filter": wanted}).code == code


KEY = {"certid": {"S": fingerprint(1)}, "devstate": {"S": "inlobby"}, "enteredat": {"S": "2026-01-01"}}


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "ü",
        cursor(None),
        cursor([]),
        cursor("text"),
        cursor({"q": "||", "in": None, "key": None}),
        cursor({"q": "||", "in": [], "key": None}),
        cursor({"q": "||", "in": "inlobby", "key": []}),
        cursor({"q": "||", "in": "inlobby", "key": {}}),
        cursor({"q": "||", "in": "inlobby", "key": KEY | {"certid": {"S": 5}}}),
        cursor({"q": "||", "in": "inlobby", "key": KEY | {"certid": "S"}}),
        cursor({"q": "||", "in": "inlobby", "key": KEY | {"certid": {"S": "a", "N": "1"}}}),
        cursor({"q": "||", "in": "inlobby", "key": KEY | {"other": {"S": "a"}}}),
        cursor({"q": "||", "in": "inlobby", "key": KEY | {"devstate": {"S": "revoked"}}}),
        cursor({"q": "||", "in": "inlobby", "key": {"certid": {"S": "a"}}}),
        cursor({"q": "inlobby||", "in": "inlobby", "key": KEY}),
        base64.urlsafe_b64encode(b"[" * 20_000).decode(),
    ],
    ids=range(17),
)
def test_a_forged_cursor_is_refused_as_such(lobby: Lobby, forged: str) -> None:
    assert lobby.ask(DEVICES, {"after": forged}).code == "INVALID_CURSOR"


@pytest.mark.parametrize(
    ("wanted", "forged"),
    [
        ({"namePrefix": "pump"}, {"namehead": {"S": "pu"}, "devicename": {"S": "pulley"}, "certid": {"S": "a"}}),
        ({"namePrefix": "pump"}, {"namehead": {"S": "va"}, "devicename": {"S": "pump-1"}, "certid": {"S": "a"}}),
        ({"namePrefix": "pump"}, None),
        ({"state": "inlobby"}, None),
    ],
)
def test_a_cursor_that_leads_out_of_its_question_is_refused(
    lobby: Lobby, wanted: dict[str, Any], forged: dict[str, Any] | None
) -> None:
    question = f"{wanted.get('state', '')}||{wanted.get('namePrefix', '')}"
    answer = lobby.ask(DEVICES, {"filter": wanted, "after": cursor({"q": question, "in": None, "key": forged})})
    assert answer.code == "INVALID_CURSOR"


def test_the_cursor_of_one_question_is_no_answer_to_another(lobby: Lobby) -> None:
    for number in range(3):
        lobby.waiting(number)
    after = ask(lobby, filter={"state": "inlobby"}, first=1)["pageInfo"]["endCursor"]
    assert lobby.ask(DEVICES, {"filter": {"state": "knocking"}, "after": after}).code == "INVALID_CURSOR"


@pytest.mark.parametrize("first", [0, -3, 101])
def test_a_page_of_devices_has_1_to_100(lobby: Lobby, first: int) -> None:
    assert lobby.ask(DEVICES, {"first": first}).code == "INVALID_COUNT"


@pytest.mark.parametrize(
    "field", ["message", "config", "endpoint", "lastSeen", "clientVersion", "historyIntact", "history { at }"]
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
