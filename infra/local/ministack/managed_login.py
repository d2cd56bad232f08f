"""Cognito's managed login: a one-hour session cookie, refreshed tokens with groups, and its CloudFormation resource.

Differences from AWS:
- Cognito's sign-in page sets a session cookie, so that a user who signed in less than an hour ago is not asked again
  (Cognito developer guide, "User pool managed login"). MiniStack sets none, so a console that keeps its tokens only in
  memory would ask for the password on every reload.
- Cognito keeps the groups in refreshed tokens ("Using refresh tokens"). MiniStack omits them when it refreshes a token
  that the sign-in page issued, so an administrator loses their role after 15 minutes.
- CloudFormation creates `AWS::Cognito::ManagedLoginBranding`. MiniStack rejects a template that contains it.

The patch adds the cookie: `/oauth2/authorize` first performs all of its checks, and then redirects a user who has a
session, with a code. The session ends after an hour, at `/logout`, or with `prompt=login`; `prompt=none` never shows
the page. Sessions are in memory only. A refresh token of the sign-in page takes MiniStack's path for tokens of
InitiateAuth, which keeps the groups. The branding resource is accepted and has no effect.

Unnecessary when: MiniStack's `/oauth2/authorize` keeps a login session, its `/oauth2/token` keeps `cognito:groups`, and
its CloudFormation accepts the branding resource.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

from infra.local.ministack.patch_points import PatchPoint

COOKIE: Final = "cognito"
SECONDS: Final = 3600
"""The length of a session, from the sign-in; use does not extend it (Cognito developer guide, "User pool managed
login")."""
BRANDING: Final = "AWS::Cognito::ManagedLoginBranding"
_COGNITO: Final = "ministack.services.cognito"
_CODE_FIELDS: Final = ("client_id", "pool_id", "redirect_uri", "scope", "username", "nonce")
_PKCE_FIELDS: Final = ("code_challenge", "code_challenge_method", "state")

AUTHORIZE: Final = PatchPoint(_COGNITO, "handle_oauth2_authorize", ("method", "path", "headers", "query_params"))
CODE: Final = PatchPoint(_COGNITO, "_issue_auth_code_redirect", (*_CODE_FIELDS, *_PKCE_FIELDS))
LOGOUT: Final = PatchPoint(_COGNITO, "handle_logout", ("method", "path", "headers", "query_params"))
CLIENT: Final = PatchPoint(_COGNITO, "_find_pool_by_client_id", ("client_id",))
TOKEN: Final = PatchPoint(_COGNITO, "_oauth2_token", ("data", "query_params", "raw_body", "headers"))
FORGET_PAGE_TOKEN: Final = PatchPoint(_COGNITO, "_refresh_tokens.pop")
REFRESH: Final = PatchPoint(_COGNITO, "_oauth2_refresh_api_issued_token", ("refresh_val", "cid", "csec"))
HANDLERS: Final = PatchPoint("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
PATCH_POINTS: Final = (AUTHORIZE, CODE, LOGOUT, CLIENT, TOKEN, FORGET_PAGE_TOKEN, REFRESH, HANDLERS)

Response = tuple[int, dict[str, Any], bytes]
Handler = Callable[..., Response]


@dataclass(frozen=True)
class _Session:
    pool: str
    user: str
    record: Mapping[str, Any]
    """The emulator's record of the user. A user who is deleted and created again has another record."""
    expires: float


class LoginSessions:
    """The open login sessions. `clock` returns seconds; `secret` returns an unguessable token."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, secret: Callable[[], str] = secrets.token_urlsafe
    ) -> None:
        self._clock, self._secret = clock, secret
        self._open: dict[str, _Session] = {}

    def begin(self, pool: str, user: str, users: Mapping[str, Any]) -> str:
        """Return the cookie value of a new session."""
        now = self._clock()
        self._open = {token: session for token, session in self._open.items() if session.expires > now}
        token = self._secret()
        self._open[token] = _Session(pool, user, users[user], now + SECONDS)
        return token

    def user(self, token: str, pool: str, users: Mapping[str, Any]) -> str | None:
        """Return the user of a session, or None if it has expired or the user may not sign in to `pool`."""
        session = self._open.get(token)
        if session is None or session.pool != pool or session.expires <= self._clock():
            return None
        record = session.record
        if users.get(session.user) is not record or not record.get("Enabled", True):
            return None
        return session.user if record.get("UserStatus") == "CONFIRMED" else None

    def end(self, token: str) -> None:
        self._open.pop(token, None)


def apply(sessions: LoginSessions | None = None) -> None:
    """Patch the sign-in page, the token endpoint and CloudFormation."""
    sessions = sessions or LoginSessions()
    issue = CODE.resolve()
    CODE.wrap(lambda original: _setting_cookie(original, sessions))
    AUTHORIZE.wrap(lambda original: _reading_cookie(original, issue, sessions))
    LOGOUT.wrap(lambda original: _clearing_cookie(original, sessions))
    TOKEN.wrap(_keeping_groups)
    HANDLERS.resolve().setdefault(BRANDING, {"create": _create_branding, "delete": _delete_branding})


def _setting_cookie(original: Handler, sessions: LoginSessions) -> Handler:
    """Also set the cookie when the emulator has verified the user's password and calls the original function."""

    def issue(client_id: str, pool_id: str, redirect_uri: str, scope: str, username: str, *rest: str) -> Response:
        status, headers, body = original(client_id, pool_id, redirect_uri, scope, username, *rest)
        if "code" in parse_qs(urlsplit(headers.get("Location", "")).query):
            token = sessions.begin(pool_id, username, CLIENT.resolve()(client_id)[1]["_users"])
            headers["Set-Cookie"] = _cookie(token, SECONDS)
        return status, headers, body

    return issue


def _reading_cookie(original: Handler, issue: Handler, sessions: LoginSessions) -> Handler:
    def authorize(
        method: str, path: str, headers: Mapping[str, str], query_params: Mapping[str, list[str]]
    ) -> Response:
        response = original(method, path, headers, query_params)
        if response[0] != 200:  # refused or redirected: the sign-in page is not shown
            return response
        params = {name: values[0] for name, values in query_params.items()}
        pool, owner, client = CLIENT.resolve()(params["client_id"])
        params |= {"pool_id": pool, "redirect_uri": params.get("redirect_uri") or client["DefaultRedirectURI"]}
        prompts = params.get("prompt", "").split()
        tokens = [] if "login" in prompts else cookie_values(COOKIE, headers.get("cookie", ""))
        users = filter(None, (sessions.user(token, pool, owner["_users"]) for token in tokens))
        if user := next(users, None):
            params["username"] = user
            return issue(**{name: params.get(name, "") for name in (*_CODE_FIELDS, *_PKCE_FIELDS)})
        return _login_required(params) if "none" in prompts else response

    return authorize


def _login_required(params: Mapping[str, str]) -> Response:
    result = {"error": "login_required"} | ({"state": params["state"]} if params.get("state") else {})
    separator = "&" if "?" in params["redirect_uri"] else "?"
    location = f"{params['redirect_uri']}{separator}{urlencode(result)}"
    return 302, {"Location": location, "Cache-Control": "no-store"}, b""


def _clearing_cookie(original: Handler, sessions: LoginSessions) -> Handler:
    def logout(method: str, path: str, headers: Mapping[str, str], query_params: Mapping[str, list[str]]) -> Response:
        response = original(method, path, headers, query_params)
        if response[0] == 302:
            for token in cookie_values(COOKIE, headers.get("cookie", "")):
                sessions.end(token)
            response[1]["Set-Cookie"] = _cookie("", 0)
        return response

    return logout


def _cookie(token: str, seconds: int) -> str:
    return f"{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"


def _keeping_groups(original: Callable[..., Any]) -> Callable[..., Any]:
    """Drop the page's own record of a refresh token, so that MiniStack treats it as a token of InitiateAuth."""

    def token(data: Any, query_params: Any, raw_body: bytes = b"", headers: Any = None) -> Any:
        form = parse_qs(raw_body.decode("utf-8", errors="replace"))
        if form.get("grant_type") == ["refresh_token"]:
            FORGET_PAGE_TOKEN.resolve()(form.get("refresh_token", [""])[0], None)
        return original(data, query_params, raw_body, headers)

    return token


def _create_branding(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    branding = f"{stack_name}-{logical_id}"
    return f"{props.get('UserPoolId')}|{branding}", {"ManagedLoginBrandingId": branding}


def _delete_branding(_physical_id: str, _props: dict[str, Any]) -> None:
    """Do nothing: the resource has no effect."""


def cookie_values(name: str, header: str) -> list[str]:
    """Return the values of all cookies `name` in a `Cookie` header. The standard library's parser drops every cookie
    if it rejects one."""
    return [value for each, value in _cookie_pairs(header) if each == name]


def without_cookie(name: str, header: str) -> str:
    """Return a `Cookie` header without the cookies `name`."""
    return "; ".join(f"{each}={value}" for each, value in _cookie_pairs(header) if each != name)


def _cookie_pairs(header: str) -> list[tuple[str, str]]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [(name, value) for name, _, value in pairs if name]
