"""`overview` and `me`."""

from typing import Any

import pytest

from admin_api.roles import OPERATIONS
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.lists.counts import PARTITIONS
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at, counted, fingerprint

OVERVIEW = """
{ overview {
  total states { state count } targets { account region count states { state count } } reasons { state reason count }
} }"""


def overview(lobby: Lobby, *groups: str) -> dict[str, Any]:
    counts: dict[str, Any] = lobby.ask(OVERVIEW, groups=groups or ("operator",)).data["overview"]
    return counts


def fleet(lobby: Lobby) -> None:
    """Two devices wait, one is expected for each target, one has failed, one is refused."""
    for number in range(2):
        lobby.waiting(number)
    lobby.ledger.claim(fingerprint(2), ClaimRequest(HERE), "user:bob")
    lobby.ledger.claim(fingerprint(3), ClaimRequest(THERE), "user:bob")
    lobby.waiting(4)
    failing = lobby.ledger.claim(fingerprint(4), ClaimRequest(THERE), "user:bob")
    lobby.ledger.fail(failing, "TARGET_LIMIT", "raise the quota", "commissioner")
    lobby.ledger.refuse(fingerprint(5), None, "EXPIRED", "got a certificate", "bouncer")


def test_an_empty_lobby_has_a_zero_count_for_every_state(lobby: Lobby) -> None:
    assert overview(lobby) == {
        "total": 0,
        "states": [{"state": state.value, "count": 0} for state in State],
        "targets": [],
        "reasons": [],
    }


def test_the_overview_follows_the_devices(lobby: Lobby) -> None:
    fleet(lobby)
    counts = overview(lobby)
    assert counts["total"] == 6
    assert {item["state"]: item["count"] for item in counts["states"] if item["count"]} == {
        "expected": 2,
        "inlobby": 2,
        "failed": 1,
        "refused": 1,
    }
    assert counts["targets"] == [
        {
            "account": THERE.account,
            "region": THERE.region,
            "count": 2,
            "states": [{"state": "expected", "count": 1}, {"state": "failed", "count": 1}],
        },
        {"account": HERE.account, "region": HERE.region, "count": 1, "states": [{"state": "expected", "count": 1}]},
    ]
    assert counts["reasons"] == [
        {"state": "failed", "reason": "TARGET_LIMIT", "count": 1},
        {"state": "refused", "reason": "EXPIRED", "count": 1},
    ]
    lobby.ledger.release(fingerprint(2), "user:bob")
    assert [item["region"] for item in overview(lobby)["targets"]] == [THERE.region]


def test_every_device_of_a_bulk_claim_is_counted(lobby: Lobby) -> None:
    document = (
        "mutation($ids: [ID!]!, $target: TargetInput!) {"
        " claimDevices(certids: $ids, target: $target) { results { ok } } }"
    )
    lobby.ask(document, {"ids": [fingerprint(number) for number in range(120)], "target": at(HERE)})
    assert (overview(lobby)["total"], overview(lobby)["targets"][0]["count"]) == (120, 120)


def test_a_technician_gets_only_their_targets(lobby: Lobby) -> None:
    fleet(lobby)
    counts = overview(lobby, "technician", f"target:{HERE}")
    assert [item["account"] for item in counts["targets"]] == [HERE.account]
    assert counts["total"] == 6


def test_an_overview_costs_one_query_for_each_partition_of_the_counts(lobby: Lobby) -> None:
    fleet(lobby)
    with counted() as calls:
        overview(lobby)
    assert calls == ["Query"] * (1 + PARTITIONS)


@pytest.mark.parametrize("role", ["viewer", "technician", "operator", "admin"])
def test_me_returns_the_role_and_its_operations(lobby: Lobby, role: str) -> None:
    with counted() as calls:
        me = lobby.ask("{ me { name role operations } }", groups=(role, "engineers")).data["me"]
    assert calls == []
    assert (me["name"], me["role"]) == ("alice", role)
    assert me["operations"] == [name for name, roles in OPERATIONS.items() if role in roles]


def test_a_lobby_in_one_region_is_its_own_home_without_an_aws_call(lobby: Lobby) -> None:
    lobby.ask("{ me { name } }")
    with counted() as calls:
        found = lobby.ask("{ lobby { region home acceptsChanges code regions { name isHome } } }").data["lobby"]
    assert (found["home"], found["acceptsChanges"], found["code"]) == (found["region"], True, None)
    assert found["regions"] == [{"name": found["region"], "isHome": True}]
    assert calls == []
