"""Changes of many devices that are rejected or fail: invalid values, sizes, the time limit, internal faults."""

import json
from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock

import pytest

from admin_api.graphql.limits import MAX_BODY, MAX_SECONDS
from lobby.domain.states import Event
from tests.functional.admin_api.api_on_moto import Lobby, at, fingerprint
from tests.functional.admin_api.bulk_change_requests import (
    CHANGE,
    CHANGES,
    MOVE,
    PREVIEW,
    change,
    chosen,
    claimed,
    codes,
    preview,
)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"target": at("333333333333/eu-west-1")}, "UNKNOWN_TARGET"),
        ({"target": {"account": "1", "region": "eu-west-1"}}, "INVALID_ACCOUNT"),
        ({"target": None}, "INVALID_CHANGE"),
        ({"profile": "../x"}, "INVALID_PROFILE"),
        ({"config": [1]}, "INVALID_CONFIG"),
        ({"why": "because"}, "INVALID_CHANGE"),
        ({"operation": "RELEASE"}, "INVALID_CHANGE"),
        ({"operation": "RETRY", "target": None, "config": ""}, "INVALID_CHANGE"),
        ({"operation": "REVOKE", "target": None}, "INVALID_REASON"),
        ({"operation": "REVOKE", "target": None, "why": " "}, "INVALID_REASON"),
        ({"operation": "REVOKE", "target": None, "why": "x" * 201}, "INVALID_REASON"),
        ({"operation": "CONFIGURE", "target": None}, "INVALID_CHANGE"),
        ({"operation": "ADMIT"}, "INVALID_QUERY"),
        ({"operation": "move"}, "INVALID_QUERY"),
    ],
)
def test_an_error_in_the_change_rejects_preview_and_change(lobby: Lobby, changed: dict[str, Any], code: str) -> None:
    certid = claimed(lobby, 1)
    before = lobby.ledger.get(certid)
    wanted = MOVE | changed
    assert lobby.ask(PREVIEW, {"change": wanted, "devices": chosen([certid])}).code == code
    assert change(lobby, wanted, chosen([certid])).code == code
    assert lobby.ledger.get(certid) == before


@pytest.mark.parametrize(
    ("variables", "code", "message"),
    [
        ({}, "INVALID_SELECTION", "got neither of devices and filter, want one of them"),
        ({"devices": [{"certid": "aa"}], "filter": {}}, "INVALID_SELECTION", "got both of devices and filter"),
        ({"devices": []}, "INVALID_COUNT", "got 0 fingerprints, want 1 to 1000 in one request"),
        ({"devices": [{"certid": "aa"}] * 1001}, "INVALID_COUNT", "got 1001 fingerprints, want 1 to 1000"),
        ({"filter": {}, "first": 0}, "INVALID_COUNT", "got 0, want 1 to 1000"),
        ({"filter": {}, "first": 1001}, "INVALID_COUNT", "got 1001, want 1 to 1000"),
        ({"filter": {"state": "asleep"}}, "INVALID_STATE", "got 'asleep'"),
        ({"filter": {"namePrefix": "n" * 129}}, "INVALID_THING_NAME", "got "),
        ({"filter": {"fingerprintPrefix": "ab" * 33}}, "INVALID_PREFIX", "got "),
        ({"filter": {"reason": "R" * 65}}, "INVALID_REASON", "got "),
        ({"filter": {}, "after": "garbage"}, "INVALID_CURSOR", "got 'garbage'"),
    ],
)
def test_a_selection_that_is_invalid_or_too_large_names_value_and_limit(
    lobby: Lobby, variables: dict[str, Any], code: str, message: str
) -> None:
    response = lobby.ask(PREVIEW, {"change": MOVE} | variables)
    assert response.code == code
    assert message in response.body["errors"][0]["message"]


def test_a_list_of_more_than_a_thousand_is_refused_and_changes_nothing(lobby: Lobby) -> None:
    certid = claimed(lobby, 1)
    response = change(lobby, CHANGES["release"], chosen([certid] * 1001))
    assert (response.code, response.body["errors"][0]["message"]) == (
        "INVALID_COUNT",
        "got 1001 fingerprints, want 1 to 1000 in one request",
    )
    assert lobby.ledger.get(certid) is not None
    assert [entry.event for entry in lobby.ledger.history(certid)][-1] is Event.CLAIM


def test_the_longest_list_fits_the_body() -> None:
    devices = [{"certid": f"{number:064x}", "generation": 2**31 - 1} for number in range(1000)]
    body = json.dumps({"query": CHANGE, "variables": {"change": MOVE, "devices": devices}})
    assert len(body) < MAX_BODY


def test_devices_left_after_the_time_limit_are_not_tried_and_can_be_sent_again(lobby: Lobby) -> None:
    certids = [claimed(lobby, number) for number in range(3)]
    lobby.seconds = iter([0.0, MAX_SECONDS])
    assert codes(change(lobby, MOVE, chosen(certids))) == ["NOT_TRIED"] * 3
    lobby.seconds = None
    assert codes(change(lobby, MOVE, chosen(certids))) == [None] * 3


def test_an_internal_fault_affects_only_the_device_that_causes_it(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    certids = [claimed(lobby, number) for number in range(5)]
    change_many, preview_many = lobby.ledger.change_many, lobby.ledger.preview_many

    def poisoned(original: Any) -> Any:
        def run(some: Sequence[Any], *rest: Any) -> Any:
            if certids[2] in [each.certid for each in some]:
                raise RuntimeError("table device-lobby-ledger: secret")
            return original(some, *rest)

        return run

    monkeypatch.setattr(lobby.ledger, "change_many", poisoned(change_many))
    monkeypatch.setattr(lobby.ledger, "preview_many", poisoned(preview_many))
    previewed = preview(lobby, MOVE, devices=chosen(certids))["devices"]
    assert [each["code"] for each in previewed] == [None, None, "INTERNAL", None, None]
    response = change(lobby, MOVE, chosen(certids))
    assert codes(response) == [None, None, "INTERNAL", None, None]
    assert "secret" not in json.dumps(response.body)
    assert "secret" in caplog.text


def test_a_lost_database_fails_every_device_without_endless_attempts(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Mock(side_effect=RuntimeError("secret"))
    monkeypatch.setattr(lobby.ledger, "change_many", failing)
    lobby.seconds = iter([0.0, MAX_SECONDS])
    assert codes(change(lobby, MOVE, chosen([fingerprint(number) for number in range(1000)]))) == ["INTERNAL"] * 1000
    assert failing.call_count == 1
