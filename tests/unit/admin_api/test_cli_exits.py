"""Exit statuses: the status of every error code, and their documentation."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from admin_api.cli.app import app
from admin_api.cli.commands.confirmation import is_at_work
from admin_api.cli.exits import MEANING, Status, listed, of_several, status_of
from lobby.names import State

CLI = Path(__file__).resolve().parents[3] / "admin_api" / "cli"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("UNAUTHENTICATED", 3),
        ("NOT_SIGNED_IN", 3),
        ("SIGN_IN_DENIED", 3),
        ("TOKENS_EXPOSED", 3),
        ("UNREACHABLE", 4),
        ("TIMED_OUT", 4),
        ("UNAVAILABLE", 4),
        ("NOT_A_LOBBY", 4),
        ("WAIT_EXPIRED", 6),
        ("INTERRUPTED", 130),
        ("INVALID_FINGERPRINT", 2),
        ("INVALID_LABEL", 2),
        ("INVALID_ACCOUNT", 2),
        ("BAD_ROWS", 2),
        ("CONFIRMATION_NEEDED", 2),
        ("AMBIGUOUS_DEVICE", 2),
        ("NO_CODE_FOUND", 2),
        ("FORBIDDEN", 1),
        ("UNKNOWN_DEVICE", 1),
        ("ALREADY_CLAIMED", 1),
        ("NOT_ALLOWED", 1),
        ("REVOKED", 1),
        ("INTERNAL", 1),
        ("DEVICE_FAILED", 1),
        ("NOT_CONFIRMED", 1),
        ("INVALID_QUERY", 1),
        ("INVALID_REQUEST", 1),
        ("UNLISTED_CODE", 1),
    ],
)
def test_a_code_has_its_status(code: str, status: int) -> None:
    assert status_of(code) == status


@pytest.mark.parametrize(
    ("done", "failed", "status"),
    [(1, 0, Status.DONE), (0, 0, Status.DONE), (9, 1, Status.PARTIAL), (0, 3, Status.REFUSED)],
)
def test_several_items_have_one_status(done: int, failed: int, status: Status) -> None:
    assert of_several(done, failed) is status


def test_every_status_has_a_meaning_and_is_in_the_help() -> None:
    assert set(MEANING) == set(Status)
    text = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["--help"]).stdout
    for line in listed():
        assert line in text


def test_the_help_of_retry_names_the_states_in_which_it_asks() -> None:
    text = CliRunner(env={"COLUMNS": "400"}).invoke(app, ["retry", "--help"]).stdout
    asked = [state for state in State if is_at_work({"devstate": state})]
    assert f"or if a device is {' or '.join(asked)}." in text


def test_every_error_code_in_the_sources_has_its_intended_status() -> None:
    """The codes of the command line that mean status 1. A new code must be added to the table or here."""
    raised = {
        code
        for path in CLI.rglob("*.py")
        for code in re.findall(
            r'(?:Unfinished|NotSignedIn|Unreachable|LobbyError|usage_error)\(\s*"([A-Z_]{4,})"', path.read_text()
        )
    }
    assert {code for code in raised if status_of(code) is Status.REFUSED} == {
        "CAMPAIGN_STOPPED",
        "DEVICE_FAILED",
        "FILE_SYSTEM",
        "NOT_CONFIRMED",
        "NOT_INSTALLED",
    }


def test_the_manual_has_the_same_table() -> None:
    manual = (CLI.parents[1] / "docs" / "lobbyctl.md").read_text()
    assert all(f"| {status.value} | {meaning} |" in manual for status, meaning in MEANING.items())
