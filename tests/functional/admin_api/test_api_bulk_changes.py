"""Moving, configuring, releasing, revoking and retrying many devices: preview, conditions, results, roles."""

from typing import Any

import pytest

from admin_api import roles
from lobby.domain.change_requests import ChangeOperation
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.lists.listing import MAX_PAGE
from lobby.text.label import encode_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at, fingerprint
from tests.functional.admin_api.bulk_change_requests import (
    CHANGES,
    MOVE,
    PREVIEW,
    STATES,
    change,
    chosen,
    claimed,
    codes,
    preview,
)


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


def test_a_retry_of_a_device_in_another_state_than_shown_is_refused(lobby: Lobby) -> None:
    one, two, three = (claimed(lobby, number) for number in range(3))
    states = {one: "claimed", two: "failed", three: "lost"}
    devices = [{"certid": certid, "generation": 1, "devstate": state} for certid, state in states.items()]
    results = change(lobby, CHANGES["retry"], devices).data["changeDevices"]["results"]
    assert [each["code"] for each in results] == [None, "CHANGED_MEANWHILE", "INVALID_STATE"]


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


def test_a_device_that_changed_since_the_preview_is_not_changed(lobby: Lobby) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    lobby.ledger.move(one, ClaimRequest(THERE), "user:bob")
    before = lobby.ledger.get(one)
    response = change(lobby, CHANGES["release"], chosen([one, two]))
    assert codes(response) == ["CHANGED_MEANWHILE", None]
    assert lobby.ledger.get(one) == before


def test_a_released_device_that_never_connected_is_removed_from_the_ledger(lobby: Lobby) -> None:
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


def test_many_can_be_claimed_before_they_connect(lobby: Lobby) -> None:
    waiting, other, unknown = lobby.waiting(1), claimed(lobby, 2), fingerprint(9)
    wanted = {"operation": "CLAIM", "target": at(THERE)}
    results = change(lobby, wanted, chosen([waiting, other, unknown], None)).data["changeDevices"]["results"]
    assert [each["code"] for each in results] == [None, "ALREADY_CLAIMED", None]
    assert [each["device"] and each["device"]["devstate"] for each in results] == ["claimed", None, "expected"]


@pytest.mark.parametrize("operation", ChangeOperation)
@pytest.mark.parametrize("groups", [("viewer",), ("technician", f"target:{HERE}", f"target:{THERE}")])
def test_only_roles_that_may_change_one_device_may_change_many(
    lobby: Lobby, operation: ChangeOperation, groups: tuple[str, ...]
) -> None:
    certid = claimed(lobby, 1)
    before = lobby.ledger.get(certid)
    wanted = (
        {**MOVE, "operation": "CLAIM"}
        if operation is ChangeOperation.CLAIM
        else CHANGES.get(operation.value, {"operation": operation.name})
    )
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
    """This also applies if a later table of roles permits technicians to change many devices."""
    here, there = claimed(lobby, 1), claimed(lobby, 2)
    lobby.ledger.move(there, ClaimRequest(THERE), "user:bob")
    groups = ("technician", f"target:{HERE}")
    assert codes(change(lobby, CHANGES["release"], chosen([here, there], None), groups)) == [None, "FORBIDDEN"]
    assert change(lobby, MOVE, chosen([here], None), groups).code == "FORBIDDEN"
    assert change(lobby, CHANGES["retry"], chosen([here], None), groups).code == "FORBIDDEN"
