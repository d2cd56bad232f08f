"""`lobbyctl reconcile`: what differs, told to people and programs; what is mended, and what the exit status says."""

from dataclasses import replace

import pytest

from lobby.contracts import Comparison, ReportedDifference
from lobby.errors import Conflict
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import Terminal, error_of

LOST = ReportedDifference(fingerprint(7), "thing-007", "CERTIFICATE_MISSING", "got none, want it", "retry", False)
THEIRS = ReportedDifference(fingerprint(8), None, "CERTIFICATE_REVOKED", "got it REVOKED, want it ACTIVE", None, False)


@pytest.fixture
def differing(lobby: Lobby) -> Lobby:
    """Two pages here, and nothing that differs there."""
    lobby.comparisons[HERE, None] = Comparison(20, (LOST,), "more")
    lobby.comparisons[HERE, "more"] = Comparison(4, (THEIRS,), None)
    return lobby


def test_every_target_is_compared_to_its_end_and_nothing_mended(terminal: Terminal, differing: Lobby) -> None:
    done = terminal.run("reconcile")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert f"{HERE}: 24 looked up, 2 differ" in lines
    assert f"{THERE}: 0 looked up, all is as the ledger says" in lines
    [lost] = [line for line in lines if "CERTIFICATE_MISSING" in line]
    assert ("thing-007" in lost, lost.split()[-1]) == (True, "retry")
    assert differing.compared == [(HERE, None, None), (HERE, "more", None), (THERE, None, None)]


def test_a_target_can_be_named_and_where_nothing_differs_it_is_done(terminal: Terminal, differing: Lobby) -> None:
    assert terminal.run("reconcile", "--target", "There", "-t", str(THERE)).exit_code == 0
    assert differing.compared == [(THERE, None, None)]


def test_programs_get_a_line_for_each_difference_and_each_target(terminal: Terminal, differing: Lobby) -> None:
    found = terminal.records("reconcile", exit_code=1)
    assert [(each["target"], each.get("code"), each.get("looked"), each.get("left")) for each in found] == [
        (str(HERE), "CERTIFICATE_MISSING", None, None),
        (str(HERE), "CERTIFICATE_REVOKED", None, None),
        (str(HERE), None, 24, 2),
        (str(THERE), None, 0, 0),
    ]


def test_mending_is_asked_about(terminal: Terminal, differing: Lobby) -> None:
    assert error_of(terminal.run("--json", "reconcile", "--mend"))["code"] == "CONFIRMATION_NEEDED"
    refused = terminal.run("--json", "reconcile", "--mend", confirm=lambda _question: False)
    assert error_of(refused)["code"] == "NOT_CONFIRMED"
    assert differing.compared == []


def test_what_was_mended_differs_no_more(terminal: Terminal, lobby: Lobby) -> None:
    lobby.comparisons[HERE, None] = Comparison(1, (replace(LOST, repaired=True),), None)
    done = terminal.run("reconcile", "--mend", "--yes")
    assert done.exit_code == 0
    assert f"{HERE}: 1 looked up, 1 differ, 1 being mended" in done.stdout.splitlines()
    assert {mender for _, _, mender in lobby.compared} == {"user:operator"}


def test_a_target_that_cannot_be_looked_at_holds_up_no_other(terminal: Terminal, lobby: Lobby) -> None:
    lobby.comparisons[HERE, None] = Conflict("TARGET_ROLE_DENIED", "no")
    lobby.comparisons[THERE, None] = Comparison(1, (), None)
    done = terminal.run("reconcile")
    assert done.exit_code == 1
    assert f"{HERE}: not compared: TARGET_ROLE_DENIED: no" in done.stdout.splitlines()
    assert f"{THERE}: 1 looked up, all is as the ledger says" in done.stdout.splitlines()
    [told, _] = terminal.records("reconcile", exit_code=1)
    assert told["refused"]["code"] == "TARGET_ROLE_DENIED"


def test_who_may_not_is_told_so_once(terminal: Terminal, lobby: Lobby) -> None:
    refused = terminal.run("--json", "reconcile", "--as", "viewer")
    assert error_of(refused)["code"] == "FORBIDDEN"
    assert lobby.compared == []
