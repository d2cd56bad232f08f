"""The hour that Cognito's sign-in page remembers somebody, which MiniStack's page forgets at once.

Without it a console that keeps its tokens in memory only, as it should, asks for the password at every reload. Whoever
signs in at the page gets a cookie; with it `/oauth2/authorize`, after all of its own checks, sends them back with a
code and asks nothing, until the hour is over, `/logout`, or `prompt=login`. `prompt=none` never shows the page.
Sessions are in memory only: a restart ends them.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from infra.local.ministack.cookies import values_of
from infra.local.ministack.patch_points import Seam

COOKIE: Final = "cognito"
SECONDS: Final = 3600
"""From the sign-in on; being used does not lengthen it (developer guide, "Managed login")."""
_COGNITO: Final = "ministack.services.cognito"
_OF_CODE: Final = ("client_id", "pool_id", "redirect_uri", "scope", "username", "nonce")
_OF_PROOF: Final = ("code_challenge", "code_challenge_method", "state")

AUTHORIZE: Final = Seam(_COGNITO, "handle_oauth2_authorize", ("method", "path", "headers", "query_params"))
CODE: Final = Seam(_COGNITO, "_issue_auth_code_redirect", (*_OF_CODE, *_OF_PROOF))
LOGOUT: Final = Seam(_COGNITO, "handle_logout", ("method", "path", "headers", "query_params"))
CLIENT: Final = Seam(_COGNITO, "_find_pool_by_client_id", ("client_id",))
SEAMS: Final = (AUTHORIZE, CODE, LOGOUT, CLIENT)

Answer = tuple[int, dict[str, Any], bytes]
Handler = Callable[..., Answer]


@dataclass(frozen=True)
class _Session:
    pool: str
    user: str
    record: Mapping[str, Any]
    """The emulator's own: whoever is deleted, and made anew under the same name, is somebody else."""
    ends: float


class LoginSessions:
    """Who is signed in at the page. `clock` gives seconds, `secret` what nobody can guess."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, secret: Callable[[], str] = secrets.token_urlsafe
    ) -> None:
        self._clock, self._secret = clock, secret
        self._open: dict[str, _Session] = {}

    def begin(self, pool: str, user: str, users: Mapping[str, Any]) -> str:
        """What the browser shows from now on."""
        now = self._clock()
        self._open = {token: session for token, session in self._open.items() if session.ends > now}
        token = self._secret()
        self._open[token] = _Session(pool, user, users[user], now + SECONDS)
        return token

    def user(self, token: str, pool: str, users: Mapping[str, Any]) -> str | None:
        """Who that is, as long as they may sign in to this pool."""
        session = self._open.get(token)
        if session is None or session.pool != pool or session.ends <= self._clock():
            return None
        record = session.record
        if users.get(session.user) is not record or not record.get("Enabled", True):
            return None
        return session.user if record.get("UserStatus") == "CONFIRMED" else None

    def end(self, token: str) -> None:
        self._open.pop(token, None)


def apply(sessions: LoginSessions | None = None) -> None:
    """Give the page a memory."""
    known = sessions or LoginSessions()
    issue = CODE.found()
    CODE.wrap(lambda original: _beginning(original, known))
    AUTHORIZE.wrap(lambda original: _knowing(original, issue, known))
    LOGOUT.wrap(lambda original: _ending(original, known))


def _beginning(original: Handler, known: LoginSessions) -> Handler:
    """The emulator calls it where somebody has just proved who they are."""

    def issue(client_id: str, pool_id: str, redirect_uri: str, scope: str, username: str, *rest: str) -> Answer:
        status, headers, body = original(client_id, pool_id, redirect_uri, scope, username, *rest)
        if "code" in parse_qs(urlsplit(headers.get("Location", "")).query):
            token = known.begin(pool_id, username, CLIENT.found()(client_id)[1]["_users"])
            headers["Set-Cookie"] = _cookie(token, SECONDS)
        return status, headers, body

    return issue


def _knowing(original: Handler, issue: Handler, known: LoginSessions) -> Handler:
    def authorize(method: str, path: str, headers: Mapping[str, str], query_params: Mapping[str, list[str]]) -> Answer:
        answer = original(method, path, headers, query_params)
        if answer[0] != 200:  # not the page, so refused or sent elsewhere
            return answer
        asked = {name: values[0] for name, values in query_params.items()}
        pool, owner, client = CLIENT.found()(asked["client_id"])
        asked |= {"pool_id": pool, "redirect_uri": asked.get("redirect_uri") or client["DefaultRedirectURI"]}
        prompts = asked.get("prompt", "").split()
        tokens = [] if "login" in prompts else values_of(COOKIE, headers.get("cookie", ""))
        users = filter(None, (known.user(token, pool, owner["_users"]) for token in tokens))
        if user := next(users, None):
            asked["username"] = user
            return issue(**{name: asked.get(name, "") for name in (*_OF_CODE, *_OF_PROOF)})
        return _login_required(asked) if "none" in prompts else answer

    return authorize


def _login_required(asked: Mapping[str, str]) -> Answer:
    told = {"error": "login_required"} | ({"state": asked["state"]} if asked.get("state") else {})
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return 302, {"Location": f"{asked['redirect_uri']}{joint}{urlencode(told)}", "Cache-Control": "no-store"}, b""


def _ending(original: Handler, known: LoginSessions) -> Handler:
    def logout(method: str, path: str, headers: Mapping[str, str], query_params: Mapping[str, list[str]]) -> Answer:
        answer = original(method, path, headers, query_params)
        if answer[0] == 302:
            for token in values_of(COOKIE, headers.get("cookie", "")):
                known.end(token)
            answer[1]["Set-Cookie"] = _cookie("", 0)
        return answer

    return logout


def _cookie(token: str, seconds: int) -> str:
    return f"{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
