"""`lobbyctl reconcile`: how differences are printed, what is repaired, and the exit status."""

from dataclasses import replace

import pytest

from lobby.contracts.targets import Comparison, ReportedDifference
from lobby.errors import Conflict
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import Terminal, error_of

MISSING = ReportedDifference(fingerprint(7), "thing-007", "CERTIFICATE_MISSING", "got none, want it", "retry", False)
REVOKED = ReportedDifference(fingerprint(8), None, "CERTIFICATE_REVOKED", "got it REVOKED, want it ACTIVE", None, False)


@pytest.fixture
def differing(lobby: Lobby) -> Lobby:
    """Two pages of differences in HERE, none in THERE."""
    lobby.comparisons[HERE, None] = Comparison(20, (MISSING,), "more")
    lobby.comparisons[HERE, "more"] = Comparison(4, (REVOKED,), None)
    return lobby


def test_every_target_is_compared_completely_and_nothing_repaired(terminal: Terminal, differing: Lobby) -> None:
    result = terminal.run("reconcile")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert f"{HERE}: 24 devices compared, 2 differences" in lines
    assert f"{THERE}: 0 devices compared, no differences" in lines
    [row] = [line for line in lines if "CERTIFICATE_MISSING" in line]
    assert ("thing-007" in row, row.split()[-1]) == (True, "retry")
    assert differing.compared == [(HERE, None, None), (HERE, "more", None), (THERE, None, None)]


def test_a_target_without_differences_is_a_success(terminal: Terminal, differing: Lobby) -> None:
    assert terminal.run("reconcile", "--target", "There", "-t", str(THERE)).exit_code == 0
    assert differing.compared == [(THERE, None, None)]


def test_json_has_a_record_per_difference_and_per_target(terminal: Terminal, differing: Lobby) -> None:
    records = terminal.records("reconcile", exit_code=1)
    assert [(each["target"], each.get("code"), each.get("compared"), each.get("unrepaired")) for each in records] == [
        (str(HERE), "CERTIFICATE_MISSING", None, None),
        (str(HERE), "CERTIFICATE_REVOKED", None, None),
        (str(HERE), None, 24, 2),
        (str(THERE), None, 0, 0),
    ]


def test_a_repair_needs_confirmation(terminal: Terminal, differing: Lobby) -> None:
    assert error_of(terminal.run("--json", "reconcile", "--repair"))["code"] == "CONFIRMATION_NEEDED"
    refused = terminal.run("--json", "reconcile", "--repair", confirm=lambda _question: False)
    assert error_of(refused)["code"] == "NOT_CONFIRMED"
    assert differing.compared == []


def test_a_repaired_difference_is_a_success(terminal: Terminal, lobby: Lobby) -> None:
    lobby.comparisons[HERE, None] = Comparison(1, (replace(MISSING, repaired=True),), None)
    result = terminal.run("reconcile", "--repair", "--yes")
    assert result.exit_code == 0
    assert f"{HERE}: 1 device compared, 1 difference, 1 being repaired" in result.stdout.splitlines()
    assert {repair_as for _, _, repair_as in lobby.compared} == {"user:operator"}


def test_a_target_that_cannot_be_read_does_not_stop_the_others(terminal: Terminal, lobby: Lobby) -> None:
    lobby.comparisons[HERE, None] = Conflict("TARGET_ROLE_DENIED", "no")
    lobby.comparisons[THERE, None] = Comparison(1, (), None)
    result = terminal.run("reconcile")
    assert result.exit_code == 1
    assert f"{HERE}: not compared: TARGET_ROLE_DENIED: no" in result.stdout.splitlines()
    assert f"{THERE}: 1 device compared, no differences" in result.stdout.splitlines()
    [record, _] = terminal.records("reconcile", exit_code=1)
    assert record["refused"]["code"] == "TARGET_ROLE_DENIED"


def test_a_viewer_is_refused_once(terminal: Terminal, lobby: Lobby) -> None:
    refused = terminal.run("--json", "reconcile", "--as", "viewer")
    assert error_of(refused)["code"] == "FORBIDDEN"
    assert lobby.compared == []


def test_a_target_that_has_no_device_at_all_is_named_empty(terminal: Terminal, lobby: Lobby) -> None:
    others = tuple(replace(MISSING, certid=fingerprint(number)) for number in (8, 9))
    lobby.comparisons[HERE, None] = Comparison(3, (MISSING, *others), None)
    lobby.comparisons[THERE, None] = Comparison(3, (MISSING,), None)
    lines = terminal.run("reconcile").stdout.splitlines()
    assert [line.partition(" the ")[0] for line in lines if "EMPTY" in line] == [f"{HERE}: EMPTY:"]
    assert any(line.endswith(f"`lobbyctl retry --from {HERE}`") for line in lines)
