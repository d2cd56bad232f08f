"""The API on moto behind real HTTP on loopback, and `lobbyctl` run against it in this process.

The server is also a user pool: it signs users in by password, as a local deployment does, and by the code flow with
PKCE. A test can prepend other responses, or act before each GraphQL request.
"""

import asyncio
import base64
import hashlib
import json
import random
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from admin_api.cli.app import app
from admin_api.cli.environment import Environment
from tests.functional.admin_api.api_on_moto import Lobby, event_of
from tests.functional.admin_api.user_pool import CLIENT, token

PASSWORD = "correct horse battery staple"  # pragma: allowlist secret
ROLES = ("admin", "operator", "technician", "viewer")
CannedResponse = tuple[int, dict[str, str], str]
"""Status, headers and body. Status 0 closes the connection without a response."""
JSON = {"content-type": "application/json"}
pytest.MonkeyPatch().setattr("typer.testing._get_command", cache(get_command))
"""Every run of the command would build all subcommands again, which takes longer than the run."""


@dataclass
class LobbyServer:
    """Serves `lobby`. `canned` responses are returned first, one per GraphQL request; `before_request` runs before
    each of them with the request's number."""

    lobby: Lobby
    groups: dict[str, tuple[str, ...]] = field(default_factory=lambda: {role: (role,) for role in ROLES})
    canned: list[CannedResponse] = field(default_factory=list)
    before_request: Callable[[int], object] = lambda _number: None
    requests: list[dict[str, Any]] = field(default_factory=list)
    token_lifetime: int = 3600
    sign_in_error: str | None = None
    """The OAuth error that the sign-in page returns instead of a code."""
    returns_wrong_state: bool = False
    accepts_refresh: bool = True
    refresh_count: int = 0
    revoked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    url: str = ""

    def graphql(self, body: bytes, authorization: str | None) -> CannedResponse:
        self.requests.append(json.loads(body))
        self.before_request(len(self.requests))
        if self.canned:
            return self.canned.pop(0)
        event = event_of(body.decode(), authorization=authorization)
        response = self.lobby.lambda_handler(event, None)  # type: ignore[arg-type]  # the Lambda context is not used
        return response["statusCode"], response["headers"], response["body"]

    def initiate_auth(self, body: bytes) -> CannedResponse:
        """Amazon Cognito user pools API reference, InitiateAuth."""
        request = json.loads(body)
        user, password = (request["AuthParameters"][name] for name in ("USERNAME", "PASSWORD"))
        if password != PASSWORD or request["ClientId"] != CLIENT:
            error = {"__type": "NotAuthorizedException", "message": "Incorrect username or password."}
            return 400, JSON, json.dumps(error)
        return 200, JSON, json.dumps({"AuthenticationResult": {"AccessToken": self.token(user)}})

    def token(self, role: str, **changed: Any) -> str:
        return token(*self.groups[role], username=role, **changed)

    def sign_in_json(self) -> CannedResponse:
        endpoints = {
            "issuer": "x",
            "authorize_url": f"{self.url}/oauth2/authorize",
            "token_url": f"{self.url}/oauth2/token",
            "logout_url": f"{self.url}/logout",
            "revoke_url": f"{self.url}/oauth2/revoke",
            "client_id": CLIENT,
            "scope": "openid profile",
        }
        return 200, JSON, json.dumps(endpoints)

    def authorize(self, query: str) -> CannedResponse:
        request = {name: values[0] for name, values in parse_qs(query).items()}
        assert (request["response_type"], request["client_id"], request["scope"]) == ("code", CLIENT, "openid profile")
        assert request["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = request
        error = {"error": self.sign_in_error, "error_description": "not today"}
        response = error if self.sign_in_error else {"code": code}
        response["state"] = request["state"] + ("x" if self.returns_wrong_state else "")
        return 302, {"location": f"{request['redirect_uri']}?{urlencode(response)}"}, ""

    def grant(self, body: bytes) -> CannedResponse:
        request = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        assert request["client_id"] == CLIENT
        response: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.token_lifetime}
        if request["grant_type"] == "refresh_token":
            self.refresh_count += 1
            if not self.accepts_refresh or not request["refresh_token"].startswith("refresh-"):
                return 400, JSON, json.dumps({"error": "invalid_grant"})
            return 200, JSON, json.dumps(response | {"access_token": self.token("operator")})
        authorized = self.codes.pop(request["code"], None)
        digest = hashlib.sha256(request["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            not authorized
            or authorized["code_challenge"] != challenge
            or authorized["redirect_uri"] != request["redirect_uri"]
        ):
            return 400, JSON, json.dumps({"error": "invalid_grant"})
        tokens = {"access_token": self.token("operator"), "refresh_token": f"refresh-{secrets.token_hex(4)}"}
        return 200, JSON, json.dumps(response | tokens | {"id_token": "a.b.c"})

    def revoke(self, body: bytes) -> CannedResponse:
        self.revoked += parse_qs(body.decode())["token"]
        return 200, JSON, ""


class _Handler(BaseHTTPRequestHandler):
    lobby_server: LobbyServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/sign-in.json":
            self._respond(self.lobby_server.sign_in_json())
        elif parts.path == "/oauth2/authorize":
            self._respond(self.lobby_server.authorize(parts.query))
        else:
            self._respond((200, {"content-type": "text/html"}, "<!doctype html>"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        endpoints = {
            "/": self.lobby_server.initiate_auth,
            "/oauth2/token": self.lobby_server.grant,
            "/oauth2/revoke": self.lobby_server.revoke,
        }
        if self.path == "/graphql":
            self._respond(self.lobby_server.graphql(body, self.headers.get("authorization")))
        else:
            self._respond(endpoints[self.path](body))

    def _respond(self, response: CannedResponse) -> None:
        status, headers, body = response
        if status == 0:
            return
        content = body.encode()
        self.send_response(status)
        for name, value in (headers | {"content-length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        pass


@contextmanager
def served(lobby: Lobby) -> Iterator[LobbyServer]:
    """Serve the lobby on a free port of loopback."""
    lobby_server = LobbyServer(lobby)
    server = HTTPServer(("127.0.0.1", 0), type("_BoundHandler", (_Handler,), {"lobby_server": lobby_server}))
    lobby_server.url = f"http://127.0.0.1:{server.server_address[1]}"

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        server.serve_forever(poll_interval=0.02)
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield lobby_server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Terminal:
    """Runs `lobbyctl` in its own directory. Its sleeps take no time and advance its monotonic clock."""

    directory: Path
    server: LobbyServer
    environment: Environment = field(init=False)
    sleeps: list[float] = field(default_factory=list)
    clock_offset: timedelta = timedelta()
    """How far its clock is ahead."""

    def __post_init__(self) -> None:
        self.environment = Environment(
            variables={},
            directory=self.directory,
            project=self.directory / "project",
            config=self.directory / "config",
            clock=lambda: datetime.now(UTC) + self.clock_offset,
            monotonic=lambda: sum(self.sleeps),
            sleep=self.sleeps.append,
            random=random.random,
            make_secret=lambda: secrets.token_urlsafe(32),
            open_browser=lambda _address: False,
            confirm=None,
        )

    @property
    def lobby_file(self) -> Path:
        return self.directory / ".local" / "lobby.json"

    def local(self) -> "Terminal":
        """Write the `lobby.json` of a local deployment to its directory."""
        users = [{"user": role, "password": PASSWORD, "role": role} for role in self.server.groups]
        body = {
            "graphql_url": f"{self.server.url}/graphql",
            "aws_endpoint_url": self.server.url,
            "user_pool_client_id": CLIENT,
            "operators": users,
        }
        self.lobby_file.parent.mkdir(exist_ok=True)
        self.lobby_file.write_text(json.dumps(body))
        return self

    def run(self, *arguments: str, stdin: bytes | None = None, **environment: Any) -> Result:
        """Run the command. Exceptions that it does not handle are raised."""
        return CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(
            app,
            [str(each) for each in arguments],
            input=stdin,
            obj=replace(self.environment, **environment),
            catch_exceptions=False,
            prog_name="lobbyctl",
        )

    def completions(self, *arguments: str) -> list[str]:
        """Return the shell completions of the last word, requested as bash requests them."""
        variables = {
            "_LOBBYCTL_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(arguments),
            "COMP_CWORD": str(len(arguments) - 1),
        }
        return CliRunner(env=variables).invoke(app, [], obj=self.environment, prog_name="lobbyctl").stdout.split()

    def records(self, *arguments: str, exit_code: int = 0, **options: Any) -> list[dict[str, Any]]:
        """Run the command with --json and return its records."""
        result = self.run("--json", *arguments, **options)
        assert result.exit_code == exit_code, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]


def error_of(result: Result) -> dict[str, Any]:
    """Return the error that --json printed, on the last line of stderr."""
    error: dict[str, Any] = json.loads(result.stderr.splitlines()[-1])["error"]
    return error
