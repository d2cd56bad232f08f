"""`lobbyctl` with a hostile server: no response makes a command raise or hang, or controls the terminal."""

import gzip
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from admin_api.cli.api import http as cli_http
from tests.functional.admin_api.api_on_moto import HERE, fingerprint
from tests.functional.admin_api.hostile_answers import data_for
from tests.functional.admin_api.lobby_over_http import JSON, CannedResponse, LobbyServer, Terminal, error_of

ONE = fingerprint(1)
TARGET = str(HERE)
COMMANDS: dict[str, tuple[str, ...]] = {
    "overview": ("overview",),
    "whoami": ("whoami",),
    "list": ("devices", "list"),
    "list by name": ("devices", "list", "--name", "sensor", "--all"),
    "csv": ("devices", "list", "--csv"),
    "show": ("devices", "show", ONE),
    "show by name": ("devices", "show", "sensor-1"),
    "watch": ("devices", "watch", "--timeout", "0"),
    "watch one": ("devices", "watch", ONE, "--timeout", "0"),
    "claim": ("claim", ONE, "-t", TARGET, "--wait", "--timeout", "0"),
    "dry run": ("claim", ONE, "-t", TARGET, "--dry-run"),
    "confirm": ("confirm", ONE, "12345678"),
    "move": ("move", ONE, "-t", TARGET, "--yes", "--wait", "--timeout", "0"),
    "configure": ("configure", ONE, "--config", "new", "--yes"),
    "release": ("release", ONE, fingerprint(2), "--yes"),
    "release by filter": ("release", "--state", "claimed", "--yes"),
    "revoke": ("revoke", ONE, "--why", "lost", "--yes"),
    "retry": ("retry", ONE, "--yes"),
    "history": ("history", ONE),
    "verify": ("history", "verify", ONE),
    "verify all": ("history", "verify", "--all"),
    "doctor": ("doctor",),
    "targets": ("targets", "list"),
    "add target": ("targets", "add", TARGET, "--name", "Here"),
    "check": ("targets", "check", TARGET),
    "pause": ("targets", "pause", TARGET),
    "rename": ("targets", "rename", TARGET, "New"),
    "archive": ("targets", "archive", TARGET, "--yes"),
    "target history": ("targets", "history", TARGET),
    "template": ("targets", "template", TARGET),
    "reconcile": ("reconcile", "--repair", "--yes"),
    "last reconcile": ("reconcile", "--last"),
}


def answer(body: object, status: int = 200) -> CannedResponse:
    return status, JSON, json.dumps(body)


ANSWERS: dict[str, CannedResponse] = {
    "HTML": (200, {"content-type": "text/html"}, "<!doctype html>"),
    "no content type": (200, {}, "{}"),
    "another content type": (200, {"content-type": "text/plain"}, '{"data": {}}'),
    "a broken content type": (200, {"content-type": "\x7f;" * 500}, "{}"),
    "nothing": (200, JSON, ""),
    "no JSON": (200, JSON, "{"),
    "deep JSON": (200, JSON, "[" * 100_000),
    "a long number": (200, JSON, '{"data": ' + "9" * 5000 + "}"),
    "infinity": (200, JSON, '{"data": 1e999}'),
    "a list": answer([]),
    "text": answer("x"),
    "null": answer(None),
    "no data": answer({}),
    "data null": answer({"data": None}),
    "data list": answer({"data": [1]}),
    "data empty": answer({"data": {}}),
    "errors text": answer({"errors": "x"}),
    "errors object": answer({"errors": {"message": 1}}),
    "errors of lists": answer({"errors": [[1]]}),
    "error without text": answer({"errors": [{"message": {"a": 1}, "extensions": "x"}]}),
    "error with odd code": answer({"errors": [{"message": None, "extensions": {"code": ["a"], "correlationId": {}}}]}),
    "error that controls": answer(
        {"errors": [{"message": "\x1b]0;x\x07\x9b2J\u202e\n", "extensions": {"code": "\x1b"}}]}
    ),
    "error that is long": answer({"errors": [{"message": "m" * 1_000_000, "extensions": {"code": "C" * 10_000}}]}),
    "a redirect": (302, {"location": "http://127.0.0.1:1/graphql"}, ""),
    "a permanent redirect": (308, {"location": "file:///etc/passwd"}, ""),
    "forbidden": answer({"message": {"a": 1}}, 403),
    "a teapot": answer({"message": "\x1b[2J"}, 418),
    "a failure": (500, JSON, "\x00"),
    "an encoding": (200, JSON | {"content-encoding": "gzip"}, gzip.compress(b"{}").decode("latin-1")),
    "an unknown encoding": (200, JSON | {"content-encoding": "\x7f"}, "{}"),
    "an unknown charset": (200, {"content-type": "application/json; charset=rot13"}, "{}"),
}
TEXTS = {
    "escape sequences": "\x1b[2J\x1b]0;title\x07\x1b]52;c;eA==\x07",
    "C1": "\x9b2J\x9d0;title\x9c",
    "bidirectional": "\u202egpj.exe\u2066\u2069\u200f",
    "lines": "a\r\nerror: b\n\x0b\x0c\x85\u2028",
    "markup": "[bold red]x[/bold red] [link=file:///]y[/link]",
    "surrogate": "\ud800",
    "empty": "",
    "long": "x" * 20_000,
    "a state": "arrived",
    "a fingerprint": "AB" * 32,
}
NUMBERS = (0, -(2**63), 2**63)


def controls(output: str) -> list[str]:
    """Return the characters that could control a terminal."""
    return [char for char in output if char not in "\n" and not char.isprintable()]


@pytest.fixture
def hostile(terminal: Terminal, server: LobbyServer) -> Callable[[Callable[[str], CannedResponse]], Terminal]:
    """Makes the server answer every request with a function of the document."""

    def answer_with(respond: Callable[[str], CannedResponse]) -> Terminal:
        def before(_number: int) -> None:
            server.canned = [respond(server.requests[-1]["query"])]

        server.before_request = before
        return terminal

    return answer_with


def runs(terminal: Terminal) -> Iterator[tuple[str, Any]]:
    for name, command in COMMANDS.items():
        for options in ((), ("--json",)):
            if not (options and "--csv" in command):
                yield f"{name} {options}", terminal.run(*options, *command)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_response_of_another_server_ends_a_command_with_an_error(hostile: Any, name: str) -> None:
    result = hostile(lambda _query: ANSWERS[name]).run("overview")
    assert result.exit_code in (1, 3, 4), result.output
    assert controls(result.output) == []


@pytest.mark.full
@pytest.mark.parametrize("name", ANSWERS)
def test_a_response_of_another_server_ends_every_command_with_an_error(hostile: Any, name: str) -> None:
    terminal = hostile(lambda _query: ANSWERS[name])
    for command, result in runs(terminal):
        assert result.exit_code in (1, 3, 4), (command, result.output)
        assert controls(result.stdout + result.stderr) == [], command
        assert len(result.output) < 10_000, command
        assert "Traceback" not in result.output


@pytest.mark.full
@pytest.mark.parametrize("text", TEXTS)
def test_an_answer_with_hostile_values_is_shown_safely(hostile: Any, text: str) -> None:
    number = NUMBERS[list(TEXTS).index(text) % len(NUMBERS)]

    def respond(query: str) -> CannedResponse:
        return answer({"data": data_for(query, TEXTS[text], number, nulls=False)})

    for command, result in runs(hostile(respond)):
        assert result.exit_code in range(7), (command, result.output)
        assert controls(result.stdout + result.stderr) == [], command


@pytest.mark.slow
def test_an_answer_with_every_null_that_the_schema_allows_is_accepted(hostile: Any) -> None:
    for command, result in runs(hostile(lambda query: answer({"data": data_for(query, "x", 1, nulls=True)}))):
        assert result.exit_code in range(7), (command, result.output)


def test_a_server_that_names_the_same_page_again_ends_the_command(hostile: Any) -> None:
    terminal = hostile(lambda query: answer({"data": data_for(query, "x", 1, nulls=False)}))
    for command in (
        ("devices", "list", "--all"),
        ("release", "--state", "claimed", "--yes"),
        ("history", "verify", "--all"),
    ):
        result = terminal.run("--json", *command)
        assert (result.exit_code, error_of(result)["code"]) == (4, "NOT_A_LOBBY"), command


def test_a_huge_answer_is_refused(hostile: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_http, "MAX_BODY", 100_000)
    result = hostile(lambda _query: (200, JSON, " " * 200_000)).run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (4, "NOT_A_LOBBY")
    assert "more than 100,000 bytes" in error_of(result)["message"]


def test_a_slow_answer_is_refused(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(0, 100_000, 100))
    monkeypatch.setattr(cli_http, "time", SimpleNamespace(monotonic=lambda: next(now)))
    result = terminal.run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (4, "TIMED_OUT")
    assert "got only a part" in error_of(result)["message"]


@pytest.mark.parametrize(
    "token",
    [None, 1, "", [], {"a": 1}, "a\r\nx-evil: 1", "tökén", "\x1b", "x" * 20_000],
    ids=lambda each: repr(each)[:20],
)
def test_an_invalid_token_is_refused(
    terminal: Terminal, server: LobbyServer, monkeypatch: pytest.MonkeyPatch, token: Any
) -> None:
    body = json.dumps({"AuthenticationResult": {"AccessToken": token}})
    monkeypatch.setattr(server, "initiate_auth", lambda _body: (200, JSON, body))
    result = terminal.run("--json", "overview")
    assert (result.exit_code, error_of(result)["code"]) == (4, "NOT_A_LOBBY")
    assert server.requests == []


@pytest.mark.parametrize(
    "body", ["[]", "1", '"x"', "{", "", '{"__type": 1}', '{"__type": "\\u001b[2J", "message": ["\\u009b"]}']
)
@pytest.mark.parametrize("status", [200, 400])
def test_a_hostile_user_pool_is_refused(
    terminal: Terminal, server: LobbyServer, monkeypatch: pytest.MonkeyPatch, status: int, body: str
) -> None:
    monkeypatch.setattr(server, "initiate_auth", lambda _body: (status, JSON, body))
    result = terminal.run("overview")
    assert result.exit_code in (3, 4), result.output
    assert controls(result.output) == []
