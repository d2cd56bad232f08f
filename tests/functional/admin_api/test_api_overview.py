"""The overview and who one is, asked of the whole API."""

from typing import Any

import pytest

from admin_api.roles import OPERATIONS
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at, counted, fingerprint

OVERVIEW = """
{ overview {
  total states { state count } targets { account region count states { state count } } reasons { state reason count }
} }"""


def overview(lobby: Lobby, *groups: str) -> dict[str, Any]:
    found: dict[str, Any] = lobby.ask(OVERVIEW, groups=groups or ("operator",)).data["overview"]
    return found


def fleet(lobby: Lobby) -> None:
    """Two wait, one is expected at each target, one has failed there, one is refused."""
    for number in range(2):
        lobby.waiting(number)
    lobby.ledger.claim(fingerprint(2), ClaimRequest(HERE), "user:bob")
    lobby.ledger.claim(fingerprint(3), ClaimRequest(THERE), "user:bob")
    lobby.waiting(4)
    failing = lobby.ledger.claim(fingerprint(4), ClaimRequest(THERE), "user:bob")
    lobby.ledger.fail(failing, "TARGET_LIMIT", "raise the quota", "commissioner")
    lobby.ledger.refuse(fingerprint(5), None, "EXPIRED", "got a certificate", "bouncer")


def test_an_empty_lobby_has_every_state_with_nobody_in_it(lobby: Lobby) -> None:
    assert overview(lobby) == {
        "total": 0,
        "states": [{"state": state.value, "count": 0} for state in State],
        "targets": [],
        "reasons": [],
    }


def test_the_overview_follows_the_devices(lobby: Lobby) -> None:
    fleet(lobby)
    found = overview(lobby)
    assert found["total"] == 6
    assert {line["state"]: line["count"] for line in found["states"] if line["count"]} == {
        "expected": 2,
        "inlobby": 2,
        "failed": 1,
        "refused": 1,
    }
    assert found["targets"] == [
        {
            "account": THERE.account,
            "region": THERE.region,
            "count": 2,
            "states": [{"state": "expected", "count": 1}, {"state": "failed", "count": 1}],
        },
        {"account": HERE.account, "region": HERE.region, "count": 1, "states": [{"state": "expected", "count": 1}]},
    ]
    assert found["reasons"] == [
        {"state": "failed", "reason": "TARGET_LIMIT", "count": 1},
        {"state": "refused", "reason": "EXPIRED", "count": 1},
    ]
    lobby.ledger.release(fingerprint(2), "user:bob")
    assert [line["region"] for line in overview(lobby)["targets"]] == [THERE.region]


def test_a_bulk_is_counted_whole(lobby: Lobby) -> None:
    document = (
        "mutation($ids: [ID!]!, $target: TargetInput!) {"
        " claimDevices(certids: $ids, target: $target) { results { ok } } }"
    )
    lobby.ask(document, {"ids": [fingerprint(number) for number in range(120)], "target": at(HERE)})
    assert (overview(lobby)["total"], overview(lobby)["targets"][0]["count"]) == (120, 120)


def test_a_technician_sees_the_targets_they_may_claim_for(lobby: Lobby) -> None:
    fleet(lobby)
    found = overview(lobby, "technician", f"target:{HERE}")
    assert [line["account"] for line in found["targets"]] == [HERE.account]
    assert found["total"] == 6


def test_an_overview_costs_one_query(lobby: Lobby) -> None:
    fleet(lobby)
    with counted() as calls:
        overview(lobby)
    assert calls == ["Query"]


@pytest.mark.parametrize("role", ["viewer", "technician", "operator", "admin"])
def test_everybody_is_told_who_they_are_and_exactly_what_they_may_do(lobby: Lobby, role: str) -> None:
    with counted() as calls:
        found = lobby.ask("{ me { name role operations } }", groups=(role, "engineers")).data["me"]
    assert calls == []
    assert (found["name"], found["role"]) == ("alice", role)
    assert found["operations"] == [name for name, roles in OPERATIONS.items() if role in roles]
