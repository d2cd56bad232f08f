"""Suspected and quarantined devices in the API and in `lobbyctl`: fields, actions, lists, counts and policies."""

import pytest

from lobby.domain.connections.clones import ClonePolicy, Evidence, Signal
from lobby.domain.states import State
from tests.functional.admin_api.api_on_moto import HERE, Lobby

SHOWN = """query($id: ID!) { device(certid: $id) { devstate reason message allowedActions
  suspicion { signal at place addresses message dismissedAt } } }"""
LISTED = """{ devices(first: 10, filter: {state: "inlobby", reason: "CLONE_SUSPECTED"}) {
  nodes { certid reason allowedActions } } }"""
REASONS = "{ overview { reasons { state reason count } } }"
DISMISS = "mutation($id: ID!, $why: String!) { dismissSuspicion(certid: $id, why: $why) { devstate reason } }"
QUARANTINE = (
    "mutation($id: ID!, $why: String!) { quarantineDevice(certid: $id, why: $why) { devstate reason message } }"
)
LIFT = "mutation($id: ID!, $why: String!) { liftQuarantine(certid: $id, why: $why) { devstate reason } }"
BULK = """mutation($change: ChangeInput!, $devices: [ChosenDevice!]!) {
  changeDevices(change: $change, devices: $devices) { results { ok code device { devstate } } } }"""
POLICY = """mutation($account: String!, $region: String!, $clones: ClonePolicy) {
  registerTarget(account: $account, region: $region, name: "Plant", clones: $clones) { clones } }"""
EVIDENCE = Evidence(Signal.TAKEOVERS, "lobby", ("192.0.2.1", "198.51.100.7"))
VIEWER, OPERATOR, ADMIN = ("viewer",), ("operator",), ("admin",)


@pytest.fixture
def suspected(lobby: Lobby) -> str:
    certid = lobby.waiting(1)
    device = lobby.ledger.get(certid)
    assert device is not None
    lobby.ledger.suspect(device, EVIDENCE, ClonePolicy.FLAG, 0, "service:clones")
    return certid


def test_a_suspected_device_shows_the_evidence_to_operators(lobby: Lobby, suspected: str) -> None:
    shown = lobby.ask(SHOWN, {"id": suspected}, OPERATOR).data["device"]
    assert (shown["devstate"], shown["reason"]) == ("inlobby", "CLONE_SUSPECTED")
    assert shown["allowedActions"] == ["claimDevice", "dismissSuspicion", "quarantineDevice", "revokeDevice"]
    assert shown["suspicion"]["signal"] == "TAKEOVERS"
    assert shown["suspicion"]["addresses"] == ["192.0.2.1", "198.51.100.7"]
    assert "192.0.2.1 and 198.51.100.7" in shown["suspicion"]["message"]
    assert "quarantine it" in shown["message"]


def test_other_users_see_no_addresses(lobby: Lobby, suspected: str) -> None:
    shown = lobby.ask(SHOWN, {"id": suspected}, VIEWER).data["device"]
    assert shown["suspicion"]["addresses"] == []
    assert "192.0.2" not in str(shown)
    assert shown["allowedActions"] == []


def test_suspected_devices_are_listed_and_counted(lobby: Lobby, suspected: str) -> None:
    lobby.waiting(2)
    (node,) = lobby.ask(LISTED, {}, OPERATOR).data["devices"]["nodes"]
    assert (node["certid"], node["reason"]) == (suspected, "CLONE_SUSPECTED")
    assert "dismissSuspicion" in node["allowedActions"]
    reasons = lobby.ask(REASONS, {}, VIEWER).data["overview"]["reasons"]
    assert reasons == [{"state": "inlobby", "reason": "CLONE_SUSPECTED", "count": 1}]


def test_a_user_dismisses_a_suspicion_with_a_note(lobby: Lobby, suspected: str) -> None:
    assert lobby.ask(DISMISS, {"id": suspected, "why": " "}, OPERATOR).codes == ["INVALID_REASON"]
    dismissed = lobby.ask(DISMISS, {"id": suspected, "why": "two uplinks"}, OPERATOR).data["dismissSuspicion"]
    assert dismissed == {"devstate": "inlobby", "reason": None}
    shown = lobby.ask(SHOWN, {"id": suspected}, OPERATOR).data["device"]
    assert shown["suspicion"]["dismissedAt"] is not None
    assert "dismissSuspicion" not in shown["allowedActions"]
    assert lobby.ask(REASONS, {}, VIEWER).data["overview"]["reasons"] == []
    (entry,) = lobby.ledger.latest(suspected, 1)  # type: ignore[arg-type]
    assert (entry.event.value, entry.reason) == ("dismiss", "two uplinks")


def test_a_user_puts_a_device_in_quarantine_and_lifts_it(lobby: Lobby, suspected: str) -> None:
    quarantined = lobby.ask(QUARANTINE, {"id": suspected, "why": "two addresses"}, OPERATOR).data["quarantineDevice"]
    assert quarantined == {"devstate": "quarantined", "reason": "CLONE_SUSPECTED", "message": "two addresses"}
    shown = lobby.ask(SHOWN, {"id": suspected}, OPERATOR).data["device"]
    assert shown["allowedActions"] == ["retryDevice", "liftQuarantine", "revokeDevice"]
    assert lobby.ask(DISMISS, {"id": suspected, "why": "no"}, OPERATOR).codes == ["QUARANTINED"]
    lifted = lobby.ask(LIFT, {"id": suspected, "why": "seen on site"}, OPERATOR).data["liftQuarantine"]
    assert lifted == {"devstate": "inlobby", "reason": None}


@pytest.mark.parametrize("document", [DISMISS, QUARANTINE, LIFT])
def test_a_technician_decides_nothing(lobby: Lobby, suspected: str, document: str) -> None:
    before = lobby.ledger.get(suspected)  # type: ignore[arg-type]
    response = lobby.ask(document, {"id": suspected, "why": "x"}, ("technician", f"target:{HERE}"))
    assert response.codes == ["FORBIDDEN"]
    assert lobby.ledger.get(suspected) == before  # type: ignore[arg-type]


def test_many_devices_are_quarantined_together_and_those_that_cannot_be_are_named(lobby: Lobby, suspected: str) -> None:
    chosen = [{"certid": suspected}, {"certid": "9" * 64}]
    change = {"operation": "QUARANTINE", "why": "batch copied"}
    results = lobby.ask(BULK, {"change": change, "devices": chosen}, OPERATOR).data["changeDevices"]["results"]
    assert [each["code"] for each in results] == [None, "UNKNOWN_DEVICE"]
    device = lobby.ledger.get(suspected)  # type: ignore[arg-type]
    assert device is not None
    assert device.devstate is State.QUARANTINED


def test_an_admin_sets_the_policy_of_a_target_and_its_history_shows_it(lobby: Lobby) -> None:
    place = {"account": HERE.account, "region": HERE.region}
    for wanted, stored in (("QUARANTINE", "QUARANTINE"), (None, "QUARANTINE"), ("LOBBY", "LOBBY")):
        answer = lobby.ask(POLICY, place | ({"clones": wanted} if wanted else {}), ADMIN)
        assert answer.data["registerTarget"]["clones"] == stored
    history = lobby.ask(
        "query($account: String!, $region: String!) { targetHistory(account: $account, region: $region) { detail } }",
        place,
        OPERATOR,
    ).data["targetHistory"]
    details = " | ".join(each["detail"] for each in history)
    assert "clones: lobby → quarantine" in details
    assert "clones: quarantine → lobby" in details
