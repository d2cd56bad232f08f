"""`lobbyctl devices`, `history`, `overview`, `targets`, `whoami`: what is shown to people and to programs."""

from datetime import timedelta
from typing import Any

import pytest

from lobby.contracts import Survey, SurveyFinding
from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint
from lobby.wire import encode_label
from tests.functional.admin_api.api_on_moto import EXTERNAL_ID, HERE, THERE, Lobby, fingerprint
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, error_of


def failed(lobby: Lobby, number: int, reason: str = "TARGET_ROLE_DENIED") -> Fingerprint:
    certid = lobby.waiting(number)
    device = lobby.ledger.claim(certid, ClaimRequest(HERE), "user:alice")
    lobby.ledger.fail(device, reason, "Run the setup command.", "service:commissioner")
    return certid


def certids(told: list[dict[str, Any]]) -> set[str]:
    return {each["certid"] for each in told}


def test_devices_are_listed_for_people_in_columns_that_fit(terminal: Terminal, lobby: Lobby) -> None:
    failed(lobby, 0xABCD << 240)
    wide = terminal.run("devices", "list").stdout.splitlines()
    assert wide[0].split() == ["STATE", "NAME", "FINGERPRINT", "TARGET", "SINCE", "REASON", "CLAIMED", "BY", "PROFILE"]
    assert wide[1].split()[0] == "failed"
    assert "abcd00000000" in wide[1]
    assert "TARGET_ROLE_DENIED" in wide[1]
    assert "\x1b" not in wide[1]


@pytest.mark.parametrize(
    ("words", "expected"),
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
def test_devices_are_sifted_by_the_lobby(
    terminal: Terminal, lobby: Lobby, words: list[str], expected: set[int]
) -> None:
    lobby.waiting(1)
    failed(lobby, 2)
    failed(lobby, 3, "TARGET_LIMIT")
    lobby.ledger.claim(fingerprint(4), ClaimRequest(THERE), "user:alice")
    assert certids(terminal.records("devices", "list", *words)) == {fingerprint(number) for number in expected}


def test_those_in_a_state_for_long_are_found(terminal: Terminal, lobby: Lobby) -> None:
    failed(lobby, 1)
    terminal.late = timedelta(hours=2)
    assert certids(terminal.records("devices", "list", "-s", "failed", "--older-than", "90min")) == {fingerprint(1)}
    assert not terminal.records("devices", "list", "-s", "failed", "--older-than", "3h")


def test_a_list_goes_through_its_pages_as_far_as_is_asked(
    terminal: Terminal, lobby: Lobby, server: LobbyServer
) -> None:
    for number in range(1, 106):
        lobby.ledger.claim(fingerprint(number), ClaimRequest(HERE), "user:alice")
    limited = terminal.run("devices", "list", "-s", "expected", "--limit", "7")
    assert len(limited.stdout.splitlines()) == 8
    assert "the first 7" in limited.stderr
    assert len(terminal.records("devices", "list", "-s", "expected")) == 50
    server.asked.clear()
    assert len(terminal.records("devices", "list", "-s", "expected", "--all")) == 105
    assert [asked["variables"]["first"] for asked in server.asked] == [100, 100]
    assert len(terminal.records("devices", "list", "--limit", "103")) == 103


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--state", "lost"], "INVALID_STATE"),
        (["--name", "x"], "INVALID_PREFIX"),
        (["--fingerprint", "xyz"], "INVALID_PREFIX"),
        (["--older-than", "2h"], "WRONG_USE"),
        (["-s", "failed", "--older-than", "soon"], "INVALID_DURATION"),
        (["--target", "Mars"], "UNKNOWN_TARGET"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(terminal: Terminal, words: list[str], code: str) -> None:
    done = terminal.run("--json", "devices", "list", *words)
    assert error_of(done)["code"] == code
    assert done.exit_code == (1 if code == "UNKNOWN_TARGET" else 2)
    assert not done.stdout


def test_a_device_is_shown_whole(terminal: Terminal, lobby: Lobby) -> None:
    certid = failed(lobby, 7)
    shown = terminal.run("devices", "show", "thing-007")
    assert shown.exit_code == 0
    for part in (
        certid,
        encode_label(certid),
        str(HERE),
        "TARGET_ROLE_DENIED",
        "Run the setup command.",
        "you can      move, release, retry, revoke",
        "its chain is whole",
        "inlobby → claimed",
    ):
        assert part in shown.stdout, part
    (told,) = terminal.records("devices", "show", certid[-64:], "--last", "2")
    assert (told["certid"], len(told["history"]), told["historyIntact"]) == (certid, 2, True)
    assert (
        "release"
        not in terminal.run("devices", "show", certid, "--as", "viewer").stdout.split("you can")[1].split("\n")[0]
    )


def test_what_is_not_there_cannot_be_shown(terminal: Terminal) -> None:
    for words in (["devices", "show"], ["history"]):
        done = terminal.run("--json", *words, fingerprint(1))
        assert (done.exit_code, error_of(done)["code"]) == (1, "UNKNOWN_DEVICE")


def test_a_history_is_a_line_an_entry_and_has_room_for_more_commands(terminal: Terminal, lobby: Lobby) -> None:
    certid = failed(lobby, 1)
    told = terminal.records("history", certid)
    assert [each["event"] for each in told] == ["admit", "hello", "claim", "fail"]
    assert told == terminal.records("history", "show", certid)
    assert [each["seq"] for each in terminal.records("history", "--last", "1", certid)] == [4]
    shown = terminal.run("history", "thing-001").stdout
    assert "claimed → failed" in shown
    assert "its chain is whole" in shown
    assert "show" in terminal.run("history", "--help").stdout


def test_the_overview_counts(terminal: Terminal, lobby: Lobby) -> None:
    failed(lobby, 1)
    lobby.waiting(2)
    (told,) = terminal.records("overview")
    assert told["total"] == 2
    assert {each["state"]: each["count"] for each in told["states"] if each["count"]} == {"failed": 1, "inlobby": 1}
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


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (["add", "333333333333/eu-west-1", "--name", "x"], 1, "FORBIDDEN"),
        (["add", "333333333333", "--name", "x", "--as", "admin"], 2, "INVALID_TARGET"),
        (["check"], 2, "TARGET_MISSING"),
        (["check", "Here", "--all"], 2, "WRONG_USE"),
        (["check", "Here", "--as", "viewer"], 1, "FORBIDDEN"),
    ],
)
def test_what_cannot_be_done_to_targets_says_why(terminal: Terminal, words: list[str], status: int, code: str) -> None:
    done = terminal.run("--json", "targets", *words)
    assert (done.exit_code, error_of(done)["code"]) == (status, code)


def test_whoami_says_who_where_and_how(terminal: Terminal) -> None:
    (told,) = terminal.records("whoami", "--as", "technician")
    assert (told["name"], told["role"]) == ("technician", "technician")
    assert "claimDevices" in told["operations"]
    assert str(terminal.lobby_file) in told["signedIn"]


def test_watching_tells_who_comes_changes_and_goes(terminal: Terminal, lobby: Lobby, server: LobbyServer) -> None:
    lobby.waiting(1, "sensor-1")

    def act(number: int) -> None:
        if number == 2:
            lobby.waiting(2, "sensor-2")
        if number == 3:
            lobby.ledger.claim(fingerprint(1), ClaimRequest(HERE), "user:alice")

    server.meanwhile = act
    told = terminal.records("devices", "watch", "--timeout", "6", "--every", "2")
    assert [(each["change"], each["device"]["devicename"]) for each in told] == [
        ("came", "sensor-1"),
        ("came", "sensor-2"),
        ("left", "sensor-1"),
    ]
    assert "came     sensor-2" in terminal.run("devices", "watch", "--timeout", "0").stdout


def test_watching_one_device_ends_with_its_arrival_or_its_time(
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

    before = len(server.asked)
    server.meanwhile = act
    told = terminal.records("devices", "watch", "sensor-1")
    assert [each["devstate"] for each in told] == ["inlobby", "claimed", "commissioned", "arrived"]


def test_ctrl_c_ends_a_watch_with_130(terminal: Terminal, lobby: Lobby) -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    assert terminal.run("devices", "watch", pause=interrupted).exit_code == 130
