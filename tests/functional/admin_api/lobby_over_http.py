"""The API on moto behind real HTTP on loopback, and `lobbyctl` run against it in this process.

Beside the API the server is a user pool: passwords for tokens as a local deployment has them, and the code flow with
PKCE, checked as a pool checks it. A test can have it answer anything else first, or act between two requests.
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
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from typer.testing import CliRunner, Result

from admin_api.cli.app import app
from admin_api.cli.environment import Environment
from tests.functional.admin_api.api_on_moto import Lobby, event_of
from tests.functional.admin_api.tokens_for_tests import CLIENT, token

PASSWORD = "correct horse battery staple"  # pragma: allowlist secret
ROLES = ("admin", "operator", "technician", "viewer")
Canned = tuple[int, dict[str, str], str]
JSON = {"content-type": "application/json"}


@dataclass
class LobbyServer:
    """Where `lobby` is served. `canned` answers come first, one each; `meanwhile` runs before every GraphQL request."""

    lobby: Lobby
    groups: dict[str, tuple[str, ...]] = field(default_factory=lambda: {role: (role,) for role in ROLES})
    canned: list[Canned] = field(default_factory=list)
    meanwhile: Callable[[int], object] = lambda _number: None
    asked: list[dict[str, Any]] = field(default_factory=list)
    tokens_life: int = 3600
    denies: str | None = None
    """What the sign-in page answers instead of a code."""
    twists_state: bool = False
    refreshes: bool = True
    refreshed: int = 0
    revoked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    url: str = ""

    def graphql(self, body: bytes, authorization: str | None) -> Canned:
        self.asked.append(json.loads(body))
        self.meanwhile(len(self.asked))
        if self.canned:
            return self.canned.pop(0)
        answer = self.lobby.lambda_handler(event_of(body.decode(), authorization=authorization), None)  # type: ignore[arg-type]  # no Lambda context is looked at
        return answer["statusCode"], answer["headers"], answer["body"]

    def initiate_auth(self, body: bytes) -> Canned:
        """Amazon Cognito user pools API reference, InitiateAuth."""
        asked = json.loads(body)
        user, password = (asked["AuthParameters"][name] for name in ("USERNAME", "PASSWORD"))
        if password != PASSWORD or asked["ClientId"] != CLIENT:
            return (
                400,
                JSON,
                json.dumps({"__type": "NotAuthorizedException", "message": "Incorrect username or password."}),
            )
        return 200, JSON, json.dumps({"AuthenticationResult": {"AccessToken": self.token(user)}})

    def token(self, role: str, **changed: Any) -> str:
        return token(*self.groups[role], username=role, **changed)

    def sign_in_json(self) -> Canned:
        return (
            200,
            JSON,
            json.dumps(
                {
                    "issuer": "x",
                    "authorize_url": f"{self.url}/oauth2/authorize",
                    "token_url": f"{self.url}/oauth2/token",
                    "logout_url": f"{self.url}/logout",
                    "revoke_url": f"{self.url}/oauth2/revoke",
                    "client_id": CLIENT,
                    "scope": "openid profile",
                }
            ),
        )

    def authorize(self, query: str) -> Canned:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", CLIENT, "openid profile")
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        answer = {"error": self.denies, "error_description": "not today"} if self.denies else {"code": code}
        answer["state"] = asked["state"] + ("x" if self.twists_state else "")
        return 302, {"location": f"{asked['redirect_uri']}?{urlencode(answer)}"}, ""

    def grant(self, body: bytes) -> Canned:
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        assert asked["client_id"] == CLIENT
        made: dict[str, Any] = {"token_type": "Bearer", "expires_in": self.tokens_life}
        if asked["grant_type"] == "refresh_token":
            self.refreshed += 1
            if not self.refreshes or not asked["refresh_token"].startswith("refresh-"):
                return 400, JSON, json.dumps({"error": "invalid_grant"})
            return 200, JSON, json.dumps(made | {"access_token": self.token("operator")})
        begun = self.codes.pop(asked["code"], None)
        digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if not begun or begun["code_challenge"] != challenge or begun["redirect_uri"] != asked["redirect_uri"]:
            return 400, JSON, json.dumps({"error": "invalid_grant"})
        tokens = {"access_token": self.token("operator"), "refresh_token": f"refresh-{secrets.token_hex(4)}"}
        return 200, JSON, json.dumps(made | tokens | {"id_token": "a.b.c"})

    def revoke(self, body: bytes) -> Canned:
        self.revoked += parse_qs(body.decode())["token"]
        return 200, JSON, ""


class _Handler(BaseHTTPRequestHandler):
    served: LobbyServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/sign-in.json":
            self._answer(self.served.sign_in_json())
        elif parts.path == "/oauth2/authorize":
            self._answer(self.served.authorize(parts.query))
        else:
            self._answer((200, {"content-type": "text/html"}, "<!doctype html>"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        doors = {
            "/": self.served.initiate_auth,
            "/oauth2/token": self.served.grant,
            "/oauth2/revoke": self.served.revoke,
        }
        if self.path == "/graphql":
            self._answer(self.served.graphql(body, self.headers.get("authorization")))
        else:
            self._answer(doors[self.path](body))

    def _answer(self, answer: Canned) -> None:
        status, headers, body = answer
        if status == 0:
            return  # hangs up
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
    """The lobby on a free port of loopback."""
    made = LobbyServer(lobby)
    server = HTTPServer(("127.0.0.1", 0), type("_Serving", (_Handler,), {"served": made}))
    made.url = f"http://127.0.0.1:{server.server_address[1]}"

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        server.serve_forever(poll_interval=0.02)
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Terminal:
    """`lobbyctl` in a directory of its own. Its pauses take no time, and are all the time that passes."""

    directory: Path
    served: LobbyServer
    around: Environment = field(init=False)
    paused: list[float] = field(default_factory=list)
    late: timedelta = timedelta()
    """How far its clock is ahead."""

    def __post_init__(self) -> None:
        self.around = Environment(
            environment={},
            directory=self.directory,
            project=self.directory / "project",
            config=self.directory / "config",
            clock=lambda: datetime.now(UTC) + self.late,
            ticks=lambda: sum(self.paused),
            pause=self.paused.append,
            draw=random.random,
            secret=lambda: secrets.token_urlsafe(32),
            browse=lambda _address: False,
            confirm=None,
        )

    @property
    def lobby_file(self) -> Path:
        return self.directory / ".local" / "lobby.json"

    def local(self) -> "Terminal":
        """With the file of a local deployment in its directory."""
        people = [{"user": role, "password": PASSWORD, "role": role} for role in self.served.groups]
        body = {
            "graphql_url": f"{self.served.url}/graphql",
            "aws_endpoint_url": self.served.url,
            "user_pool_client_id": CLIENT,
            "operators": people,
        }
        self.lobby_file.parent.mkdir(exist_ok=True)
        self.lobby_file.write_text(json.dumps(body))
        return self

    def run(self, *words: str, stdin: bytes | None = None, **around: Any) -> Result:
        """Raises what the command did not expect."""
        return CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(
            app,
            [str(word) for word in words],
            input=stdin,
            obj=replace(self.around, **around),
            catch_exceptions=False,
            prog_name="lobbyctl",
        )

    def offered(self, *words: str) -> list[str]:
        """What a shell is offered for the last word. typer's own completion, with the words as bash gives them."""
        environment = {
            "_LOBBYCTL_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
        return CliRunner(env=environment).invoke(app, [], obj=self.around, prog_name="lobbyctl").stdout.split()

    def records(self, *words: str, exit_code: int = 0, **how: Any) -> list[dict[str, Any]]:
        """What it says to a program."""
        done = self.run("--json", *words, **how)
        assert done.exit_code == exit_code, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]


def error_of(done: Result) -> dict[str, Any]:
    """The failure that was told to a program, the last line of stderr."""
    found: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])["error"]
    return found
