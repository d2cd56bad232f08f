"""`lobbyctl enrolments`."""

from pathlib import Path

import pytest

from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby
from tests.functional.admin_api.lobby_over_http import Terminal, error_of


@pytest.fixture
def admin(terminal: Terminal) -> Terminal:
    terminal.run("--as", "admin", "enrolments", "create", "pumps", "--names", "pump-*", "--limit", "5")
    return terminal


def run(terminal: Terminal, *arguments: str) -> str:
    result = terminal.run("--as", "admin", "enrolments", *arguments)
    assert result.exit_code == 0, result.stderr
    return " ".join(result.stdout.split())


def test_an_enrolment_with_weights_is_created_and_shown(terminal: Terminal, lobby: Lobby) -> None:
    shares = ("--target", "Here=3", "--target", str(THERE))
    run(terminal, "create", "pumps", "--subject", "O=Acme, Inc.", "--names", "pump-*", *shares, "--model", "P-100")
    line = run(terminal, "list")
    assert f"pumps active 0 – O=Acme, Inc., pump-* {HERE} 75 %, {THERE} 25 %" in line.replace("-  ", "– ")
    details = run(terminal, "show", "pumps")
    assert "model P-100" in details
    assert "created user:" in details
    assert [each.model for each in lobby.enrolments.all()] == ["P-100"]


def test_an_enrolment_with_defaults_of_claims_is_created_and_shown(terminal: Terminal) -> None:
    run(terminal, "create", "pumps", "--names", "pump-*", "--profile", "camera", "--config", "mine", "--presence")
    assert "pump-* waits for a claim" in run(terminal, "list")
    details = run(terminal, "show", "pumps")
    for line in ("target waits for a claim", "profile camera", "config mine", "presence required"):
        assert line in details


def test_an_enrolment_with_a_list_is_active_when_the_list_is_complete(
    terminal: Terminal, lobby: Lobby, tmp_path: Path
) -> None:
    file = tmp_path / "serials.csv"
    file.write_text("serial\n" + "".join(f"pump-{number}\n" for number in range(1500)) + "pump-1\n")
    run(terminal, "create", "pumps", "--serials", str(file))
    [created] = lobby.enrolments.all()
    assert (created.state, lobby.serial_lists.lengths()) == ("active", {"pumps": 1500})
    run(terminal, "create", "pumps", "--serials", str(file))
    assert lobby.serial_lists.lengths() == {"pumps": 1500}


def test_a_wrong_line_is_named_and_nothing_is_created(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    file = tmp_path / "serials.csv"
    file.write_text("pump-1\npump 2\n")
    error = error_of(terminal.run("--as", "admin", "--json", "enrolments", "create", "x", "--serials", str(file)))
    assert error["code"] == "BAD_ROWS"
    assert "line 2: got 'pump 2'" in error["message"]
    assert lobby.enrolments.all() == []


def test_serial_numbers_are_added_from_standard_input(terminal: Terminal, lobby: Lobby, tmp_path: Path) -> None:
    file = tmp_path / "one"
    file.write_text("pump-1\n")
    run(terminal, "create", "pumps", "--serials", str(file))
    result = terminal.run("--as", "admin", "enrolments", "add", "pumps", "--serials", "-", stdin=b"pump-1\npump-2\n")
    assert "Added 1 serial numbers to pumps" in result.stderr
    assert lobby.serial_lists.lengths() == {"pumps": 2}


def test_limits_are_changed_and_removed(admin: Terminal, lobby: Lobby) -> None:
    run(admin, "change", "pumps", "--limit", "9", "--ends", "2126-12-31")
    [changed] = lobby.enrolments.all()
    assert (changed.limit, changed.ends) == (9, "2126-12-31T00:00:00.000Z")
    run(admin, "change", "pumps", "--limit", "none")
    assert lobby.enrolments.all()[0].limit is None
    assert admin.run("--as", "admin", "enrolments", "change", "pumps").exit_code == 2


def test_an_enrolment_is_paused_resumed_and_revoked(admin: Terminal, lobby: Lobby) -> None:
    states = []
    for command in (["pause"], ["resume"], ["revoke", "--yes"]):
        run(admin, command[0], "pumps", *command[1:])
        states.append(lobby.enrolments.all()[0].state.value)
    assert states == ["paused", "active", "revoked"]


def test_a_revocation_needs_confirmation(admin: Terminal, lobby: Lobby) -> None:
    refused = admin.run("--as", "admin", "--json", "enrolments", "revoke", "pumps")
    assert error_of(refused)["code"] == "CONFIRMATION_NEEDED"
    assert lobby.enrolments.all()[0].state == "active"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "x", "--profile", "none", "--names", "a"), "UNKNOWN_PROFILE"),
        (("create", "x", "--config", "factory reset", "--names", "a"), "INVALID_CONFIG"),
        (("create", "x", "--subject", "Acme"), "WRONG_USE"),
        (("create", "x", "--names", "a", "--target", "Here=many"), "WRONG_USE"),
        (("create", "x", "--names", "a", "--target", "Nowhere"), "UNKNOWN_TARGET"),
        (("create", "x", "--ca", "12"), "INVALID_FINGERPRINT"),
        (("show", "none"), "UNKNOWN_ENROLMENT"),
        (("change", "pumps", "--limit", "-1"), "WRONG_USE"),
    ],
)
def test_wrong_use_is_rejected(terminal: Terminal, arguments: tuple[str, ...], code: str) -> None:
    assert error_of(terminal.run("--as", "admin", "--json", "enrolments", *arguments))["code"] == code


def test_without_enrolments_the_list_states_what_happens(terminal: Terminal) -> None:
    result = terminal.run("--as", "admin", "enrolments", "list")
    assert "no enrolment: every device" in result.stderr
