"""Changing profile and configuration of one device."""

from typing import Any

import pytest

from lobby.domain.states import Event
from tests.functional.admin_api.api_on_moto import HERE, Lobby, fingerprint
from tests.functional.admin_api.bulk_change_requests import claimed

CONFIGURE = """
mutation($id: ID!, $profile: String, $config: JSON) {
  configureDevice(certid: $id, profile: $profile, config: $config) { devstate targetaccount profile config generation }
}"""


def test_the_configuration_of_one_device_is_changed_without_its_target(lobby: Lobby) -> None:
    certid = claimed(lobby, 1)
    changed = {
        "devstate": "claimed",
        "targetaccount": HERE.account,
        "profile": "default",
        "config": {"interval": 5},
        "generation": 2,
    }
    for _ in range(2):
        assert lobby.ask(CONFIGURE, {"id": certid, "config": {"interval": 5}}).data["configureDevice"] == changed
    entries = [entry for entry in lobby.ledger.history(certid) if entry.event is Event.CONFIGURE]
    assert [(entry.actor, entry.target) for entry in entries] == [("user:alice", str(HERE))]


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({}, "INVALID_CHANGE"),
        ({"config": "factory reset"}, "INVALID_CONFIG"),
        ({"profile": "submarine"}, "UNKNOWN_PROFILE"),
        ({"id": "zz", "config": "new"}, "INVALID_FINGERPRINT"),
        ({"id": fingerprint(7), "config": "new"}, "UNKNOWN_DEVICE"),
    ],
)
def test_an_invalid_configuration_changes_nothing(lobby: Lobby, variables: dict[str, Any], code: str) -> None:
    certid = claimed(lobby, 1)
    before = lobby.ledger.get(certid)
    assert lobby.ask(CONFIGURE, {"id": certid} | variables).code == code
    assert lobby.ledger.get(certid) == before
