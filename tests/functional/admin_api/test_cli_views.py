"""`lobbyctl devices`, `history`, `overview`, `targets`, `whoami`: tables and JSON records."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lobby.contracts.targets import Survey, SurveyFinding
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint
from lobby.text.label import encode_label
from tests.functional.admin_api.api_on_moto import EXTERNAL_ID, HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, error_of


def failed(lobby: Lobby, number: int, reason: str = "TARGET_ROLE_DENIED") -> Fingerprint:
    certid = lobby.waiting(number)
    device = lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    lobby.ledger.fail(device, reason, "Run the setup command.", "service:commissioner")
    return certid


def certids(records: list[dict[str, Any]]) -> set[str]:
    return {each["certid"] for each in records}


def test_devices_are_listed_in_a_table(terminal: Terminal, lobby: Lobby) -> None:
    failed(lobby, 0xABCD << 240)
    wide = terminal.run("devices", "list").stdout.splitlines()
    titles = [
        "STATE",
        "NAME",
        "FINGERPRINT",
        "TARGET",
        "SINCE",
        "ONLINE",
        "REASON",
        "RENEWAL",
        "CLAIMED",
        "BY",
        "PROFILE",
    ]
    assert wide[0].split() == titles
    assert wide[1].split()[0] == "failed"
    assert "abcd00000000" in wide[1]
    assert "TARGET_ROLE_DENIED" in wide[1]
    assert "\x1b" not in wide[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {1, 2, 3, 4}),
        (["--state", "inlobby"], {1}),
        (["--state", "failed"], {2, 3}),
        (["--state", "failed", "--reason", "TARGET_LIMIT"], {3}),
        (["--target", "There"], {4}),
        (["--target", str(HERE), "--state", "failed"], {2, 3}),
        (["--name", "thing-00"], {1, 2, 3}),
        (["--fingerprint", "0000"], {1, 2, 3, 4}),
        (["--fingerprint", "FFFF"], set()),
        (["--state", "failed", "--older-than", "1h"], set()),
    ],
)
def test_filters_select_devices(terminal: Terminal, lobby: Lobby, arguments: list[str], expected: set[int]) -> None:
    lobby.waiting(1)
    failed(lobby, 2)
    failed(lobby, 3, "TARGET_LIMIT")
    lobby.ledger.claim(fingerprint(4), ClaimRequest(THERE), "user:alice")
    assert certids(terminal.records("devices", "list", *arguments)) == {fingerprint(number) for number in expected}


def test_older_than_selects_devices_by_time_in_their_state(terminal: Terminal, lobby: Lobby) -> None:
    failed(lobby, 1)
    terminal.clock_offset = timedelta(hours=2)
    assert certids(terminal.records("devices", "list", "-s", "failed", "--older-than", "90min")) == {fingerprint(1)}
    assert not terminal.records("devices", "list", "-s", "failed", "--older-than", "3h")


@pytest.mark.slow
def test_a_list_reads_pages_up_to_the_limit(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    for number in range(1, 106):
        lobby.ledger.claim(fingerprint(number), ClaimRequest(HERE), "user:alice")
    limited = terminal.run("devices", "list", "-s", "expected", "--limit", "7")
    assert len(limited.stdout.splitlines()) == 8
    assert "the first 7" in limited.stderr
    assert len(terminal.records("devices", "list", "-s", "expected")) == 50
    server.requests.clear()
    assert len(terminal.records("devices", "list", "-s", "expected", "--all")) == 105
    assert [request["variables"]["first"] for request in server.requests] == [100, 100]
    assert len(terminal.records("devices", "list", "--limit", "103")) == 103


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--state", "lost"], "INVALID_STATE"),
        (["--name", "x"], "INVALID_PREFIX"),
        (["--fingerprint", "xyz"], "INVALID_PREFIX"),
        (["--older-than", "2h"], "WRONG_USE"),
        (["-s", "failed", "--older-than", "soon"], "INVALID_DURATION"),
        (["--target", "Mars"], "UNKNOWN_TARGET"),
    ],
)
def test_an_invalid_filter_is_refused(terminal: Terminal, arguments: list[str], code: str) -> None:
    result = terminal.run("--json", "devices", "list", *arguments)
    assert error_of(result)["code"] == code
    assert result.exit_code == (1 if code == "UNKNOWN_TARGET" else 2)
    assert not result.stdout


def test_a_device_is_shown_with_all_its_details(terminal: Terminal, lobby: Lobby) -> None:
    certid = failed(lobby, 7)
    shown = terminal.run("devices", "show", "thing-007")
    assert shown.exit_code == 0
    for part in (
        certid,
        encode_label(certid),
        str(HERE),
        "TARGET_ROLE_DENIED",
        "Run the setup command.",
        "actions      move, configure, release, retry, quarantine, revoke",
        "hash chain valid",
        "inlobby → claimed",
    ):
        assert part in shown.stdout, part
    (record,) = terminal.records("devices", "show", certid[-64:], "--last", "2")
    assert (record["certid"], len(record["history"]), record["historyIntact"]) == (certid, 2, True)
    assert (
        "release"
        not in terminal.run("devices", "show", certid, "--as", "viewer").stdout.split("actions")[1].split("\n")[0]
    )


def test_an_unknown_device_cannot_be_shown(terminal: Terminal) -> None:
    for arguments in (["devices", "show"], ["history"]):
        result = terminal.run("--json", *arguments, fingerprint(1))
        assert (result.exit_code, error_of(result)["code"]) == (1, "UNKNOWN_DEVICE")


def test_a_history_has_one_record_per_entry(terminal: Terminal, lobby: Lobby) -> None:
    certid = failed(lobby, 1)
    records = terminal.records("history", certid)
    assert [each["event"] for each in records] == ["admit", "hello", "claim", "fail"]
    assert records == terminal.records("history", "show", certid)
    assert [each["seq"] for each in terminal.records("history", "--last", "1", certid)] == [4]
    shown = terminal.run("history", "thing-001").stdout
    assert "claimed → failed" in shown
    assert "hash chain valid" in shown
    assert "show" in terminal.run("history", "--help").stdout


def test_the_overview_counts_devices(terminal: Terminal, lobby: Lobby) -> None:
    failed(lobby, 1)
    lobby.waiting(2)
    (record,) = terminal.records("overview")
    assert record["total"] == 2
    assert {each["state"]: each["count"] for each in record["states"] if each["count"]} == {"failed": 1, "inlobby": 1}
    shown = terminal.run("overview").stdout
    assert "2 devices" in shown
    assert "TARGET_ROLE_DENIED" in shown
    assert str(HERE) in shown


def test_targets_are_listed_added_and_checked(terminal: Terminal, lobby: Lobby) -> None:
    assert [each["name"] for each in terminal.records("targets", "list")] == ["Here", "There"]
    added = terminal.run(
        "targets", "add", "333333333333/eu-west-1", "--name", "Third", "--profile", "camera", "--as", "admin"
    )
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("./deploy.sh target --account 333333333333 --region eu-west-1 --external-id")
    assert EXTERNAL_ID in added.stdout
    assert "camera" in added.stdout
    lobby.surveys[THERE] = Survey(
        (SurveyFinding("sts:AssumeRole", True, "assumed"), SurveyFinding("iot:AttachPolicy", False, "denied")), None
    )
    missing = terminal.run("targets", "check", "there", "--as", "admin")
    assert missing.exit_code == 1
    assert "✗  iot:AttachPolicy" in missing.stdout
    assert "./deploy.sh target --account 222222222222" in missing.stdout
    assert terminal.run("targets", "check", str(HERE)).exit_code == 0
    assert [each["ok"] for each in terminal.records("targets", "check", "--all", exit_code=1)] == [True, False, True]


def test_a_target_is_renamed_archived_and_restored(terminal: Terminal, lobby: Lobby) -> None:
    renamed = terminal.run("targets", "rename", "Here", "North", "--as", "admin")
    assert renamed.stdout == f"{HERE} is now North\n"
    archived = terminal.run("targets", "archive", "North", "--yes", "--as", "admin")
    assert archived.exit_code == 0, archived.output
    assert [each["name"] for each in terminal.records("targets", "list")] == ["There"]
    assert "North (archived)" in terminal.run("targets", "list", "--archived").stdout
    refused = terminal.run("--json", "targets", "remove", "North", "--yes", "--as", "admin")
    assert (refused.exit_code, error_of(refused)["code"]) == (1, "TARGET_ARCHIVED_JUST_NOW")
    claim = terminal.run("--json", "claim", lobby.waiting(1), "--target", "North")
    assert (claim.exit_code, error_of(claim)["code"]) == (1, "TARGET_ARCHIVED")
    assert terminal.run("targets", "restore", "North", "--as", "admin").stdout == f"{HERE} accepts claims again\n"
    events = [each["event"] for each in terminal.records("targets", "history", "North")]
    assert events == ["registered", "changed", "archived", "restored"]
    assert "Here → North" in terminal.run("targets", "history", str(HERE)).stdout


def test_a_template_of_a_target_is_printed_or_written(terminal: Terminal, tmp_path: Path) -> None:
    printed = terminal.run("targets", "template", "Here", "--as", "admin")
    assert printed.exit_code == 0, printed.output
    assert printed.stdout.startswith("# Sets this account up as a target")
    path = tmp_path / "target.tf"
    before = os.umask(0)
    written = terminal.run("targets", "template", str(HERE), "--format", "terraform", "-o", str(path), "--as", "admin")
    assert written.exit_code == 0, written.output
    os.umask(before)
    assert 'provider "aws"' in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600  # it contains the ExternalId
    (record,) = terminal.records("targets", "template", "Here", "--as", "admin")
    assert record["fileName"].endswith(".yaml")


def test_a_target_is_not_archived_without_a_confirmation(terminal: Terminal, lobby: Lobby) -> None:
    result = terminal.run("--json", "targets", "archive", "Here", "--as", "admin")
    assert error_of(result)["code"] in ("CONFIRMATION_NEEDED", "NOT_CONFIRMED")
    assert lobby.targets.get(HERE).archivedat is None


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["rename", "Here", "There", "--as", "admin"], 1, "NAME_IMITATES"),
        (["rename", "Here", " x", "--as", "admin"], 2, "INVALID_NAME"),
        (["remove", "Here", "--yes", "--as", "admin"], 1, "TARGET_NOT_ARCHIVED"),
        (["history", "333333333333/eu-west-1"], 1, "UNKNOWN_TARGET"),
        (["add", "333333333333/eu-west-1", "--name", "x"], 1, "FORBIDDEN"),
        (["add", "333333333333", "--name", "x", "--as", "admin"], 2, "INVALID_TARGET"),
        (["check"], 2, "TARGET_MISSING"),
        (["check", "Here", "--all"], 2, "WRONG_USE"),
        (["check", "Here", "--as", "viewer"], 1, "FORBIDDEN"),
    ],
)
def test_a_refused_change_of_targets_has_a_reason(
    terminal: Terminal, arguments: list[str], status: int, code: str
) -> None:
    result = terminal.run("--json", "targets", *arguments)
    assert (result.exit_code, error_of(result)["code"]) == (status, code)


def test_whoami_shows_user_role_and_source(terminal: Terminal) -> None:
    (record,) = terminal.records("whoami", "--as", "technician")
    assert (record["name"], record["role"]) == ("technician", "technician")
    assert "claimDevices" in record["operations"]
    assert str(terminal.lobby_file) in record["signedIn"]


def test_watch_reports_devices_that_come_and_leave(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    lobby.waiting(1, "sensor-1")

    def act(number: int) -> None:
        if number == 2:
            lobby.waiting(2, "sensor-2")
        if number == 3:
            lobby.ledger.claim(fingerprint(1), ClaimRequest(HERE), "user:alice")

    server.before_request = act
    records = terminal.records("devices", "watch", "--timeout", "6", "--every", "2")
    assert [(each["change"], each["device"]["devicename"]) for each in records] == [
        ("came", "sensor-1"),
        ("came", "sensor-2"),
        ("left", "sensor-1"),
    ]
    assert "came     sensor-2" in terminal.run("devices", "watch", "--timeout", "0").stdout


def test_watching_one_device_ends_with_its_arrival_or_the_timeout(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    certid = lobby.waiting(1, "sensor-1")
    assert terminal.run("devices", "watch", "sensor-1", "--timeout", "5").exit_code == 6

    def act(number: int) -> None:
        device = lobby.ledger.get(certid)
        assert device
        steps = {
            "inlobby": lambda: lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice"),
            "claimed": lambda: lobby.ledger.commission(device, "a-ats.iot.example", "service:commissioner"),
            "commissioned": lambda: lobby.ledger.arrive(device, "service:arrivals"),
        }
        if number > before + 2:
            steps[device.devstate]()

    before = len(server.requests)
    server.before_request = act
    records = terminal.records("devices", "watch", "sensor-1")
    assert [each["devstate"] for each in records] == ["inlobby", "claimed", "commissioned", "arrived"]


def test_ctrl_c_ends_a_watch_with_status_130(terminal: Terminal, lobby: Lobby) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    assert terminal.run("devices", "watch", sleep=interrupted).exit_code == 130
