"""Campaigns through the API: preview, creation from lists and filters, approval, control, results, undo, roles."""

from typing import Any

import pytest

from admin_api.graphql.limits import MAX_BULK
from lobby.domain.campaigns.campaign import CampaignState
from lobby.domain.states import State
from lobby.names import Fingerprint
from lobby.text.label import encode_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, at, fingerprint
from tests.functional.admin_api.campaign_feeding import feed
from tests.functional.admin_api.device_steps import arrived, claimed, fail
from tests.functional.admin_api.user_pool import token

S = CampaignState
MOVE = {"operation": "MOVE", "target": at(THERE)}
FIELDS = """
name state operation stoppedBecause approvedBy createdBy total changing unchanged seconds source undoes undoneBy
allowedActions target { account } refusals { code count } failures { code count } canaryArrived
counts { pending waiting awaited done failed refused unchanged superseded } history { event actor detail }
"""
PREVIEW = """
query($change: ChangeInput!, $devices: [ChosenDevice!], $filter: CampaignFilter, $failedOf: String) {
  previewCampaign(change: $change, devices: $devices, filter: $filter, failedOf: $failedOf) {
    total changing unchanged seconds needsApproval approvalAbove refusals { code count } limitedBy { account }
    pageInfo { endCursor }
  }
}"""
CREATE = f"""
mutation(
  $name: String!, $change: ChangeInput!, $devices: [ChosenDevice!], $filter: CampaignFilter, $failedOf: String,
  $complete: Boolean! = true, $canary: Int! = 0, $rate: Float! = 0.1
) {{
  createCampaign(
    name: $name, change: $change, devices: $devices, filter: $filter, failedOf: $failedOf, complete: $complete,
    canary: $canary, maxFailureRate: $rate
  ) {{ {FIELDS} }}
}}"""
ADD = f"""
mutation($name: String!, $devices: [ChosenDevice!]!, $offset: Int!, $complete: Boolean! = true) {{
  addCampaignDevices(name: $name, devices: $devices, offset: $offset, complete: $complete) {{ {FIELDS} }}
}}"""
RESULTS = """
query($name: String!, $first: Int! = 100, $after: String, $outcome: String) {
  campaignResults(name: $name, first: $first, after: $after, outcome: $outcome) {
    nodes { certid outcome code previousTarget { account } previousProfile device { devstate campaign_: profile } }
    pageInfo { hasNextPage endCursor }
  }
}"""


def chosen(*certids: str) -> list[dict[str, str]]:
    return [{"certid": certid} for certid in certids]


def create(lobby: Lobby, *certids: str, name: str = "to-there", **more: Any) -> dict[str, Any]:
    selected = {"devices": chosen(*certids)} if certids else {}
    result: dict[str, Any] = asked_to_create(lobby, **{"name": name, **selected, **more}).data["createCampaign"]
    return result


def asked_to_create(lobby: Lobby, **variables: Any) -> Response:
    return lobby.ask(CREATE, {"name": "to-there", "change": MOVE, **variables})


def act(lobby: Lobby, operation: str, name: str = "to-there", user: str = "alice") -> Response:
    query = f"mutation($name: String!) {{ {operation}(name: $name) {{ {FIELDS} }} }}"
    return lobby.send({"query": query, "variables": {"name": name}}, f"Bearer {token('operator', username=user)}")


def results(lobby: Lobby, name: str = "to-there", **more: Any) -> list[tuple[str, str, str | None]]:
    found = lobby.ask(RESULTS, {"name": name, **more}).data["campaignResults"]["nodes"]
    return [(each["certid"], each["outcome"], each["code"]) for each in found]


def test_a_list_is_previewed_with_refusals_and_the_time_at_the_targets_rate(lobby: Lobby) -> None:
    certids = [claimed(lobby, number) for number in range(1, 10)]
    waiting = lobby.waiting(20)
    preview = lobby.ask(PREVIEW, {"change": MOVE, "devices": chosen(*certids, waiting)}).data["previewCampaign"]
    assert preview == {
        "total": 10,
        "changing": 9,
        "unchanged": 0,
        "seconds": 1.0,
        "needsApproval": False,
        "approvalAbove": lobby.approval_above,
        "refusals": [{"code": "NOT_ALLOWED", "count": 1}],
        "limitedBy": {"account": THERE.account},
        "pageInfo": {"endCursor": None},
    }
    assert lobby.started == []


def test_a_campaign_moves_a_list_and_its_results_name_the_previous_places(lobby: Lobby) -> None:
    one, two, waiting = arrived(lobby, 1), arrived(lobby, 2), lobby.waiting(3)
    created = create(lobby, encode_label(one), two, two, waiting, rate=1.0)
    assert (created["state"], created["total"], created["changing"]) == ("running", 3, 2)
    assert lobby.started == ["to-there"]
    feed(lobby, "to-there", S.DONE)
    assert results(lobby) == [(one, "done", None), (two, "done", None), (waiting, "refused", "NOT_ALLOWED")]
    done = lobby.ask(f'{{ campaign(name: "to-there") {{ {FIELDS} expectedEnd waitsFor }} }}').data["campaign"]
    assert done["counts"] | {"done": 2, "refused": 1} == done["counts"]
    assert done["failures"] == [{"code": "NOT_ALLOWED", "count": 1}]
    assert [each["event"] for each in done["history"]] == ["created", "prepared", "finished"]
    page = lobby.ask(RESULTS, {"name": "to-there"}).data["campaignResults"]["nodes"][0]
    assert page["previousTarget"] == {"account": HERE.account}
    assert page["device"]["devstate"] == "arrived"
    history = lobby.ask("query($id: ID!) { device(certid: $id) { campaign history { actor event } } }", {"id": one})
    assert history.data["device"]["campaign"] == "to-there"
    assert {"actor": "campaign:to-there", "event": "move"} in history.data["device"]["history"]


def test_creating_it_again_changes_nothing(lobby: Lobby) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    first = create(lobby, one, two)
    assert create(lobby, one, two) == first
    assert asked_to_create(lobby, devices=chosen(one), canary=3).code == "CAMPAIGN_EXISTS"
    assert create(lobby, one, name="part", complete=False)["state"] == "preparing"
    assert create(lobby, one, name="part")["state"] == "running"
    filter_ = {"filter": {"state": "claimed"}}
    assert create(lobby, name="filtered", **filter_)["name"] == create(lobby, name="filtered", **filter_)["name"]


def test_a_long_list_is_added_in_parts_that_can_be_repeated(lobby: Lobby) -> None:
    certids = [claimed(lobby, number) for number in range(1, 7)]
    first = create(lobby, *certids[:2], complete=False)
    assert (first["state"], lobby.started) == ("preparing", [])
    part = {"name": "to-there", "devices": chosen(*certids[2:4]), "offset": 2, "complete": False}
    assert lobby.ask(ADD, part).data["addCampaignDevices"]["total"] == 4
    assert lobby.ask(ADD, part).data["addCampaignDevices"]["total"] == 4
    assert lobby.ask(ADD, part | {"offset": 3}).code == "CHANGED_MEANWHILE"
    last = {"name": "to-there", "devices": chosen(*certids[4:]), "offset": 4}
    assert lobby.ask(ADD, last).data["addCampaignDevices"]["state"] == "running"
    assert lobby.ask(ADD, last).data["addCampaignDevices"]["total"] == 6
    assert lobby.ask(ADD, last | {"offset": 6}).code == "CHANGED_MEANWHILE"
    feed(lobby, "to-there", S.DONE)
    assert [outcome for _, outcome, _ in results(lobby)] == ["done"] * 6


def test_a_name_is_not_used_for_another_list(lobby: Lobby) -> None:
    one, two, three = (claimed(lobby, number) for number in range(1, 4))
    create(lobby, one, two, complete=False)
    later = {"name": "to-there", "devices": chosen(three), "offset": 2}
    assert lobby.ask(ADD, later).data["addCampaignDevices"]["state"] == "running"
    for certids in ((two, one), (one, three), (one,), (one, two, three, fingerprint(9))):
        assert asked_to_create(lobby, devices=chosen(*certids)).code == "CAMPAIGN_EXISTS"
    assert asked_to_create(lobby, devices=[{"certid": one, "generation": 7}], complete=False).code == "CAMPAIGN_EXISTS"
    assert lobby.ask(ADD, later | {"devices": chosen(one)}).code == "CHANGED_MEANWHILE"
    assert create(lobby, one, two, complete=False)["total"] == create(lobby, one, two, three)["total"] == 3


def test_only_its_author_adds_devices(lobby: Lobby) -> None:
    create(lobby, claimed(lobby, 1), complete=False)
    variables = {"name": "to-there", "devices": chosen(claimed(lobby, 2)), "offset": 1}
    response = lobby.send({"query": ADD, "variables": variables}, f"Bearer {token('operator', username='bob')}")
    assert response.code == "NOT_ALLOWED"


def test_a_filter_selects_the_devices_when_it_is_created(lobby: Lobby) -> None:
    certids = [claimed(lobby, number) for number in range(1, 4)]
    lobby.waiting(9)
    preview = lobby.ask(PREVIEW, {"change": MOVE, "filter": {"target": at(HERE)}}).data["previewCampaign"]
    assert (preview["total"], preview["changing"]) == (3, 3)
    create(lobby, filter={"target": at(HERE), "profile": "default"})
    assert feed(lobby, "to-there", S.DONE).prepared.total == 3
    assert {certid for certid, _, _ in results(lobby)} == set(certids)


def test_a_second_user_approves_a_revocation(lobby: Lobby) -> None:
    one = claimed(lobby, 1)
    revoke = {"operation": "REVOKE", "why": "stolen"}
    created = create(lobby, one, name="stolen", change=revoke)
    assert (created["state"], created["allowedActions"]) == ("approval", ["approveCampaign", "cancelCampaign"])
    assert act(lobby, "approveCampaign", "stolen").code == "SECOND_PERSON_REQUIRED"
    approved = act(lobby, "approveCampaign", "stolen", "bob").data["approveCampaign"]
    assert (approved["state"], approved["approvedBy"]) == ("running", "user:bob")
    feed(lobby, "stolen", S.DONE)
    device = lobby.ledger.get(one)
    assert device is not None
    assert (device.devstate, device.message) == (State.REVOKED, "stolen")


def test_a_campaign_above_the_size_needs_approval(lobby: Lobby) -> None:
    lobby.approval_above = 1
    lobby.__post_init__()
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    assert create(lobby, one, two)["state"] == "approval"
    assert create(lobby, one, name="small")["state"] == "running"


def test_a_campaign_is_paused_resumed_and_cancelled(lobby: Lobby) -> None:
    create(lobby, claimed(lobby, 1))
    for operation, state in (
        ("pauseCampaign", "paused"),
        ("pauseCampaign", "paused"),
        ("resumeCampaign", "running"),
        ("cancelCampaign", "stopping"),
        ("cancelCampaign", "stopping"),
    ):
        assert act(lobby, operation).data[operation]["state"] == state
    assert act(lobby, "resumeCampaign").code == "NOT_ALLOWED"
    feed(lobby, "to-there", S.CANCELLED)
    assert results(lobby)[0][1] == "pending"


def test_a_campaign_is_undone(lobby: Lobby) -> None:
    one, two = arrived(lobby, 1), arrived(lobby, 2)
    create(lobby, one, two)
    assert act(lobby, "undoCampaign").code == "NOT_ALLOWED"
    feed(lobby, "to-there", S.DONE)
    lobby.ledger.release(two, "user:bob")
    undone = act(lobby, "undoCampaign").data["undoCampaign"]
    assert (undone["name"], undone["undoes"], undone["target"]) == ("to-there-undo", "to-there", None)
    assert act(lobby, "undoCampaign").data["undoCampaign"]["name"] == "to-there-undo"
    feed(lobby, "to-there-undo", S.DONE)
    assert results(lobby, "to-there-undo") == [(one, "done", None), (two, "superseded", "CHANGED_MEANWHILE")]
    original = lobby.ask('{ campaign(name: "to-there") { undoneBy allowedActions } }').data["campaign"]
    assert original["undoneBy"] == "to-there-undo"
    assert act(lobby, "undoCampaign", "to-there-undo").code == "NOT_UNDOABLE"


def test_failed_devices_are_tried_again_by_another_campaign(lobby: Lobby) -> None:
    one, two = claimed(lobby, 1), claimed(lobby, 2)
    create(lobby, one, two, rate=1.0)

    def settle(lobby: Lobby, certid: Fingerprint) -> None:
        device = lobby.ledger.get(certid)
        if device is not None and device.devstate is State.CLAIMED:
            fail(lobby, certid) if certid == one else lobby.ledger.commission(device, "x", "service:x")

    assert act(lobby, "undoCampaign").code == "NOT_ALLOWED"
    feed(lobby, "to-there", S.DONE, settle=settle)
    assert results(lobby, outcome="failed") == [(one, "failed", "TARGET_ROLE_DENIED")]
    retry = {"change": {"operation": "RETRY"}, "failedOf": "to-there"}
    assert lobby.ask(PREVIEW, retry).data["previewCampaign"]["changing"] == 1
    create(lobby, name="again", **retry)
    assert feed(lobby, "again", S.DONE).prepared.total == 1


def test_results_are_paged(lobby: Lobby) -> None:
    certids = [claimed(lobby, number) for number in range(1, 8)]
    create(lobby, *certids, canary=2)
    found, after = [], None
    for _ in range(3):
        page = lobby.ask(RESULTS, {"name": "to-there", "first": 3, "after": after}).data["campaignResults"]
        found += [each["certid"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert (found, after) == (certids, None)
    assert lobby.ask(RESULTS, {"name": "to-there", "after": "x"}).code == "INVALID_CURSOR"
    assert lobby.ask(RESULTS, {"name": "to-there", "outcome": "x"}).code == "INVALID_OUTCOME"


def test_campaigns_are_listed(lobby: Lobby) -> None:
    for number in range(3):
        create(lobby, claimed(lobby, number + 1), name=f"number-{number}")
    query = "query($after: String) { campaigns(first: 2, after: $after) { nodes { name } pageInfo { endCursor } } }"
    first = lobby.ask(query).data["campaigns"]
    rest = lobby.ask(query, {"after": first["pageInfo"]["endCursor"]}).data["campaigns"]
    names = [each["name"] for page in (first, rest) for each in page["nodes"]]
    assert (names, rest["pageInfo"]["endCursor"]) == (["number-2", "number-1", "number-0"], None)


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({}, "INVALID_SELECTION"),
        ({"devices": chosen("a" * 64), "filter": {"state": "failed"}}, "INVALID_SELECTION"),
        ({"devices": []}, "INVALID_COUNT"),
        ({"devices": chosen(*map(fingerprint, range(MAX_BULK + 1)))}, "INVALID_COUNT"),
        ({"devices": chosen("a" * 64, "zz")}, "INVALID_FINGERPRINT"),
        ({"filter": {}}, "INVALID_FILTER"),
        ({"filter": {"state": "nowhere"}}, "INVALID_STATE"),
        ({"filter": {"enrolment": "A b"}}, "INVALID_ENROLMENT"),
        ({"failedOf": "none"}, "UNKNOWN_CAMPAIGN"),
        ({"devices": chosen("a" * 64), "name": "Not a name"}, "INVALID_CAMPAIGN"),
        ({"devices": chosen("a" * 64), "canary": 101}, "INVALID_CANARY"),
        ({"devices": chosen("a" * 64), "rate": 1.5}, "INVALID_FAILURE_RATE"),
        ({"devices": chosen("a" * 64), "change": {"operation": "MOVE"}}, "INVALID_CHANGE"),
        ({"devices": chosen("a" * 64), "change": {"operation": "RETRY", "why": "x"}}, "INVALID_CHANGE"),
        ({"devices": chosen("a" * 64), "change": {"operation": "REVOKE", "why": " "}}, "INVALID_REASON"),
        (
            {"devices": chosen("a" * 64), "change": {**MOVE, "target": {"account": "9" * 12, "region": "eu-west-1"}}},
            "UNKNOWN_TARGET",
        ),
    ],
)
def test_invalid_input_creates_nothing(lobby: Lobby, variables: dict[str, Any], code: str) -> None:
    assert asked_to_create(lobby, **variables).code == code
    assert lobby.ask("{ campaigns { nodes { name } } }").data == {"campaigns": {"nodes": []}}


@pytest.mark.parametrize("role", ["viewer", "technician"])
def test_other_roles_cannot_use_campaigns(lobby: Lobby, role: str) -> None:
    variables = {"name": "x", "change": MOVE, "devices": chosen(claimed(lobby, 1))}
    assert lobby.ask(CREATE, variables, (role, f"target:{THERE}")).code == "FORBIDDEN"
    assert lobby.ask('{ campaign(name: "x") { name } }', None, (role,)).code == "FORBIDDEN"
