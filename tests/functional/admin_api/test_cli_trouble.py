"""What `lobbyctl` says and does where the lobby is away, busy, or something else; and which lobby it finds."""

import json
import socket
from pathlib import Path

import pytest

from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby
from tests.functional.admin_api.lobby_over_http import JSON, LobbyServer, Terminal, error_of

HTML = (200, {"content-type": "text/html"}, "<!doctype html><title>Sign in</title>")
BUSY = (503, JSON, json.dumps({"message": "Service Unavailable"}))
MANY = (429, JSON | {"retry-after": "7"}, json.dumps({"message": "Too Many Requests"}))
UNAUTHORIZED = (401, JSON, json.dumps({"message": "Unauthorized"}))


def test_a_deployment_that_is_not_up_is_told_with_what_to_do(terminal: Terminal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    body = json.loads(terminal.lobby_file.read_text())
    terminal.lobby_file.write_text(json.dumps(body | {"aws_endpoint_url": f"http://127.0.0.1:{port}"}))
    done = terminal.run("--json", "overview")
    assert (done.exit_code, error_of(done)["code"]) == (4, "UNREACHABLE")
    assert "./deploy.sh local" in error_of(done)["message"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (HTML, "NOT_A_LOBBY"),
        ((200, JSON, "{"), "NOT_A_LOBBY"),
        ((200, JSON, "[]"), "NOT_A_LOBBY"),
        ((200, JSON, '{"data": null}'), "NOT_A_LOBBY"),
        ((302, {"location": "https://elsewhere.example/"}, ""), "NOT_A_LOBBY"),
        ((500, JSON, '{"message": "Internal Server Error"}'), "NOT_A_LOBBY"),
    ],
    ids=["html", "broken", "list", "no data", "redirect", "500"],
)
def test_an_answer_that_is_none_of_a_lobbys_is_never_taken_for_one(
    terminal: Terminal, server: LobbyServer, answer: tuple[int, dict[str, str], str], code: str
) -> None:
    server.canned = [answer]
    done = terminal.run("--json", "overview")
    assert (done.exit_code, error_of(done)["code"]) == (4, code)
    assert len(server.asked) == 1


def test_a_busy_lobby_is_asked_again_with_growing_pauses(terminal: Terminal, server: LobbyServer) -> None:
    server.canned = [BUSY, MANY, BUSY]
    done = terminal.run("overview")
    assert done.exit_code == 0
    assert len(server.asked) == 4
    assert 0.2 < terminal.paused[0] <= 0.5
    assert terminal.paused[1] == 7
    assert 1 <= terminal.paused[2] <= 2
    assert "busy (HTTP 429); trying again in 7.0 s" in done.stderr


def test_a_lobby_that_stays_busy_is_given_up(terminal: Terminal, server: LobbyServer) -> None:
    server.canned = [BUSY] * 20
    done = terminal.run("--json", "overview")
    assert (done.exit_code, error_of(done)["code"]) == (4, "UNAVAILABLE")
    assert len(server.asked) == 5


def test_what_must_not_be_done_twice_is_not_sent_again_where_it_may_have_been_done(
    terminal: Terminal, server: LobbyServer, lobby: Lobby
) -> None:
    certid = lobby.waiting(1)

    def busy(_number: int) -> None:
        server.canned = [BUSY] if "releaseDevice" in server.asked[-1]["query"] else []

    server.meanwhile = busy
    assert terminal.run("release", certid, "--yes").exit_code == 4
    assert sum("releaseDevice" in asked["query"] for asked in server.asked) == 1


def test_a_connection_that_breaks_is_tried_once_more(terminal: Terminal, server: LobbyServer) -> None:
    server.canned = [(0, {}, "")]
    assert terminal.run("overview").exit_code == 0
    server.canned = [(0, {}, "")] * 9
    done = terminal.run("--json", "overview")
    assert (done.exit_code, error_of(done)["code"]) == (4, "UNREACHABLE")


def test_a_token_that_is_refused_is_renewed_once(terminal: Terminal, server: LobbyServer) -> None:
    server.canned = [UNAUTHORIZED]
    assert terminal.run("overview").exit_code == 0
    server.canned = [UNAUTHORIZED] * 9
    done = terminal.run("--json", "overview")
    assert (done.exit_code, error_of(done)["code"]) == (3, "NOT_SIGNED_IN")
    assert len(server.canned) == 7


def test_what_went_wrong_on_the_lobbys_side_has_its_correlation_id(
    terminal: Terminal, lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(lobby.targets), "all", lambda _self: 1 / 0)
    done = terminal.run("targets", "list")
    assert done.exit_code == 1
    assert "INTERNAL" in done.stderr
    assert "correlation id request-1" in done.stderr


def test_a_wrong_password_or_role_is_not_signed_in(terminal: Terminal) -> None:
    text = terminal.lobby_file.read_text()
    terminal.lobby_file.write_text(text.replace("battery", "cattery"))
    done = terminal.run("--json", "overview")
    assert (done.exit_code, error_of(done)["code"]) == (3, "SIGN_IN_FAILED")
    assert "cattery" not in done.output
    assert terminal.run("overview", "--as", "king").exit_code == 3


def test_a_user_without_a_role_is_refused(terminal: Terminal, server: LobbyServer) -> None:
    server.groups["nobody"] = ()
    terminal.local()
    done = terminal.run("--json", "overview", "--as", "nobody")
    assert (done.exit_code, error_of(done)["code"]) == (1, "FORBIDDEN")


def test_the_lobby_is_found_in_a_directory_above_in_the_project_or_where_it_is_named(
    terminal: Terminal, tmp_path: Path
) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert terminal.run("whoami", directory=deep).exit_code == 0
    moved = tmp_path / "project" / ".local" / "lobby.json"
    moved.parent.mkdir(parents=True)
    terminal.lobby_file.rename(moved)
    assert terminal.run("whoami", directory=deep).exit_code == 0
    assert terminal.run("whoami", directory=deep, project=deep).exit_code == 3
    for place in (moved, moved.parent):
        assert terminal.run("--lobby", str(place), "whoami", project=deep).exit_code == 0
        assert terminal.run("whoami", project=deep, environment={"LOBBYCTL_LOBBY": str(place)}).exit_code == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", []),
        ("[]", []),
        ("{}", []),
        (None, ["--url", "https://lobby.example", "--lobby", ".local"]),
        (None, ["--lobby", "absent.json"]),
        (None, ["--url", "http://lobby.example"]),
        (None, ["--url", "lobby.example"]),
    ],
)
def test_a_place_that_is_none_is_refused(terminal: Terminal, text: str | None, words: list[str]) -> None:
    if text is not None:
        terminal.lobby_file.write_text(text)
    done = terminal.run("--json", "whoami", *words)
    assert done.exit_code == 2, done.output


def test_a_file_that_would_send_passwords_in_the_clear_is_refused(terminal: Terminal) -> None:
    body = json.loads(terminal.lobby_file.read_text())
    terminal.lobby_file.write_text(json.dumps(body | {"aws_endpoint_url": "http://192.0.2.1"}))
    done = terminal.run("--json", "whoami")
    assert (done.exit_code, error_of(done)["code"]) == (2, "INVALID_URL")


def test_json_can_be_asked_for_before_or_after_the_command(terminal: Terminal) -> None:
    before, after = terminal.run("--json", "whoami"), terminal.run("whoami", "--json")
    assert json.loads(before.stdout) == json.loads(after.stdout)


def test_words_for_the_shell_are_states_roles_and_targets(terminal: Terminal, server: LobbyServer) -> None:
    assert terminal.offered("lobbyctl", "devices", "list", "--state", "in") == ["inlobby"]
    assert terminal.offered("lobbyctl", "--as", "te") == ["technician"]
    assert terminal.offered("lobbyctl", "claim", "--target", "H") == ["Here"]
    assert terminal.offered("lobbyctl", "claim", "--target", "2222") == ["222222222222/us-east-1"]
    server.groups["technician"] = ("technician", f"target:{THERE}")
    assert terminal.offered("lobbyctl", "--as", "technician", "claim", "--target", "2222") == [str(THERE)]
    assert not terminal.offered("lobbyctl", "--as", "technician", "claim", "--target", "Here")
    server.lobby.targets.register(HERE, "Hall of fame", (), "setup")
    assert terminal.offered("lobbyctl", "claim", "--target", "H") == []
    assert terminal.offered("lobbyctl", "claim", "--target", "") == [str(HERE), "There"]
    server.canned = [HTML]
    assert not terminal.offered("lobbyctl", "claim", "--target", "H")
