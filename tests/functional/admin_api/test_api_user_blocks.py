"""Blocking a user stops the campaigns for which the user answers, and who may resume or approve them afterwards."""

from typing import Any

from lobby.domain.campaigns.campaign import CampaignState
from lobby.names import CampaignName
from tests.functional.admin_api.api_on_moto import THERE, Lobby, Response, at
from tests.functional.admin_api.campaign_feeding import feed
from tests.functional.admin_api.device_steps import arrived
from tests.functional.admin_api.lobby_over_http import Terminal
from tests.functional.admin_api.user_pool import token

S = CampaignState
CREATE = """
mutation($name: String!, $devices: [ChosenDevice!]!, $change: ChangeInput!) {
  createCampaign(name: $name, change: $change, devices: $devices) { state }
}"""
MOVE = {"operation": "MOVE", "target": at(THERE)}
REVOKE = {"operation": "REVOKE", "why": "old"}


def send(lobby: Lobby, user: str, query: str, **variables: Any) -> Response:
    body = {"query": query, "variables": variables}
    return lobby.send(body, f"Bearer {token('admin', username=user)}")


def create(lobby: Lobby, user: str, name: str, change: dict[str, Any], number: int) -> str:
    devices = [{"certid": arrived(lobby, number)}]
    return str(send(lobby, user, CREATE, name=name, devices=devices, change=change).data["createCampaign"]["state"])


def act(lobby: Lobby, user: str, operation: str, name: str) -> Response:
    query = f"mutation($name: String!) {{ {operation}(name: $name) {{ state stoppedBecause takenOverBy }} }}"
    return send(lobby, user, query, name=name)


def block(lobby: Lobby, name: str) -> list[dict[str, str]]:
    query = "mutation($name: String!) { blockUser(name: $name) { campaigns { name state } } }"
    campaigns: list[dict[str, str]] = send(lobby, "chief", query, name=name).data["blockUser"]["campaigns"]
    return campaigns


def test_a_block_stops_the_users_running_campaigns_and_lists_those_that_have_not_ended(lobby: Lobby) -> None:
    create(lobby, "mallory", "ended", MOVE, 1)
    feed(lobby, "ended", S.DONE)
    assert create(lobby, "mallory", "moves", MOVE, 2) == "running"
    assert create(lobby, "alice", "other", MOVE, 3) == "running"
    assert create(lobby, "alice", "approved", REVOKE, 4) == "approval"
    assert act(lobby, "mallory", "approveCampaign", "approved").codes == []
    assert create(lobby, "mallory", "waits", REVOKE, 5) == "approval"
    listed = [
        {"name": "waits", "state": "approval"},
        {"name": "approved", "state": "stopped"},
        {"name": "moves", "state": "stopped"},
    ]
    assert block(lobby, "mallory") == listed
    assert block(lobby, "mallory") == listed  # it can be repeated
    found = lobby.ask('{ campaign(name: "moves") { stoppedBecause history { actor event detail } } }').data["campaign"]
    assert found["stoppedBecause"] == "USER_BLOCKED"
    assert found["history"][-1] == {"actor": "user:chief", "event": "stopped", "detail": "USER_BLOCKED"}
    assert act(lobby, "bob", "approveCampaign", "waits").code == "AUTHOR_BLOCKED"
    assert act(lobby, "alice", "resumeCampaign", "approved").code == "SECOND_PERSON_REQUIRED"
    resumed = act(lobby, "alice", "resumeCampaign", "moves").data["resumeCampaign"]
    assert resumed == {"state": "running", "stoppedBecause": None, "takenOverBy": "user:alice"}
    feed(lobby, "moves", S.DONE)


def test_lobbyctl_lists_the_campaigns_of_a_blocked_user(lobby: Lobby, terminal: Terminal) -> None:
    create(lobby, "mallory", "moves", MOVE, 1)
    result = terminal.run("--as", "admin", "users", "block", "mallory")
    assert (result.exit_code, "Campaign moves: stopped" in result.stderr) == (0, True)
    shown = terminal.run("--as", "admin", "campaigns", "show", "moves")
    assert "USER_BLOCKED" in shown.stdout
    assert lobby.campaigns.get(CampaignName("moves")).state is S.STOPPED
