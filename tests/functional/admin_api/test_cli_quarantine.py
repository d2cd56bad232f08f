"""`lobbyctl quarantine`, `lift`, `dismiss`, `doctor` and the policy of a target."""

import pytest

from lobby.domain.connections.clones import ClonePolicy, Evidence, Signal
from lobby.domain.states import State
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, Lobby
from tests.functional.admin_api.device_steps import arrived, state
from tests.functional.admin_api.lobby_over_http import Terminal, error_of

EVIDENCE = Evidence(Signal.TAKEOVERS, str(HERE), ("192.0.2.1", "198.51.100.7"))


@pytest.fixture
def suspected(lobby: Lobby) -> Fingerprint:
    certid = arrived(lobby, 1)
    device = lobby.ledger.get(certid)
    assert device is not None
    lobby.ledger.suspect(device, EVIDENCE, ClonePolicy.FLAG, 0, "service:clones")
    return certid


def test_the_doctor_lists_suspected_devices(terminal: Terminal, suspected: Fingerprint) -> None:
    found = terminal.run("doctor")
    assert found.exit_code == 1
    assert "sensor-1" in found.stdout
    assert "seems to be in use twice" in found.stdout
    (record,) = terminal.records("doctor", exit_code=1)
    assert (record["code"], record["certid"], record["devstate"]) == ("CLONE_SUSPECTED", suspected, "arrived")


def test_a_device_shows_the_evidence_and_what_can_be_done(terminal: Terminal, suspected: Fingerprint) -> None:
    shown = terminal.run("devices", "show", suspected).stdout
    for text in ("CLONE_SUSPECTED", "192.0.2.1 and 198.51.100.7", "dismiss", "quarantine"):
        assert text in " ".join(shown.split()), shown


def test_a_suspicion_is_dismissed_without_a_question(terminal: Terminal, lobby: Lobby, suspected: Fingerprint) -> None:
    assert terminal.run("dismiss", suspected, "--why", "two uplinks").exit_code == 0
    device = lobby.ledger.get(suspected)
    assert device is not None
    assert not device.is_suspected
    assert terminal.run("doctor").exit_code == 0
    assert "dismissed at" in terminal.run("devices", "show", suspected).stdout


def test_a_quarantine_asks_first_and_is_lifted_with_a_note(
    terminal: Terminal, lobby: Lobby, suspected: Fingerprint
) -> None:
    unconfirmed = terminal.run("quarantine", suspected, "--why", "copied", "--json")
    assert (unconfirmed.exit_code, error_of(unconfirmed)["code"]) == (2, "CONFIRMATION_NEEDED")
    assert terminal.run("quarantine", suspected, "--why", "copied", "--yes").exit_code == 0
    assert state(lobby, suspected) is State.QUARANTINED
    refused = terminal.run("release", suspected, "--yes", "--json")
    assert error_of(refused)["code"] == "QUARANTINED"
    lifted = terminal.run("lift", suspected, "--why", "seen on site", "--yes")
    assert lifted.exit_code == 0, lifted.output
    assert state(lobby, suspected) is State.CLAIMED
    entry = lobby.ledger.latest(suspected, 1)[-1]
    assert (entry.event.value, entry.reason) == ("lift", "seen on site")


def test_a_device_that_was_never_suspected_cannot_be_dismissed(terminal: Terminal, lobby: Lobby) -> None:
    result = terminal.run("dismiss", lobby.waiting(1), "--why", "no", "--json")
    assert (result.exit_code, error_of(result)["code"]) == (1, "NOT_SUSPECTED")


def test_the_policy_of_a_target_is_set_and_listed(terminal: Terminal, lobby: Lobby) -> None:
    command = ["targets", "add", str(HERE), "--name", "Here", "--as", "admin"]
    assert terminal.run(*command, "--clones", "quarantine").exit_code == 0
    assert lobby.targets.get(HERE).clones is ClonePolicy.QUARANTINE
    assert "quarantine" in terminal.run("targets", "list").stdout
    assert terminal.run(*command).exit_code == 0
    assert lobby.targets.get(HERE).clones is ClonePolicy.QUARANTINE
    assert terminal.run(*command, "--clones", "lobby").exit_code == 0
    assert lobby.targets.get(HERE).clones is None
