"""Lanes in the API: forecasts of waiting devices, rates, and pausing a target."""

from datetime import datetime
from typing import Any

import pytest

from lobby.domain.changes import Chosen, Release
from lobby.domain.lanes.lane import lane_to
from lobby.domain.states import State
from lobby.ledger.lanes import forecasts
from lobby.ledger.lanes.lane_register import Lanes
from lobby.ledger.lists.counts import PARTITIONS
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, Lobby, at, counted
from tests.functional.admin_api.device_steps import arrived

BULK = """mutation($ids: [ID!]!, $target: TargetInput!) {
  claimDevices(certids: $ids, target: $target) { results { ok device { expectedAt waitsFor } } } }"""
ONE = "query($id: ID!) { device(certid: $id) { expectedAt waitsFor } }"
LIST = "{ devices(first: 10) { nodes { certid expectedAt waitsFor } } }"
TARGETS = "{ targets { account region rate lane { waiting pace pausedBy silentSince } } }"
REGISTER = """mutation($account: String!, $region: String!, $rate: Float) {
  registerTarget(account: $account, region: $region, name: "here", rate: $rate) { rate } }"""
PAUSE = """mutation($account: String!, $region: String!) {
  pauseTarget(account: $account, region: $region) { lane { pausedBy } } }"""


def claim_all(lobby: Lobby, count: int) -> list[str]:
    ids = [lobby.waiting(number) for number in range(1, count + 1)]
    results = lobby.ask(BULK, {"ids": ids, "target": at(HERE)}).data["claimDevices"]["results"]
    assert all(each["ok"] for each in results)
    return [str(certid) for certid in ids]


def lane_of(lobby: Lobby) -> Any:
    return next(each for each in lobby.ask(TARGETS).data["targets"] if each["region"] == HERE.region)


def test_a_waiting_device_has_a_forecast_and_others_have_none(lobby: Lobby) -> None:
    certid = claim_all(lobby, 1)[0]
    device = lobby.ask(ONE, {"id": certid}).data["device"]
    assert datetime.fromisoformat(device["expectedAt"])
    assert device["waitsFor"]
    other = lobby.waiting(2)
    assert lobby.ask(ONE, {"id": other}).data["device"] == {"expectedAt": None, "waitsFor": None}


def test_forecasts_of_a_list_cost_a_few_queries(lobby: Lobby) -> None:
    ids = claim_all(lobby, 3)
    with counted() as calls:
        nodes = lobby.ask(LIST).data["devices"]["nodes"]
    assert {node["certid"] for node in nodes if node["expectedAt"]} == set(ids)
    assert len(calls) <= len(State) + (1 + PARTITIONS) + 4, "the list, the counts, the lane, and a few more"


def test_a_device_that_was_released_with_others_waits_for_those_before_it(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [arrived(lobby, number) for number in range(1, 4)]
    lobby.ledger.change_many([Chosen(each) for each in ids], Release(), "user:ann", lambda: False)
    assert most_before(lobby, ids) == "2"
    monkeypatch.setattr(forecasts, "MOST_COUNTED", 2)
    assert most_before(lobby, ids) == "1"


def most_before(lobby: Lobby, ids: list[Fingerprint]) -> str:
    """Return how many devices come before the last one."""
    waits = [lobby.ask(ONE, {"id": each}).data["device"]["waitsFor"] for each in ids]
    return str(max(text.partition(" devices before it")[0] for text in waits if "before it" in text))


def test_a_paused_target_is_shown_as_paused_without_a_time(lobby: Lobby) -> None:
    certid = claim_all(lobby, 1)[0]
    assert lobby.ask(PAUSE, at(HERE), ("operator",)).data["pauseTarget"]["lane"]["pausedBy"]
    device = lobby.ask(ONE, {"id": certid}).data["device"]
    assert device["expectedAt"] is None
    assert "paused by" in device["waitsFor"]
    assert lane_of(lobby)["lane"]["waiting"] == 1
    lobby.ask(PAUSE.replace("pauseTarget", "resumeTarget"), at(HERE), ("operator",))
    assert Lanes().get(lane_to(HERE)).paused_at is None


def test_an_unregistered_target_cannot_be_paused(lobby: Lobby) -> None:
    unknown = {"account": "9" * 12, "region": "eu-west-1"}
    assert lobby.ask(PAUSE, unknown, ("operator",)).code == "UNKNOWN_TARGET"


def test_the_rate_is_set_with_a_registration_and_stays(lobby: Lobby) -> None:
    assert lane_of(lobby)["rate"] == 9.0
    assert lobby.ask(REGISTER, {**at(HERE), "rate": 45}, ("admin",)).data["registerTarget"]["rate"] == 45
    assert lobby.ask(REGISTER, at(HERE), ("admin",)).data["registerTarget"]["rate"] == 45


@pytest.mark.parametrize("rate", [0, -1, 501, 0.01])
def test_a_rate_out_of_range_changes_nothing(lobby: Lobby, rate: float) -> None:
    assert lobby.ask(REGISTER, {**at(HERE), "rate": rate}, ("admin",)).code == "INVALID_RATE"
    assert lane_of(lobby)["rate"] == 9.0
