"""Cursors of `devices`: a cursor is valid only for the filter and the index that it was made for."""

import base64
import json
from typing import Any

import pytest

from lobby.domain.states import State
from lobby.ledger.listing import Filter
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.test_api_lists import AT_HERE, DEVICES

KEY = {"certid": {"S": fingerprint(1)}, "kind": {"S": "device"}, "enteredat": {"S": "2026-01-01T00:00:00.000Z"}}
ANY = Filter().as_list()


def cursor(body: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(body).encode()).decode()


def test_a_cursor_in_the_right_format_is_accepted(lobby: Lobby) -> None:
    """The forged cursors below differ from this one in one respect each."""
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
def test_a_forged_cursor_is_rejected(lobby: Lobby, forged: str) -> None:
    assert lobby.ask(DEVICES, {"after": forged}).code == "INVALID_CURSOR"


def key_of(**values: str) -> dict[str, Any]:
    return {"certid": {"S": fingerprint(1)}} | {name: {"S": value} for name, value in values.items()}


BEFORE = "2026-11-22T00:00:00.000Z"


@pytest.mark.parametrize(
    ("argument", "filter_", "inside", "outside"),
    [
        (
            {"namePrefix": "pump"},
            Filter(name_prefix="pump"),
            key_of(namehead="pu", devicename="pump-1"),
            key_of(namehead="pu", devicename="pulley"),
        ),
        (
            {"namePrefix": "pump"},
            Filter(name_prefix="pump"),
            key_of(namehead="pu", devicename="pump-1"),
            key_of(namehead="va", devicename="pump-1"),
        ),
        (
            {"fingerprintPrefix": "0000"},
            Filter(fingerprint_prefix="0000"),
            key_of(printhead="0000"),
            key_of(printhead="0001"),
        ),
        (
            {"state": "failed", "enteredBefore": BEFORE},
            Filter(state=State.FAILED, entered_before=BEFORE),
            key_of(devstate="failed", enteredat="2026-11-21T00:00:00.000Z"),
            key_of(devstate="failed", enteredat="2026-11-23T00:00:00.000Z"),
        ),
        (
            {"target": AT_HERE},
            Filter(target=HERE),
            key_of(target=str(HERE), enteredat=BEFORE),
            key_of(target=str(THERE), enteredat=BEFORE),
        ),
        ({"state": "inlobby"}, Filter(state=State.INLOBBY), key_of(devstate="inlobby", enteredat=BEFORE), None),
    ],
    ids=["another name", "another partition", "another fingerprint", "later", "another target", "no key"],
)
def test_a_cursor_outside_its_filter_is_rejected(
    lobby: Lobby, argument: dict[str, Any], filter_: Filter, inside: dict[str, Any], outside: dict[str, Any] | None
) -> None:
    def after(key: dict[str, Any] | None) -> list[str]:
        token = cursor({"q": filter_.as_list(), "key": key})
        return lobby.ask(DEVICES, {"filter": argument, "after": token}).codes

    assert (after(inside), after(outside)) == ([], ["INVALID_CURSOR"])


def test_a_cursor_is_valid_only_for_its_filter(lobby: Lobby) -> None:
    for number in range(3):
        lobby.waiting(number)
    after = lobby.ask(DEVICES, {"filter": {"state": "inlobby"}, "first": 1}).data["devices"]["pageInfo"]["endCursor"]
    assert lobby.ask(DEVICES, {"filter": {"state": "knocking"}, "after": after}).code == "INVALID_CURSOR"
