"""Undoing a campaign through the API again, after an undo that was cancelled or could not change some devices."""

from typing import Any

import pytest

from lobby.domain.campaigns.campaign import CampaignEvent, CampaignState
from lobby.domain.campaigns.campaign_transitions import undone
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.campaigns.campaign_register import Campaigns
from lobby.names import CampaignName, Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, at
from tests.functional.admin_api.campaign_feeding import feed
from tests.functional.admin_api.device_steps import arrived
from tests.functional.admin_api.user_pool import token

S = CampaignState
CREATE = """
mutation($devices: [ChosenDevice!]!, $target: TargetInput!) {
  createCampaign(name: "there", change: {operation: MOVE, target: $target}, devices: $devices, canary: 1) { name }
}"""


@pytest.fixture
def moved(lobby: Lobby) -> list[Fingerprint]:
    """Devices that the campaign `there` has moved. The first one is a page of its own."""
    certids = [arrived(lobby, number) for number in (1, 2)]
    variables = {"devices": [{"certid": certid} for certid in certids], "target": at(THERE)}
    assert lobby.ask(CREATE, variables).codes == []
    feed(lobby, "there", S.DONE)
    return certids


def act(lobby: Lobby, operation: str, name: str, user: str = "alice") -> Response:
    query = f"mutation($name: String!) {{ {operation}(name: $name) {{ name state }} }}"
    return lobby.send({"query": query, "variables": {"name": name}}, f"Bearer {token('operator', username=user)}")


def undo(lobby: Lobby, name: str | None = None, user: str = "alice") -> Response:
    query = 'mutation($new: String) { undoCampaign(name: "there", as: $new) { name state } }'
    return lobby.send({"query": query, "variables": {"new": name}}, f"Bearer {token('operator', username=user)}")


def name_of(answer: Response) -> str:
    return str(answer.data["undoCampaign"]["name"])


def results(lobby: Lobby, name: str) -> list[tuple[str, str, str | None]]:
    query = "query($name: String!) { campaignResults(name: $name) { nodes { certid outcome code } } }"
    nodes: list[dict[str, Any]] = lobby.ask(query, {"name": name}).data["campaignResults"]["nodes"]
    return [(each["certid"], each["outcome"], each["code"]) for each in nodes]


def cancel(lobby: Lobby, name: str) -> None:
    assert act(lobby, "cancelCampaign", name).codes == []
    feed(lobby, name, S.CANCELLED)


def test_after_a_cancelled_undo_another_one_takes_back_the_rest(lobby: Lobby, moved: list[Fingerprint]) -> None:
    one, two = moved
    assert name_of(undo(lobby)) == "there-undo"
    lobby.ledger.move(one, ClaimRequest(HERE), "campaign:there-undo")
    assert act(lobby, "cancelCampaign", "there-undo").codes == []
    assert undo(lobby, "other").code == "ALREADY_UNDONE"  # it is stopping
    feed(lobby, "there-undo", S.CANCELLED)
    assert undo(lobby, "there-undo").code == "CAMPAIGN_EXISTS"
    assert name_of(undo(lobby)) == "there-undo-2"
    assert name_of(undo(lobby)) == "there-undo-2"  # a request can be repeated
    assert undo(lobby, "other").code == "ALREADY_UNDONE"
    feed(lobby, "there-undo-2", S.DONE)
    assert results(lobby, "there-undo-2") == [(one, "unchanged", None), (two, "done", None)]
    original = lobby.ask('{ campaign(name: "there") { undoneBy } }').data["campaign"]
    assert original["undoneBy"] == "there-undo-2"


def test_an_undo_can_be_repeated_as_often_as_it_is_cancelled(lobby: Lobby, moved: list[Fingerprint]) -> None:
    for name in ("there-undo", "mine", "there-undo-2", "there-undo-3"):
        assert name_of(undo(lobby, name if name == "mine" else None, user="bob")) == name
        cancel(lobby, name)
    assert {lobby.ledger.get(certid).target for certid in moved} == {THERE}  # type: ignore[union-attr]


def test_an_undo_that_has_changed_all_devices_is_not_repeated(lobby: Lobby, moved: list[Fingerprint]) -> None:
    assert name_of(undo(lobby)) == "there-undo"
    feed(lobby, "there-undo", S.DONE)
    assert undo(lobby, "other").code == "ALREADY_UNDONE"
    assert {lobby.ledger.get(certid).target for certid in moved} == {HERE}  # type: ignore[union-attr]


def test_an_undo_that_was_interrupted_before_it_was_created_is_created_later(
    lobby: Lobby, moved: list[Fingerprint]
) -> None:
    _interrupt(lobby, "mine")
    assert undo(lobby, "other", user="bob").code == "ALREADY_UNDONE"
    assert name_of(undo(lobby, user="bob")) == "mine"
    feed(lobby, "mine", S.DONE)
    assert {lobby.ledger.get(certid).target for certid in moved} == {HERE}  # type: ignore[union-attr]


def test_a_campaign_that_took_the_name_of_an_interrupted_undo_does_not_prevent_an_undo(
    lobby: Lobby, moved: list[Fingerprint]
) -> None:
    _interrupt(lobby, "mine")
    taken = lobby.ask(CREATE.replace('"there"', '"mine"'), {"devices": [{"certid": moved[0]}], "target": at(THERE)})
    assert taken.codes == []
    assert undo(lobby, "mine").code == "CAMPAIGN_EXISTS"
    assert name_of(undo(lobby)) == "there-undo"


def _interrupt(lobby: Lobby, name: str) -> None:
    """Leave the campaign as an undo that ended after its first write."""
    new = CampaignName(name)
    Campaigns().change(CampaignName("there"), CampaignEvent.UNDONE, "user:alice", lambda c, _at: undone(c, new), new)
