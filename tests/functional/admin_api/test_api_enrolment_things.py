"""Attributes and thing groups of enrolments, through the API and lobbyctl."""

from typing import Any

import pytest

from tests.functional.admin_api.api_on_moto import Lobby, Response
from tests.functional.admin_api.lobby_over_http import Terminal

CREATE = """
mutation($attributes: [ThingAttributeInput!], $groups: [String!]) {
  createEnrolment(name: "pumps", match: {namePattern: "pump-*"}, attributes: $attributes, thingGroups: $groups) {
    attributes { name value } thingGroups
  }
}"""


def create(lobby: Lobby, attributes: dict[str, str] | None = None, groups: list[str] | None = None) -> Response:
    entered = [{"name": name, "value": value} for name, value in (attributes or {}).items()]
    return lobby.ask(CREATE, {"attributes": entered, "groups": groups}, ("admin",))


def test_an_enrolment_has_the_attributes_and_groups_that_profiles_permit(lobby: Lobby) -> None:
    created = create(lobby, {"site": "berlin", "batch": "7"}, ["lot-7"]).data["createEnrolment"]
    assert created == {
        "attributes": [{"name": "batch", "value": "7"}, {"name": "site", "value": "berlin"}],
        "thingGroups": ["lot-7"],
    }
    assert create(lobby).code == "ENROLMENT_EXISTS", "other attributes make it another enrolment"


def test_an_enrolment_without_them_gives_nothing(lobby: Lobby) -> None:
    assert create(lobby).data["createEnrolment"] == {"attributes": [], "thingGroups": []}
    [enrolment] = lobby.enrolments.all()
    assert enrolment.things is None


REJECTED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown attribute": ({"attributes": {"colour": "red"}}, "UNKNOWN_ATTRIBUTE", "set: batch, site"),
    "unknown group": ({"groups": ["others"]}, "UNKNOWN_THING_GROUP", "set: lot-7"),
    "value": ({"attributes": {"site": "b e"}}, "INVALID_ATTRIBUTES", "got 'b e' as attribute site"),
    "empty value": ({"attributes": {"site": ""}}, "INVALID_ATTRIBUTES", "want 1 to 256"),
    "twice": ({"groups": ["lot-7", "lot-7"]}, "INVALID_ATTRIBUTES", "want each name once"),
    "size": ({"attributes": {"site": "s" * 200, "batch": "b" * 200}}, "INVALID_ATTRIBUTES", "want at most 400"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_what_no_profile_permits_or_aws_iot_refuses_is_rejected(lobby: Lobby, case: str) -> None:
    entered, code, text = REJECTED[case]
    response = create(lobby, **entered)
    assert response.code == code
    assert text in response.body["errors"][0]["message"]
    assert lobby.enrolments.all() == []


def test_lobbyctl_creates_and_shows_them(terminal: Terminal) -> None:
    options = ("--attribute", "site=berlin", "--group", "lot-7", "--names", "pump-*")
    created = terminal.run("--as", "admin", "enrolments", "create", "pumps", *options)
    assert created.exit_code == 0, created.stderr
    shown = " ".join(terminal.run("enrolments", "show", "pumps").stdout.split())
    assert "attributes site=berlin" in shown
    assert "thing groups lot-7" in shown
    wrong = terminal.run("--as", "admin", "enrolments", "create", "others", "--attribute", "site", "--names", "o-*")
    assert (wrong.exit_code, "want NAME=VALUE" in wrong.stderr) == (2, True)
