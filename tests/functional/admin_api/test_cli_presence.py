"""`lobbyctl` with targets that require proof of presence: registration, claims, and `lobbyctl confirm`."""

import pytest

from lobby.domain.states import State
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, Lobby, fingerprint
from tests.functional.admin_api.device_steps import act_in_order, arrive, commission
from tests.functional.admin_api.lobby_over_http import Terminal, error_of
from tests.operations import CODE

WRONG = "99999999"


def state(lobby: Lobby, certid: Fingerprint) -> State | None:
    device = lobby.ledger.get(certid)
    return device.devstate if device else None


def test_the_presence_setting_of_a_target_is_kept_until_it_is_changed(terminal: Terminal) -> None:
    settings = [
        terminal.records("targets", "add", str(HERE), "--name", "Here", "--as", "admin", *arguments)[0]["presence"]
        for arguments in ([], ["--presence"], [], ["--no-presence"])
    ]
    assert settings == [False, True, True, False]


def test_a_claim_prints_the_next_step_and_the_code_confirms_it(terminal: Terminal, lobby: Lobby) -> None:
    lobby.require_presence(HERE)
    certid = lobby.waiting(1, "sensor-1")
    claimed = terminal.run("claim", "sensor-1", "-t", str(HERE))
    assert claimed.exit_code == 0, claimed.output
    assert "proving" in claimed.stdout
    assert f"lobbyctl confirm {certid[:12]} CODE" in claimed.stderr
    result = terminal.run("confirm", "sensor-1", f"{CODE[:4]} {CODE[4:]}")
    assert (result.exit_code, "claimed" in result.stdout) == (0, True)
    assert state(lobby, certid) is State.CLAIMED


def test_several_claims_print_how_many_wait_for_a_code(terminal: Terminal, lobby: Lobby) -> None:
    lobby.require_presence(HERE)
    for number in (1, 2):
        lobby.waiting(number, f"sensor-{number}")
    claimed = terminal.run("claim", "sensor-1", "sensor-2", fingerprint(3), "-t", str(HERE))
    assert "2 claims wait for the code that the device shows: lobbyctl confirm DEVICE CODE" in claimed.stderr


def test_a_client_that_cannot_show_the_code_ends_the_wait_with_the_next_step(terminal: Terminal, lobby: Lobby) -> None:
    lobby.require_presence(HERE)
    certid = lobby.waiting(1, "sensor-1", shows_code=False)
    result = terminal.run("claim", "sensor-1", "-t", str(HERE), "--wait", "--timeout", "60")
    assert (result.exit_code, "CODE_NOT_SHOWN" in result.stderr) == (1, True), result.output
    assert f"lobbyctl release {certid[:12]}" in result.stderr
    assert "lobbyctl confirm" not in result.stderr
    assert not terminal.sleeps


def test_a_claim_without_proof_of_presence_mentions_no_code(terminal: Terminal, lobby: Lobby) -> None:
    lobby.waiting(1, "sensor-1")
    assert "code" not in terminal.run("claim", "sensor-1", "-t", str(HERE)).stderr


@pytest.mark.slow
def test_wrong_codes_are_refused_with_the_attempts_left_until_the_claim_ends(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.proving(1)
    errors = [error_of(terminal.run("confirm", certid, WRONG, "--json")) for _ in range(5)]
    assert [each["code"] for each in errors] == ["WRONG_CODE"] * 4 + ["PRESENCE_FAILED"]
    assert "attempts left: 4" in errors[0]["message"]
    assert state(lobby, certid) is State.INLOBBY


@pytest.mark.parametrize("code", ["", "4829", "４８２９１３７５", "4829137a", "x" * 5000])
def test_an_invalid_code_is_not_sent(terminal: Terminal, lobby: Lobby, code: str) -> None:
    certid = lobby.proving(1)
    result = terminal.run("confirm", certid, code, "--json")
    assert (result.exit_code, error_of(result)["code"]) == (2, "INVALID_CODE")
    assert len(lobby.ledger.history(certid)) == 3


def test_confirm_with_wait_follows_the_device_until_arrival(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.proving(1)
    terminal.server.before_request = act_in_order(lobby, commission, arrive)(certid)
    *_, last = terminal.records("confirm", certid, CODE, "--wait")
    assert (last["devstate"], last["reached"]) == ("arrived", True)


def test_a_proving_device_is_shown_with_the_next_step(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.proving(1)
    shown = terminal.run("devices", "show", certid).stdout
    assert f"shown on the device; lobbyctl confirm {certid[:12]} CODE (5 attempts left)" in shown.replace("\n", " ")
    assert "confirm" in shown
    assert CODE not in shown


def test_the_list_of_targets_shows_which_require_presence(terminal: Terminal, lobby: Lobby) -> None:
    lobby.require_presence(HERE)
    listed = terminal.run("targets", "list").stdout.splitlines()
    assert [("required" in line) for line in listed if "/" in line] == [True, False]


def test_releasing_a_proving_device_explains_the_effect(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.proving(1)
    result = terminal.run("release", certid, "--yes")
    assert "it is not registered in" in result.stderr
    assert state(lobby, certid) is State.INLOBBY
