"""Cursors of `devices`: a cursor is valid only for the filter and the index that it was made for."""

import base64
import json
from typing import Any

import pytest

from lobby.domain.states import State
from lobby.ledger.lists.listing import Filter
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.device_lists import AT_HERE, DEVICES

TIME = "2026-01-01T00:00:00.000Z"
PLACE = {"index": "all", "value": TIME, "after": {"inlobby": fingerprint(1)}}
ANY = Filter().as_list()


def cursor(body: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


def test_a_cursor_in_the_right_format_is_accepted(lobby: Lobby) -> None:
    """The forged cursors below differ from this one in one respect each."""
    assert lobby.ask(DEVICES, {"after": cursor({"q": ANY, **PLACE})}).codes == []


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "ü",
        cursor(None),
        cursor([]),
        cursor("text"),
        cursor({"q": ANY}),
        cursor({"q": ANY, "key": {"certid": {"S": fingerprint(1)}}}),
        cursor({"q": ANY, **PLACE, "after": None}),
        cursor({"q": ANY, **PLACE, "after": []}),
        cursor({"q": ANY, **PLACE, "after": {}}),
        cursor({"q": ANY, **PLACE, "after": {"inlobby": 5}}),
        cursor({"q": ANY, **PLACE, "after": {"inlobby": "S"}}),
        cursor({"q": ANY, **PLACE, "after": {"inlobby": "AB" * 32}}),
        cursor({"q": ANY, **PLACE, "after": {"waiting": fingerprint(1)}}),
        cursor({"q": ANY, **PLACE, "more": 1}),
        cursor({"q": ANY, **PLACE, "index": "state"}),
        cursor({"q": ANY, **PLACE, "index": ["all"]}),
        cursor({"q": ANY, **PLACE, "value": "2026-01-01"}),
        cursor({"q": Filter(state=State.INLOBBY).as_list(), **PLACE}),
        cursor({"q": "||", **PLACE}),
        base64.urlsafe_b64encode(b"[" * 20_000).decode(),
    ],
    ids=range(21),
)
def test_a_forged_cursor_is_rejected(lobby: Lobby, forged: str) -> None:
    assert lobby.ask(DEVICES, {"after": forged}).code == "INVALID_CURSOR"


def place(index: str, value: str, partition: str) -> dict[str, Any]:
    certid = value if index == "print" else fingerprint(1)
    return {"index": index, "value": value, "after": {partition: certid}}


BEFORE = "2026-11-22T00:00:00.000Z"
LATER = "2026-11-23T00:00:00.000Z"


@pytest.mark.parametrize(
    ("argument", "filter_", "inside", "outside"),
    [
        (
            {"namePrefix": "pump"},
            Filter(name_prefix="pump"),
            place("name", "pump-1", "pu"),
            place("name", "pulley", "pu"),
        ),
        (
            {"namePrefix": "pump"},
            Filter(name_prefix="pump"),
            place("name", "pump-1", "pu"),
            place("name", "pump-1", "va"),
        ),
        (
            {"fingerprintPrefix": "0000"},
            Filter(fingerprint_prefix="0000"),
            place("print", fingerprint(1), "0000"),
            place("print", fingerprint(1), "0001"),
        ),
        (
            {"state": "failed", "enteredBefore": BEFORE},
            Filter(state=State.FAILED, entered_before=BEFORE),
            place("state", TIME, "failed"),
            place("state", LATER, "failed"),
        ),
        (
            {"target": AT_HERE},
            Filter(target=HERE),
            place("target", BEFORE, str(HERE)),
            place("target", BEFORE, str(THERE)),
        ),
        ({"state": "inlobby"}, Filter(state=State.INLOBBY), place("state", BEFORE, "inlobby"), {}),
    ],
    ids=["another name", "another partition", "another fingerprint", "later", "another target", "no place"],
)
def test_a_cursor_outside_its_filter_is_rejected(
    lobby: Lobby, argument: dict[str, Any], filter_: Filter, inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    def after(where: dict[str, Any]) -> list[str]:
        token = cursor({"q": filter_.as_list(), **where})
        return lobby.ask(DEVICES, {"filter": argument, "after": token}).codes

    assert (after(inside), after(outside)) == ([], ["INVALID_CURSOR"])


def test_a_cursor_is_valid_only_for_its_filter(lobby: Lobby) -> None:
    for number in range(3):
        lobby.waiting(number)
    after = lobby.ask(DEVICES, {"filter": {"state": "inlobby"}, "first": 1}).data["devices"]["pageInfo"]["endCursor"]
    assert lobby.ask(DEVICES, {"filter": {"state": "knocking"}, "after": after}).code == "INVALID_CURSOR"
