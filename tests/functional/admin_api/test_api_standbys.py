"""Standbys in the API and in lobbyctl: set after a check, evacuated and returned by admins only."""

from dataclasses import replace
from typing import Any

import pytest

from lobby.contracts.targets import Survey, SurveyFinding
from lobby.domain.campaigns.campaign import CampaignState
from lobby.domain.standby.standby import StandbyStatus
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.users.user_blocks import UserBlocks
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at, fingerprint
from tests.functional.admin_api.campaign_feeding import feed
from tests.functional.admin_api.user_pool import token

FIELDS = (
    "name standby { target { account region } certificates placed prepared evacuatedAt away left askedBy campaign }"
)
SET = f"""
mutation($account: String!, $region: String!, $standby: TargetInput, $certificates: StandbyCertificates!) {{
  setStandby(account: $account, region: $region, standby: $standby, certificates: $certificates) {{ {FIELDS} }}
}}"""
EVACUATE = f"""
mutation($account: String!, $region: String!, $why: String) {{
  evacuateTarget(account: $account, region: $region, why: $why) {{ {FIELDS} }}
}}"""
RETURN = f"""
mutation($account: String!, $region: String!) {{ returnTarget(account: $account, region: $region) {{ {FIELDS} }} }}"""
ADMIN = ("admin",)
TO_THERE = at(HERE) | {"standby": at(THERE), "certificates": "ACTIVE"}


@pytest.fixture
def there(lobby: Lobby) -> Lobby:
    """The second target has every profile of the first."""
    lobby.targets.register(THERE, "There", lobby.targets.get(HERE).profiles, "user:alice")
    return lobby


def place(lobby: Lobby, number: int = 1) -> None:
    """Commission a device, and prepare it."""
    certid = lobby.waiting(number)
    claimed = lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    ready = lobby.ledger.commission(claimed, "a.example", "service:commissioner", THERE)
    lobby.ledger.prepared(ready, THERE, StandbyStatus.ACTIVE, "service:commissioner", "b.example")


def test_a_standby_is_set_after_a_check_and_a_campaign_prepares_it(there: Lobby) -> None:
    changed = there.ask(SET, TO_THERE, ADMIN).data["setStandby"]
    assert there.surveyed == [THERE]
    assert changed["standby"]["target"] == at(THERE)
    assert there.started == [changed["standby"]["campaign"]]
    campaign = there.campaigns.get(changed["standby"]["campaign"])
    assert (campaign.request.operation, campaign.author.actor) == ("prepare", "user:alice")


def test_a_standby_in_which_something_is_missing_is_refused(there: Lobby) -> None:
    there.surveys[THERE] = Survey((SurveyFinding("sts:AssumeRole", False, "denied"),), None)
    refused = there.ask(SET, TO_THERE, ADMIN)
    assert refused.code == "STANDBY_NOT_READY"
    assert "sts:AssumeRole: denied" in refused.body["errors"][0]["message"]
    assert there.targets.get(HERE).standby is None


def test_an_evacuation_and_a_return_show_how_many_devices_are_where(there: Lobby) -> None:
    there.ask(SET, TO_THERE, ADMIN)
    place(there)
    evacuated = there.ask(EVACUATE, at(HERE) | {"why": "Region down"}, ADMIN).data["evacuateTarget"]["standby"]
    assert evacuated["evacuatedAt"] is not None
    assert (evacuated["placed"], evacuated["prepared"], evacuated["away"], evacuated["left"]) == (1, 1, 0, 1)
    assert there.campaigns.get(evacuated["campaign"]).request.why == "Region down"
    claim = "mutation($id: ID!, $t: TargetInput!) { claimDevice(certid: $id, target: $t) { devstate } }"
    assert there.ask(claim, {"id": there.waiting(2), "t": at(HERE)}, ADMIN).code == "TARGET_EVACUATED"
    returned = there.ask(RETURN, at(HERE), ADMIN).data["returnTarget"]["standby"]
    assert returned["evacuatedAt"] is None
    assert there.campaigns.get(returned["campaign"]).request.operation == "return"


def test_a_device_shows_its_second_place(there: Lobby) -> None:
    there.ask(SET, TO_THERE, ADMIN)
    place(there)
    query = """
query($id: ID!) { device(certid: $id) { standby { target { account } status evacuated pending reason } } }"""
    found = there.ask(query, {"id": fingerprint(1)}).data["device"]["standby"]
    expected = {"status": "active", "evacuated": False, "pending": False, "reason": None}
    assert found == {"target": {"account": THERE.account}, **expected}


def test_many_devices_need_a_second_admin(there: Lobby) -> None:
    there.ask(SET, TO_THERE, ADMIN)
    for number in (1, 2):
        place(there, number)
    there = replace(there, approval_above=1)
    asked = there.ask(EVACUATE, at(HERE), ADMIN).data["evacuateTarget"]["standby"]
    assert (asked["evacuatedAt"], asked["askedBy"]) == (None, "user:alice")
    assert there.ask(EVACUATE, at(HERE), ADMIN).code == "SECOND_PERSON_REQUIRED"


def test_the_request_of_a_blocked_admin_does_not_count(there: Lobby) -> None:
    there.ask(SET, TO_THERE, ADMIN)
    for number in (1, 2):
        place(there, number)
    there = replace(there, approval_above=1)
    there.ask(EVACUATE, at(HERE), ADMIN)
    UserBlocks(lambda: 0.0).set_blocked("alice", "user:chief", blocked=True)

    def evacuate(user: str) -> dict[str, Any]:
        body = {"query": EVACUATE, "variables": at(HERE)}
        sent = there.send(body, f"Bearer {token('admin', username=user)}")
        found: dict[str, Any] = sent.data["evacuateTarget"]["standby"]
        return found

    asked = evacuate("bob")
    assert (asked["evacuatedAt"], asked["askedBy"]) == (None, "user:bob")
    assert evacuate("carol")["evacuatedAt"] is not None


def test_chosen_devices_are_not_evacuated(there: Lobby) -> None:
    there.ask(SET, TO_THERE, ADMIN)
    document = """
mutation($change: ChangeInput!, $devices: [ChosenDevice!]!) {
  changeDevices(change: $change, devices: $devices) { results { ok } }
}
"""
    change = {"operation": "EVACUATE", "target": at(HERE)}
    refused = there.ask(document, {"change": change, "devices": [{"certid": there.waiting(1)}]}, ADMIN)
    assert refused.codes == ["INVALID_CHANGE"]


def test_a_target_without_a_standby_cannot_be_evacuated(lobby: Lobby) -> None:
    assert lobby.ask(EVACUATE, at(HERE), ADMIN).code == "NO_STANDBY"
    assert lobby.ask(EVACUATE, at(HERE) | {"why": "\n"}, ADMIN).code == "INVALID_REASON"


@pytest.mark.parametrize("operation", ["pauseCampaign", "cancelCampaign"])
def test_only_admins_pause_or_cancel_the_work_of_a_standby(there: Lobby, operation: str) -> None:
    place(there)
    assert there.ask(SET, TO_THERE, ADMIN).codes == []
    evacuation = there.ask(EVACUATE, at(HERE), ADMIN).data["evacuateTarget"]["standby"]["campaign"]
    feed(there, evacuation, CampaignState.RUNNING, settle=lambda _lobby, _certid: None)
    control = f"mutation($name: String!) {{ {operation}(name: $name) {{ state }} }}"
    shown = "query($name: String!) { campaign(name: $name) { allowedActions } }"
    assert there.ask(shown, {"name": evacuation}, ("operator",)).data["campaign"]["allowedActions"] == []
    assert there.ask(control, {"name": evacuation}, ("operator",)).code == "FORBIDDEN"
    assert operation in there.ask(shown, {"name": evacuation}, ADMIN).data["campaign"]["allowedActions"]
    assert there.ask(control, {"name": evacuation}, ADMIN).codes == []
