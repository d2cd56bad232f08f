"""Enrolments through the API: creation, limits, lists, states, and what is rejected."""

from typing import Any

import pytest

from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, at

CREATE = """
mutation($name: String!, $match: EnrolmentMatchInput!, $allocation: AllocationInput, $limit: Int, $ends: String) {
  createEnrolment(name: $name, match: $match, allocation: $allocation, limit: $limit, ends: $ends, model: "P-100") {
    name door state limit ends model admitted listLength createdBy
    match { ca subject { field value } namePattern listed }
    allocation { targets { account region weight } function profile config presence }
    refusals { reason count }
  }
}"""
PUMPS = {"namePattern": "pump-*", "subject": [{"field": "O", "value": "Acme"}]}


def create(lobby: Lobby, name: str = "pumps", match: Any = None, **more: Any) -> Response:
    return lobby.ask(CREATE, {"name": name, "match": PUMPS if match is None else match, **more}, ("admin",))


def test_an_enrolment_is_created_with_all_its_parts(lobby: Lobby) -> None:
    targets = [{"target": at(HERE), "weight": 3}]
    allocation = {"targets": targets, "profile": "camera", "config": {"period": 5}, "presence": True}
    created = create(lobby, allocation=allocation, limit=500, ends="2126-12-31").data["createEnrolment"]
    assert created.pop("createdBy").startswith("user:")
    assert created == {
        "name": "pumps",
        "door": "registration",
        "state": "active",
        "limit": 500,
        "ends": "2126-12-31T00:00:00.000Z",
        "model": "P-100",
        "admitted": 0,
        "listLength": None,
        "match": {**PUMPS, "ca": None, "listed": False},
        "allocation": {
            "targets": [{**at(HERE), "weight": 3}],
            "function": None,
            "profile": "camera",
            "config": {"period": 5},
            "presence": True,
        },
        "refusals": [],
    }
    assert [each.name for each in lobby.enrolments.all()] == ["pumps"]


def test_an_enrolment_without_a_target_states_the_defaults_of_claims(lobby: Lobby) -> None:
    defaults = {"profile": "camera", "config": {"period": 5}, "presence": True}
    created = create(lobby, allocation=defaults).data["createEnrolment"]
    assert created["allocation"] == {"targets": [], "function": None, **defaults}
    assert create(lobby, allocation=defaults).data["createEnrolment"] == created, "the same one again"
    assert create(lobby, allocation={"profile": "camera"}).code == "ENROLMENT_EXISTS"


REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "no condition": ({"match": {}}, "INVALID_MATCH"),
    "unknown target": ({"allocation": {"targets": [{"target": at("9" * 12 + "/eu-west-1")}]}}, "UNKNOWN_TARGET"),
    "profile of another target": (
        {"allocation": {"targets": [{"target": at(THERE)}], "profile": "camera"}},
        "UNKNOWN_PROFILE",
    ),
    "unknown profile": (
        {"allocation": {"function": "device-lobby-allocation-a", "profile": "none"}},
        "UNKNOWN_PROFILE",
    ),
    "unknown default profile": ({"allocation": {"profile": "none"}}, "UNKNOWN_PROFILE"),
    "no allocation": ({"allocation": {}}, "INVALID_ALLOCATION"),
    "another function": ({"allocation": {"function": "device-lobby-notary"}}, "INVALID_ALLOCATION"),
    "limit": ({"limit": 0}, "INVALID_LIMIT"),
    "time": ({"ends": "soon"}, "INVALID_TIME"),
    "name": ({"name": "Pumps"}, "INVALID_ENROLMENT"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_wrong_input_is_rejected_and_changes_nothing(lobby: Lobby, case: str) -> None:
    wrong, code = REJECTED[case]
    assert create(lobby, **wrong).code == code
    assert lobby.enrolments.all() == []


def test_the_history_shows_who_did_what(lobby: Lobby) -> None:
    create(lobby)
    lobby.ask('mutation { pauseEnrolment(name: "pumps") { state } }')
    entries = lobby.ask('{ enrolmentHistory(name: "pumps") { event actor } }').data["enrolmentHistory"]
    assert sorted(each["event"] for each in entries) == ["created", "paused"]
    assert {each["actor"].partition(":")[0] for each in entries} == {"user"}


def test_an_ambiguous_enrolment_is_rejected(lobby: Lobby) -> None:
    assert create(lobby).codes == []
    assert create(lobby, "other", {"namePattern": "*-1"}).code == "ENROLMENT_AMBIGUOUS"
    assert create(lobby, "narrow", {**PUMPS, "namePattern": "pump-1*"}).codes == []


def test_an_archived_target_is_rejected(lobby: Lobby) -> None:
    archive = (
        "mutation($account: String!, $region: String!) { archiveTarget(account: $account, region: $region) { name } }"
    )
    assert lobby.ask(archive, at(HERE), ("admin",)).codes == []
    assert create(lobby, allocation={"targets": [{"target": at(HERE)}]}).code == "INVALID_ALLOCATION"


def test_omitted_limits_stay_and_null_removes_one(lobby: Lobby) -> None:
    create(lobby, limit=5, ends="2126-12-31")
    change = 'mutation { changeEnrolment(name: "pumps", %s) { limit ends } }'
    changed = lobby.ask(change % "limit: 7", None, ("admin",)).data["changeEnrolment"]
    assert changed == {"limit": 7, "ends": "2126-12-31T00:00:00.000Z"}
    changed = lobby.ask(change % "ends: null", None, ("admin",)).data["changeEnrolment"]
    assert changed == {"limit": 7, "ends": None}
    assert lobby.ask(change % 'starts: "2126-01-01", ends: "2026-01-01"', None, ("admin",)).code == "INVALID_TIME"


def test_an_operator_pauses_and_revokes_but_does_not_create(lobby: Lobby) -> None:
    assert lobby.ask(CREATE, {"name": "pumps", "match": PUMPS}).code == "FORBIDDEN"
    create(lobby)
    states = [
        lobby.ask(f'mutation {{ {each}Enrolment(name: "pumps") {{ state }} }}').data[f"{each}Enrolment"]["state"]
        for each in ("pause", "resume", "revoke")
    ]
    assert states == ["paused", "active", "revoked"]
    assert lobby.ask('mutation { resumeEnrolment(name: "pumps") { state } }').code == "ENROLMENT_REVOKED"


ADD = 'mutation($serials: [String!]!) { addSerialNumbers(enrolment: "pumps", serialNumbers: $serials) { added } }'


def test_serial_numbers_are_added_once(lobby: Lobby) -> None:
    create(lobby, match={"listed": True})
    serials = [f"pump-{number}" for number in range(250)]
    assert lobby.ask(ADD, {"serials": serials}).data["addSerialNumbers"] == {"added": 250}
    assert lobby.ask(ADD, {"serials": [*serials[200:], "pump-250"]}).data["addSerialNumbers"] == {"added": 1}
    [listed] = lobby.ask("{ enrolments { listLength } }").data["enrolments"]
    assert listed == {"listLength": 251}


def test_serial_numbers_need_an_enrolment_with_a_list(lobby: Lobby) -> None:
    create(lobby)
    assert lobby.ask(ADD, {"serials": ["a"]}).code == "NO_LIST"
    assert lobby.ask(ADD, {"serials": ["a b"]}).code == "INVALID_THING_NAME"


def test_a_device_shows_its_enrolment_only_on_its_own_page(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    query = "query($id: ID!) { device(certid: $id) { enrolment model } }"
    assert lobby.ask(query, {"id": certid}).data["device"] == {"enrolment": None, "model": None}
    assert lobby.ask("{ devices { nodes { enrolment } } }").code == "NOT_IN_LISTS"
