"""Moving, configuring, releasing, revoking and retrying many devices: preview, conditions, results, roles."""

import json
from collections.abc import Sequence
from typing import Any
from unittest.mock import Mock

import pytest

from admin_api import roles
from admin_api.changes import ChangeOperation
from admin_api.graphql.limits import MAX_BODY, MAX_SECONDS
from lobby.domain.states import Event
from lobby.domain.transitions import ClaimRequest
from lobby.label import encode_label
from lobby.ledger.listing import MAX_PAGE
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, at, fingerprint

PREVIEW = """
query($change: ChangeInput!, $devices: [ChosenDevice!], $filter: DeviceFilter, $first: Int! = 100, $after: String) {
  previewChange(change: $change, devices: $devices, filter: $filter, first: $first, after: $after) {
    total changing unchanged refusals { code count }
    devices { certid ok changes code message generation state device { devicename devstate targetaccount } }
    pageInfo { hasNextPage endCursor }
  }
}"""
CHANGE = """
mutation($change: ChangeInput!, $devices: [ChosenDevice!]!) {
  changeDevices(change: $change, devices: $devices) {
    results { certid ok code message forgotten device { certid devstate targetaccount profile generation } }
  }
}"""
MOVE = {"operation": "MOVE", "target": at(THERE)}
CHANGES: dict[str, dict[str, Any]] = {
    "move": MOVE,
    "configure": {"operation": "CONFIGURE", "config": {"interval": 5}},
    "release": {"operation": "RELEASE"},
    "revoke": {"operation": "REVOKE", "why": "stolen"},
    "retry": {"operation": "RETRY"},
}
STATES = {"move": "claimed", "configure": "claimed", "release": "inlobby", "revoke": "revoked", "retry": "claimed"}


def claimed(lobby: Lobby, number: int) -> Fingerprint:
    certid = lobby.waiting(number)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:bob")
    return certid


def chosen(certids: Sequence[str], generation: int | None = 1) -> list[dict[str, Any]]:
    return [{"certid": certid} | ({} if generation is None else {"generation": generation}) for certid in certids]


def preview(lobby: Lobby, change: dict[str, Any], **variables: Any) -> dict[str, Any]:
    result: dict[str, Any] = lobby.ask(PREVIEW, {"change": change} | variables).data["previewChange"]
    return result


def change(
    lobby: Lobby, change: dict[str, Any], devices: list[dict[str, Any]], groups: tuple[str, ...] = ("operator",)
) -> Response:
    return lobby.ask(CHANGE, {"change": change, "devices": devices}, groups)


def codes(response: Response) -> list[str | None]:
    return [each["code"] for each in response.data["changeDevices"]["results"]]


@pytest.mark.parametrize("name", CHANGES)
def test_a_preview_shows_what_the_change_then_does(lobby: Lobby, name: str) -> None:
    certids = [claimed(lobby, number) for number in range(3)]
    previewed = preview(lobby, CHANGES[name], devices=chosen(certids, None))
    assert (previewed["total"], previewed["changing"], previewed["unchanged"]) == (3, 3, 0)
    assert previewed["refusals"] == []
    assert [each["state"] for each in previewed["devices"]] == [STATES[name]] * 3
    devices = [{"certid": each["certid"], "generation": each["generation"]} for each in previewed["devices"]]
    results = change(lobby, CHANGES[name], devices).data["changeDevices"]["results"]
    assert [(each["certid"], each["ok"], each["device"]["devstate"]) for each in results] == [
        (certid, True, STATES[name]) for certid in certids
    ]
    assert {each["device"]["generation"] for each in results} == {2}
    for certid in certids:
        entry = lobby.ledger.history(certid)[-1]
        assert (entry.event.value, entry.actor) == (name, "user:alice")
    again = change(lobby, CHANGES[name], devices).data["changeDevices"]["results"]
    assert again == results


def test_counts_and_reasons_of_refusals(lobby: Lobby) -> None:
    there = claimed(lobby, 1)
    lobby.ledger.move(there, ClaimRequest(THERE), "user:bob")
    revoked, waiting = claimed(lobby, 2), lobby.waiting(3)
    lobby.ledger.revoke(revoked, "lost", "user:bob")
    texts = [claimed(lobby, 4), there, revoked, waiting, lobby.waiting(5), "zz", fingerprint(9)]
    previewed = preview(lobby, MOVE, devices=chosen(texts, None))
    assert [(each["certid"], each["ok"], each["changes"], each["code"]) for each in previewed["devices"]] == [
        (texts[0], True, True, None),
        (there, True, False, None),
        (revoked, False, False, "REVOKED"),
        (waiting, False, False, "NOT_ALLOWED"),
        (texts[4], False, False, "NOT_ALLOWED"),
        ("zz", False, False, "INVALID_FINGERPRINT"),
        (texts[6], False, False, "UNKNOWN_DEVICE"),
    ]
    assert all(bool(each["message"]) is not each["ok"] for each in previewed["devices"])
    assert (previewed["total"], previewed["changing"], previewed["unchanged"]) == (7, 1, 1)
    assert previewed["refusals"][0] == {"code": "NOT_ALLOWED", "count": 2}
    assert {each["code"] for each in previewed["refusals"]} == {
        "NOT_ALLOWED",
        "REVOKED",
        "INVALID_FINGERPRINT",
        "UNKNOWN_DEVICE",
    }
    outcome = change(lobby, MOVE, chosen(texts, None))
    assert codes(outcome) == [each["code"] for each in previewed["devices"]]


def test_a_device_that_changed_since_the_preview_is_left_as_it_is(lobby: Lobby) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    lobby.ledger.move(one, ClaimRequest(THERE), "user:bob")
    before = lobby.ledger.get(one)
    response = change(lobby, CHANGES["release"], chosen([one, two]))
    assert codes(response) == ["CHANGED_MEANWHILE", None]
    assert lobby.ledger.get(one) == before


def test_a_released_device_that_never_connected_is_forgotten(lobby: Lobby) -> None:
    certid = fingerprint(1)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:bob")
    for _ in range(2):
        [result] = change(lobby, CHANGES["release"], chosen([encode_label(certid)])).data["changeDevices"]["results"]
        assert (result["ok"], result["forgotten"], result["device"]) == (True, True, None)


def test_a_preview_of_a_filter_lists_all_devices_page_by_page(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin_api.graphql.bulk_changes.MAX_PAGE", 2)
    certids = {claimed(lobby, number) for number in range(5)}
    lobby.waiting(7)
    found: list[str] = []
    after, sizes = None, []
    while True:
        page = preview(lobby, MOVE, filter={"target": at(HERE)}, first=3, after=after)
        found += [each["certid"] for each in page["devices"]]
        sizes.append(page["total"])
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] is (after is not None)
        if after is None:
            break
    assert sizes[0] == 3
    assert len(found) == len(certids)
    assert set(found) == certids
    assert MAX_PAGE == 100


def test_a_device_that_the_index_still_lists_but_that_no_longer_matches_is_left_out(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    original = lobby.ledger.preview_many

    def meanwhile(*arguments: Any) -> Any:
        lobby.ledger.release(one, "user:bob")
        return original(*arguments)

    monkeypatch.setattr(lobby.ledger, "preview_many", meanwhile)
    page = preview(lobby, MOVE, filter={"state": "claimed"})
    assert ([each["certid"] for each in page["devices"]], page["total"]) == ([two], 1)


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
        ({"operation": "CLAIM"}, "INVALID_QUERY"),
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


@pytest.mark.parametrize("operation", ChangeOperation)
@pytest.mark.parametrize("groups", [("viewer",), ("technician", f"target:{HERE}", f"target:{THERE}")])
def test_only_roles_that_may_change_one_device_may_change_many(
    lobby: Lobby, operation: ChangeOperation, groups: tuple[str, ...]
) -> None:
    certid = claimed(lobby, 1)
    before = lobby.ledger.get(certid)
    wanted = CHANGES[operation.value]
    assert change(lobby, wanted, chosen([certid]), groups).code == "FORBIDDEN"
    assert lobby.ask(PREVIEW, {"change": wanted, "devices": chosen([certid])}, groups).code == "FORBIDDEN"
    assert lobby.ledger.get(certid) == before


@pytest.fixture
def technicians_may_change(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("previewChange", "changeDevices", "moveDevice", "releaseDevice")
    permitted = dict.fromkeys(names, roles.OPERATIONS["claimDevice"])
    monkeypatch.setattr(roles, "OPERATIONS", roles.OPERATIONS | permitted)


@pytest.mark.usefixtures("technicians_may_change")
def test_the_target_of_each_device_and_that_of_a_move_are_authorised(lobby: Lobby) -> None:
    """Even if a later table of roles lets technicians change devices in bulk."""
    here, there = claimed(lobby, 1), claimed(lobby, 2)
    lobby.ledger.move(there, ClaimRequest(THERE), "user:bob")
    groups = ("technician", f"target:{HERE}")
    assert codes(change(lobby, CHANGES["release"], chosen([here, there], None), groups)) == [None, "FORBIDDEN"]
    assert change(lobby, MOVE, chosen([here], None), groups).code == "FORBIDDEN"
    assert change(lobby, CHANGES["retry"], chosen([here], None), groups).code == "FORBIDDEN"


CONFIGURE = """
mutation($id: ID!, $profile: String, $config: JSON) {
  configureDevice(certid: $id, profile: $profile, config: $config) { devstate targetaccount profile config generation }
}"""


def test_the_configuration_of_one_device_is_changed_without_its_target(lobby: Lobby) -> None:
    certid = claimed(lobby, 1)
    changed = {
        "devstate": "claimed",
        "targetaccount": HERE.account,
        "profile": "default",
        "config": {"interval": 5},
        "generation": 2,
    }
    for _ in range(2):
        assert lobby.ask(CONFIGURE, {"id": certid, "config": {"interval": 5}}).data["configureDevice"] == changed
    entries = [entry for entry in lobby.ledger.history(certid) if entry.event is Event.CONFIGURE]
    assert [(entry.actor, entry.target) for entry in entries] == [("user:alice", str(HERE))]


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({}, "INVALID_CHANGE"),
        ({"config": "factory reset"}, "INVALID_CONFIG"),
        ({"profile": "submarine"}, "UNKNOWN_PROFILE"),
        ({"id": "zz", "config": "new"}, "INVALID_FINGERPRINT"),
        ({"id": fingerprint(7), "config": "new"}, "UNKNOWN_DEVICE"),
    ],
)
def test_an_invalid_configuration_changes_nothing(lobby: Lobby, variables: dict[str, Any], code: str) -> None:
    certid = claimed(lobby, 1)
    before = lobby.ledger.get(certid)
    assert lobby.ask(CONFIGURE, {"id": certid} | variables).code == code
    assert lobby.ledger.get(certid) == before


def test_a_lost_database_fails_every_device_without_endless_attempts(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Mock(side_effect=RuntimeError("secret"))
    monkeypatch.setattr(lobby.ledger, "change_many", failing)
    lobby.seconds = iter([0.0, MAX_SECONDS])
    assert codes(change(lobby, MOVE, chosen([fingerprint(number) for number in range(1000)]))) == ["INTERNAL"] * 1000
    assert failing.call_count == 1
