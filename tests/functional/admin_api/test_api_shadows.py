"""The choice of what a move does with shadows: accepted, recorded and previewed, and rejected for other operations."""

import json
from typing import Any

import pytest

from lobby.domain.campaigns.campaign import CampaignState
from lobby.domain.shadows.shadow_choices import ShadowChoice
from lobby.ledger.items import device_of
from lobby.ledger.models import LedgerRow
from lobby.names import CampaignName
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at
from tests.functional.admin_api.bulk_change_requests import MOVE, change, chosen, codes, preview
from tests.functional.admin_api.campaign_feeding import feed
from tests.functional.admin_api.device_steps import arrived, claimed
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal

MOVE_ONE = """mutation($id: ID!, $target: TargetInput!, $shadows: ShadowChoice) {
  moveDevice(certid: $id, target: $target, shadows: $shadows) { devstate history { event reason } } }"""
CREATE = """mutation($change: ChangeInput!, $devices: [ChosenDevice!]) {
  createCampaign(name: "to-there", change: $change, devices: $devices) { name shadows } }"""
CAMPAIGN = '{ campaign(name: "to-there") { shadows } }'


def pending(lobby: Lobby, certid: str) -> str | None:
    """Return the choice on the row."""
    shadows = device_of(LedgerRow.get(certid)).shadows
    return shadows.choice.value if shadows else None


@pytest.mark.parametrize("choice", ShadowChoice)
def test_a_move_records_its_choice(lobby: Lobby, choice: ShadowChoice) -> None:
    certid = arrived(lobby, 1)
    moved = lobby.ask(MOVE_ONE, {"id": certid, "target": at(THERE), "shadows": choice.name}).data["moveDevice"]
    assert {"event": "move", "reason": f"shadows: {choice}"} in moved["history"]
    assert pending(lobby, certid) == (None if choice is ShadowChoice.LEAVE else choice.value)


@pytest.mark.parametrize("variables", [{}, {"shadows": None}])
def test_a_move_without_a_choice_is_as_before(lobby: Lobby, variables: dict[str, Any]) -> None:
    certid = arrived(lobby, 1)
    moved = lobby.ask(MOVE_ONE, {"id": certid, "target": at(THERE)} | variables).data["moveDevice"]
    assert {"event": "move", "reason": None} in moved["history"]
    assert pending(lobby, certid) is None


def test_a_preview_and_a_change_of_many_devices_refuse_the_same(lobby: Lobby) -> None:
    one, two = arrived(lobby, 1), arrived(lobby, 2)
    assert lobby.ask(MOVE_ONE, {"id": two, "target": at(THERE)}).codes == []
    wanted = {"operation": "MOVE", "target": at(HERE), "shadows": "RESET"}
    found = preview(lobby, wanted, devices=[{"certid": one}, {"certid": two}])
    assert [each["code"] for each in found["devices"]] == [None, "SHADOWS_IN_USE"]
    assert codes(change(lobby, wanted, chosen([one, two], None))) == [None, "SHADOWS_IN_USE"]
    migrated = MOVE | {"shadows": "MIGRATE"}
    assert codes(change(lobby, migrated, chosen([one], None))) == [None]
    assert pending(lobby, one) == "migrate"


@pytest.mark.parametrize("operation", ["CLAIM", "CONFIGURE", "RELEASE", "RETRY"])
def test_other_operations_have_no_choice(lobby: Lobby, operation: str) -> None:
    target = {"target": at(THERE)} if operation == "CLAIM" else {}
    wanted = {"operation": operation, "shadows": "MIGRATE"} | target
    assert change(lobby, wanted, chosen([claimed(lobby, 1)])).code == "INVALID_CHANGE"


@pytest.mark.parametrize("value", ["migrate", "COPY", 1, True])
def test_another_choice_is_rejected(lobby: Lobby, value: object) -> None:
    certid = arrived(lobby, 1)
    assert lobby.ask(MOVE_ONE, {"id": certid, "target": at(THERE), "shadows": value}).code == "INVALID_QUERY"
    assert pending(lobby, certid) is None


def test_a_campaign_moves_with_the_choice_and_its_undo_leaves_shadows(lobby: Lobby) -> None:
    certid = arrived(lobby, 1)
    wanted = {"change": MOVE | {"shadows": "MIGRATE"}, "devices": [{"certid": certid}]}
    assert lobby.ask(CREATE, wanted).data["createCampaign"]["shadows"] == "MIGRATE"
    feed(lobby, "to-there", CampaignState.DONE)
    history = lobby.ledger.history(certid)
    assert ("move", "shadows: migrate", "campaign:to-there") in [
        (each.event.value, each.reason, each.actor) for each in history
    ]
    assert lobby.ask(CAMPAIGN).data["campaign"]["shadows"] == "MIGRATE"


@pytest.mark.parametrize(("given", "sent"), [((), None), (("--shadows", "migrate"), "MIGRATE")])
def test_lobbyctl_sends_the_choice_if_it_is_given(
    terminal: Terminal, lobby: Lobby, server: LobbyServer, given: tuple[str, ...], sent: str | None
) -> None:
    certid = arrived(lobby, 1)
    assert terminal.run("move", certid, "-t", "There", "--yes", *given).exit_code == 0
    request = next(each for each in server.requests if "changeDevices" in each["query"])
    assert request["variables"]["change"].get("shadows") == sent
    assert pending(lobby, certid) == (sent and sent.lower())


def test_lobbyctl_creates_a_campaign_with_the_choice(terminal: Terminal, lobby: Lobby) -> None:
    certid = arrived(lobby, 1)
    arguments = ("--do", "move", "-t", "There", "--shadows", "reset", "--yes")
    assert terminal.run("campaigns", "create", "to-there", *arguments, certid).exit_code == 0
    assert lobby.campaigns.get(CampaignName("to-there")).request.shadows == "reset"
    refused = terminal.run("campaigns", "create", "other", "--do", "retry", "--shadows", "reset", "--yes", certid)
    assert (refused.exit_code, "INVALID_CHANGE" in refused.stderr) == (2, True)


def test_lobbyctl_rejects_another_choice(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    result = terminal.run("move", arrived(lobby, 1), "-t", "There", "--yes", "--shadows", "copy")
    assert (result.exit_code, server.requests) == (2, [])


RETURN = """mutation($account: String!, $region: String!, $shadows: ShadowChoice) {
  returnTarget(account: $account, region: $region, shadows: $shadows) { standby { campaign } } }"""


def test_a_return_passes_the_choice_to_its_campaign(lobby: Lobby) -> None:
    lobby.targets.register(THERE, "There", lobby.targets.get(HERE).profiles, "user:alice")
    admin = ("admin",)
    arrived(lobby, 1)
    set_ = """mutation($account: String!, $region: String!, $standby: TargetInput) {
      setStandby(account: $account, region: $region, standby: $standby) { name } }"""
    assert lobby.ask(set_, at(HERE) | {"standby": at(THERE)}, admin).codes == []
    evacuate = """mutation($account: String!, $region: String!) {
      evacuateTarget(account: $account, region: $region) { name } }"""
    assert lobby.ask(evacuate, at(HERE), admin).codes == []
    returned = lobby.ask(RETURN, at(HERE) | {"shadows": "MIGRATE"}, admin).data["returnTarget"]
    request = lobby.campaigns.get(returned["standby"]["campaign"]).request
    assert (request.operation, request.shadows) == ("return", "migrate")
    assert json.loads(json.dumps(request.as_json()))["shadows"] == "migrate"
