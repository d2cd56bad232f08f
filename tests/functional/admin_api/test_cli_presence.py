"""`lobbyctl` where a target asks for proof: setting that up, what a claim says comes next, and `lobbyctl confirm`."""

import pytest

from lobby.domain.states import State
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import Terminal, error_of
from tests.functional.admin_api.test_cli_changing import arrive, commission, in_turn
from tests.operations import CODE

WRONG = "99999999"


def state(lobby: Lobby, certid: Fingerprint) -> State | None:
    device = lobby.ledger.get(certid)
    return device.devstate if device else None


def test_a_target_is_told_to_ask_for_proof_keeps_it_and_is_told_not_to(terminal: Terminal) -> None:
    said = [
        terminal.records("targets", "add", str(HERE), "--name", "Here", "--as", "admin", *words)[0]["presence"]
        for words in ([], ["--presence"], [], ["--no-presence"])
    ]
    assert said == [False, True, True, False]


def test_a_claim_says_what_comes_next_and_the_code_goes_through(terminal: Terminal, lobby: Lobby) -> None:
    lobby.ask_for_proof(HERE)
    certid = lobby.waiting(1, "sensor-1")
    claimed = terminal.run("claim", "sensor-1", "-t", str(HERE))
    assert claimed.exit_code == 0, claimed.output
    assert "proving" in claimed.stdout
    assert f"lobbyctl confirm {certid[:12]} CODE" in claimed.stderr
    done = terminal.run("confirm", "sensor-1", f"{CODE[:4]} {CODE[4:]}")
    assert (done.exit_code, "claimed" in done.stdout) == (0, True)
    assert state(lobby, certid) is State.CLAIMED


def test_of_many_it_says_how_many_wait_for_a_code(terminal: Terminal, lobby: Lobby) -> None:
    lobby.ask_for_proof(HERE)
    for number in (1, 2):
        lobby.waiting(number, f"sensor-{number}")
    claimed = terminal.run("claim", "sensor-1", "sensor-2", fingerprint(3), "-t", str(HERE))
    assert "2 wait for the code that shows on the device: lobbyctl confirm DEVICE CODE" in claimed.stderr


def test_a_claim_without_proof_says_nothing_of_a_code(terminal: Terminal, lobby: Lobby) -> None:
    lobby.waiting(1, "sensor-1")
    assert "code" not in terminal.run("claim", "sensor-1", "-t", str(HERE)).stderr


def test_wrong_codes_are_refused_with_what_is_left_until_the_claim_is_gone(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.proving(1)
    told = [error_of(terminal.run("confirm", certid, WRONG, "--json")) for _ in range(5)]
    assert [each["code"] for each in told] == ["WRONG_CODE"] * 4 + ["PRESENCE_FAILED"]
    assert "4 left" in told[0]["message"]
    assert state(lobby, certid) is State.INLOBBY


@pytest.mark.parametrize("code", ["", "4829", "４８２９１３７５", "4829137a", "x" * 5000])
def test_what_is_no_code_is_not_sent(terminal: Terminal, lobby: Lobby, code: str) -> None:
    certid = lobby.proving(1)
    done = terminal.run("confirm", certid, code, "--json")
    assert (done.exit_code, error_of(done)["code"]) == (2, "INVALID_CODE")
    assert len(lobby.ledger.history(certid)) == 3


def test_confirming_waits_until_it_has_arrived_where_that_is_asked(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.proving(1)
    terminal.served.meanwhile = in_turn(lobby, commission, arrive)(certid)
    *_, last = terminal.records("confirm", certid, CODE, "--wait")
    assert (last["devstate"], last["reached"]) == ("arrived", True)


def test_a_device_that_proves_itself_is_shown_with_what_to_do(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.proving(1)
    shown = terminal.run("devices", "show", certid).stdout
    assert f"it shows one; lobbyctl confirm {certid[:12]} CODE (5 left to try)" in shown.replace("\n", " ")
    assert "confirm" in shown
    assert CODE not in shown


def test_the_list_of_targets_says_which_of_them_ask(terminal: Terminal, lobby: Lobby) -> None:
    lobby.ask_for_proof(HERE)
    listed = terminal.run("targets", "list").stdout.splitlines()
    assert [("the device's code" in line) for line in listed if "/" in line] == [True, False]


def test_releasing_one_that_proves_itself_says_that_nothing_is_there_yet(terminal: Terminal, lobby: Lobby) -> None:
    certid = lobby.proving(1)
    done = terminal.run("release", certid, "--yes")
    assert "nothing of it is in" in done.stderr
    assert state(lobby, certid) is State.INLOBBY
