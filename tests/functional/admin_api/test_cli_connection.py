"""`lobbyctl` with an unreachable or busy lobby, with a server that is not a lobby, and how it finds its lobby."""

import json
import socket
from pathlib import Path

import pytest

from lobby.domain.transitions import ClaimRequest
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby
from tests.functional.admin_api.lobby_over_http import JSON, LobbyServer, Terminal, error_of
from tests.operations import CODE

HTML = (200, {"content-type": "text/html"}, "<!doctype html><title>Sign in</title>")
BUSY = (503, JSON, json.dumps({"message": "Service Unavailable"}))
THROTTLED = (429, JSON | {"retry-after": "7"}, json.dumps({"message": "Too Many Requests"}))
UNAUTHORIZED = (401, JSON, json.dumps({"message": "Unauthorized"}))


def test_a_deployment_that_is_not_running_is_reported_with_advice(terminal: Terminal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    body = json.loads(terminal.lobby_file.read_text())
    terminal.lobby_file.write_text(json.dumps(body | {"aws_endpoint_url": f"http://127.0.0.1:{port}"}))
    result = terminal.run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (4, "UNREACHABLE")
    assert "./deploy.sh local" in error_of(result)["message"]


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (HTML, "NOT_A_LOBBY"),
        ((200, JSON, "{"), "NOT_A_LOBBY"),
        ((200, JSON, "[]"), "NOT_A_LOBBY"),
        ((200, JSON, '{"data": null}'), "NOT_A_LOBBY"),
        ((302, {"location": "https://elsewhere.example/"}, ""), "NOT_A_LOBBY"),
        ((500, JSON, '{"message": "Internal Server Error"}'), "NOT_A_LOBBY"),
    ],
    ids=["html", "invalid json", "list", "no data", "redirect", "500"],
)
def test_a_response_that_is_not_from_a_lobby_is_refused(
    terminal: Terminal, server: LobbyServer, response: tuple[int, dict[str, str], str], code: str
) -> None:
    server.canned = [response]
    result = terminal.run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (4, code)
    assert len(server.requests) == 1


def test_a_busy_lobby_is_retried_with_growing_delays(terminal: Terminal, server: LobbyServer) -> None:
    server.canned = [BUSY, THROTTLED, BUSY]
    result = terminal.run("overview")
    assert result.exit_code == 0
    assert len(server.requests) == 4
    assert 0.2 < terminal.sleeps[0] <= 0.5
    assert terminal.sleeps[1] == 7
    assert 1 <= terminal.sleeps[2] <= 2
    assert "busy (HTTP 429); retrying in 7.0 s" in result.stderr


def test_a_lobby_that_stays_busy_is_unavailable(terminal: Terminal, server: LobbyServer) -> None:
    server.canned = [BUSY] * 20
    result = terminal.run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (4, "UNAVAILABLE")
    assert len(server.requests) == 5


def busy_once(server: LobbyServer, operation: str) -> None:
    """Make the lobby busy for the first request of this operation."""

    def busy(_number: int) -> None:
        first = sum(operation in request["query"] for request in server.requests) == 1
        server.canned = [BUSY] if first and operation in server.requests[-1]["query"] else []

    server.before_request = busy


def test_a_request_that_is_not_repeatable_is_not_sent_again(
    terminal: Terminal, server: LobbyServer, lobby: Lobby
) -> None:
    certid = lobby.proving(1)
    busy_once(server, "confirmPresence")
    assert terminal.run("confirm", certid, CODE).exit_code == 4
    assert sum("confirmPresence" in request["query"] for request in server.requests) == 1


def test_a_change_is_sent_again_because_it_names_the_generation(
    terminal: Terminal, server: LobbyServer, lobby: Lobby
) -> None:
    certid = lobby.waiting(1)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:bob")
    busy_once(server, "changeDevices")
    assert terminal.run("retry", certid).exit_code == 0
    assert sum("changeDevices" in request["query"] for request in server.requests) == 2
    assert [entry.event for entry in lobby.ledger.history(certid)][-2:] == ["claim", "retry"]


def test_a_broken_connection_is_retried_once(terminal: Terminal, server: LobbyServer) -> None:
    server.canned = [(0, {}, "")]
    assert terminal.run("overview").exit_code == 0
    server.canned = [(0, {}, "")] * 9
    result = terminal.run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (4, "UNREACHABLE")


def test_a_token_that_is_refused_is_renewed_once(terminal: Terminal, server: LobbyServer) -> None:
    server.canned = [UNAUTHORIZED]
    assert terminal.run("overview").exit_code == 0
    server.canned = [UNAUTHORIZED] * 9
    result = terminal.run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (3, "NOT_SIGNED_IN")
    assert len(server.canned) == 7


def test_an_internal_error_has_its_correlation_id(
    terminal: Terminal, lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(lobby.targets), "all", lambda _self: 1 / 0)
    result = terminal.run("targets", "list")
    assert result.exit_code == 1
    assert "INTERNAL" in result.stderr
    assert "correlation id request-1" in result.stderr


def test_a_wrong_password_or_role_is_a_failed_sign_in(terminal: Terminal) -> None:
    text = terminal.lobby_file.read_text()
    terminal.lobby_file.write_text(text.replace("battery", "cattery"))
    result = terminal.run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (3, "SIGN_IN_FAILED")
    assert "cattery" not in result.output
    assert terminal.run("overview", "--as", "king").exit_code == 3


def test_a_user_without_a_role_is_refused(terminal: Terminal, server: LobbyServer) -> None:
    server.groups["guest"] = ()
    terminal.local()
    result = terminal.run("--json", "overview", "--as", "guest")
    assert (result.exit_code, error_of(result)["code"]) == (1, "FORBIDDEN")


def test_the_lobby_file_is_found_above_in_the_project_or_by_option(terminal: Terminal, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert terminal.run("whoami", directory=deep).exit_code == 0
    moved = tmp_path / "project" / ".local" / "lobby.json"
    moved.parent.mkdir(parents=True)
    terminal.lobby_file.rename(moved)
    assert terminal.run("whoami", directory=deep).exit_code == 0
    assert terminal.run("whoami", directory=deep, project=deep).exit_code == 3
    for path in (moved, moved.parent):
        assert terminal.run("--lobby", str(path), "whoami", project=deep).exit_code == 0
        assert terminal.run("whoami", project=deep, variables={"LOBBYCTL_LOBBY": str(path)}).exit_code == 0


@pytest.mark.parametrize(
    ("text", "arguments"),
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
def test_an_invalid_lobby_is_refused(terminal: Terminal, text: str | None, arguments: list[str]) -> None:
    if text is not None:
        terminal.lobby_file.write_text(text)
    result = terminal.run("--json", "whoami", *arguments)
    assert result.exit_code == 2, result.output


def test_a_lobby_file_with_an_unencrypted_address_is_refused(terminal: Terminal) -> None:
    body = json.loads(terminal.lobby_file.read_text())
    terminal.lobby_file.write_text(json.dumps(body | {"aws_endpoint_url": "http://192.0.2.1"}))
    result = terminal.run("--json", "whoami")
    assert (result.exit_code, error_of(result)["code"]) == (2, "INVALID_URL")


def test_json_is_accepted_before_or_after_the_command(terminal: Terminal) -> None:
    before, after = terminal.run("--json", "whoami"), terminal.run("whoami", "--json")
    assert json.loads(before.stdout) == json.loads(after.stdout)


def test_states_roles_and_targets_are_completed(terminal: Terminal, server: LobbyServer) -> None:
    assert terminal.completions("lobbyctl", "devices", "list", "--state", "in") == ["inlobby"]
    assert terminal.completions("lobbyctl", "--as", "te") == ["technician"]
    assert terminal.completions("lobbyctl", "claim", "--target", "H") == ["Here"]
    assert terminal.completions("lobbyctl", "claim", "--target", "2222") == ["222222222222/us-east-1"]
    server.groups["technician"] = ("technician", f"target:{THERE}")
    assert terminal.completions("lobbyctl", "--as", "technician", "claim", "--target", "2222") == [str(THERE)]
    assert not terminal.completions("lobbyctl", "--as", "technician", "claim", "--target", "Here")
    server.lobby.targets.register(HERE, "Hall of fame", (), "setup")
    assert terminal.completions("lobbyctl", "claim", "--target", "H") == []
    assert terminal.completions("lobbyctl", "claim", "--target", "") == [str(HERE), "There"]
    server.canned = [HTML]
    assert not terminal.completions("lobbyctl", "claim", "--target", "H")
