"""The name that a claim expects: kept, found, and compared with the certificate's when the device connects."""

import json
from pathlib import Path
from typing import Any

import pytest

from lobby.domain.identity import Identity
from lobby.domain.states import Event
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint, ThingName
from pki.devices import manifest
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, at, fingerprint
from tests.functional.admin_api.lobby_over_http import Terminal

CLAIM = """
mutation($id: ID!, $target: TargetInput!, $name: String) {
  claimDevice(certid: $id, target: $target, expectedName: $name) { devicename expectedName devstate }
}"""
CLAIM_MANY = """
mutation($ids: [ID!]!, $target: TargetInput!, $names: [String]) {
  claimDevices(certids: $ids, target: $target, expectedNames: $names) { results { code device { expectedName } } }
}"""
FIND = """
query($prefix: String!) { devices(filter: {namePrefix: $prefix}) { nodes { certid devicename expectedName devstate } } }
"""
ONE = fingerprint(1)


def claim(lobby: Lobby, name: str | None = "sensor-1", certid: str = ONE) -> Any:
    return lobby.ask(CLAIM, {"id": certid, "target": at(HERE), "name": name})


def found(lobby: Lobby, prefix: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = lobby.ask(FIND, {"prefix": prefix}).data["devices"]["nodes"]
    return nodes


def shown(lobby: Lobby) -> tuple[str | None, str | None]:
    device = lobby.ask("query($id: ID!) { device(certid: $id) { devicename expectedName } }", {"id": ONE}).data[
        "device"
    ]
    return device["devicename"], device["expectedName"]


def connect(lobby: Lobby, name: str) -> None:
    lobby.ledger.admit(Identity(Fingerprint(ONE), ThingName(name), "-----PEM-----"), "bouncer")


def test_a_device_that_has_not_connected_is_found_by_the_expected_name(lobby: Lobby) -> None:
    assert claim(lobby).data["claimDevice"] == {
        "devicename": None,
        "expectedName": "sensor-1",
        "devstate": "expected",
    }
    node = {"certid": ONE, "devicename": None, "expectedName": "sensor-1", "devstate": "expected"}
    assert found(lobby, "sens") == found(lobby, "sensor-1") == [node]
    assert found(lobby, "other") == []


def test_the_expected_name_is_dropped_when_the_certificate_proves_it(lobby: Lobby) -> None:
    claim(lobby)
    connect(lobby, "sensor-1")
    assert shown(lobby) == ("sensor-1", None)
    assert lobby.ledger.history(Fingerprint(ONE))[-1].reason is None


def test_the_certificates_name_wins_and_the_difference_is_recorded(lobby: Lobby) -> None:
    claim(lobby)
    connect(lobby, "sensor-2")
    assert shown(lobby) == ("sensor-2", "sensor-1")
    entry = lobby.ledger.history(Fingerprint(ONE))[-1]
    assert (entry.event, entry.reason) == (Event.ADMIT, "NAME_DIFFERS")
    assert found(lobby, "sensor-1") == []
    assert [node["devicename"] for node in found(lobby, "sensor-2")] == ["sensor-2"]
    assert lobby.ledger.name_holder("sensor-1") is None


def test_a_claim_of_a_waiting_device_shows_another_name(lobby: Lobby) -> None:
    lobby.waiting(1, "sensor-2")
    assert claim(lobby).data["claimDevice"]["expectedName"] == "sensor-1"
    assert shown(lobby) == ("sensor-2", "sensor-1")


def test_repeating_a_claim_with_a_name_adds_or_corrects_it_and_without_one_keeps_it(lobby: Lobby) -> None:
    claim(lobby, None)
    claim(lobby, "sensor-1")
    assert shown(lobby) == (None, "sensor-1")
    claim(lobby, "sensor-9")
    claim(lobby, None)
    assert shown(lobby) == (None, "sensor-9")
    assert found(lobby, "sensor-1") == []
    device = lobby.ledger.get(Fingerprint(ONE))
    assert device is not None
    assert device.generation == 1


def test_a_move_keeps_the_expected_name_and_a_release_removes_it(lobby: Lobby) -> None:
    claim(lobby)
    lobby.ledger.move(Fingerprint(ONE), ClaimRequest(THERE), "user:bob")
    assert shown(lobby) == (None, "sensor-1")
    connect(lobby, "sensor-2")
    lobby.ledger.release(Fingerprint(ONE), "user:bob")
    assert shown(lobby) == ("sensor-2", None)


def test_two_claims_may_expect_one_name_and_only_the_certificates_hold_it(lobby: Lobby) -> None:
    claim(lobby)
    claim(lobby, certid=fingerprint(2))
    assert {node["certid"] for node in found(lobby, "sensor-1")} == {ONE, fingerprint(2)}
    connect(lobby, "sensor-1")
    assert lobby.ledger.name_holder("sensor-1") == ONE


def test_many_devices_are_claimed_with_their_names(lobby: Lobby) -> None:
    ids = [ONE, fingerprint(2), fingerprint(3)]
    results = lobby.ask(CLAIM_MANY, {"ids": ids, "target": at(HERE), "names": ["a-1", None, "a-3"]}).data
    assert [each["device"]["expectedName"] for each in results["claimDevices"]["results"]] == ["a-1", None, "a-3"]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["a-1"], "INVALID_COUNT"),
        (["a-1", "b-2", "c-3"], "INVALID_COUNT"),
        (["a-1", "not a name"], "INVALID_THING_NAME"),
        (["a-1", ""], "INVALID_THING_NAME"),
        (["a-1", "x" * 129], "INVALID_THING_NAME"),
    ],
)
def test_invalid_names_reject_the_request(lobby: Lobby, names: list[str], code: str) -> None:
    variables = {"ids": [ONE, fingerprint(2)], "target": at(HERE), "names": names}
    assert lobby.ask(CLAIM_MANY, variables).code == code
    assert lobby.ledger.get(Fingerprint(ONE)) is None


def test_the_names_of_a_manifest_are_searchable_in_the_command_line(
    terminal: Terminal, lobby: Lobby, tmp_path: Path
) -> None:
    rows = [manifest.Row(fingerprint(n), f"sensor-{n}", "2036-11-22T00:00:00Z") for n in (1, 2)]  # type: ignore[arg-type]  # thing names
    path = tmp_path / "manifest.csv"
    path.write_bytes(manifest.encode(rows))
    assert terminal.run("claim", "--file", str(path), "-t", "Here").exit_code == 0
    assert "(sensor-2)" in terminal.run("devices", "list", "--name", "sensor").stdout
    assert terminal.records("devices", "show", "sensor-1")[0]["certid"] == ONE
    connect(lobby, "sensor-9")
    assert "sensor-1, but the certificate has the name sensor-9" in terminal.run("devices", "show", ONE).stdout


def test_an_invalid_name_in_a_list_is_an_invalid_row(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"fingerprint,thing_name\n{ONE},not a name\n")
    result = terminal.run("--json", "claim", "--file", str(path), "-t", "Here")
    assert result.exit_code == 2
    assert json.loads(result.stderr.splitlines()[0])["code"] == "INVALID_THING_NAME"
