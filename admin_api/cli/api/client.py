"""The GraphQL client. It sends one document as the signed-in user and returns the `data`. It raises an error for every
failure.

A token that the API refuses is renewed once. Requests to a busy API (HTTP 429, 502, 503, 504) are repeated a few times
with growing delays. A document that is not repeatable is sent again only if the API has certainly not carried it out. A
response that does not come from a lobby raises NOT_A_LOBBY.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx

from admin_api.cli.api.http import Response, send
from admin_api.cli.api.shapes import ShapeError, check_shape
from admin_api.cli.documents import Document
from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from lobby import strict_json
from lobby.names import shown

MAX_ATTEMPTS: Final = 5
"""Attempts per request, including the first."""
MAX_DELAY: Final = 20.0
"""Longest wait before an attempt, in seconds."""
_FIRST_DELAY: Final = 0.5
_TOO_MANY: Final = 429
_BUSY: Final = (_TOO_MANY, 502, 503, 504)
_MAX_CODE: Final = 64
_CODE: Final = re.compile(rf"[A-Z][A-Z0-9_]{{0,{_MAX_CODE - 1}}}")
MAX_MESSAGE: Final = 2000
"""Characters of an error's message."""
_LOGIN: Final = "lobbyctl login --url https://…"


class Tokens(Protocol):
    """A source of access tokens. Both methods raise `NotSignedIn` and `Unreachable`."""

    def token(self) -> str:
        """Return a token that should be valid now."""

    def renew(self) -> str:
        """Return another token after the API refused the last one."""


@dataclass(frozen=True)
class Retries:
    """How the client waits: `sleep` in seconds, `random` returns a number from 0 to 1, `notify` reports the reason."""

    sleep: Callable[[float], None]
    random: Callable[[], float]
    notify: Callable[[str], None]


class Client:
    """The GraphQL API at `url`."""

    def __init__(self, url: str, tokens: Tokens, http: httpx.Client, retries: Retries) -> None:
        self.url = url
        self._tokens, self._http, self._retries = tokens, http, retries

    def execute(self, document: Document, **variables: Any) -> dict[str, Any]:
        """Return the `data` of the response. Raise `ApiRefused`, `NotSignedIn` or `Unreachable`."""
        body = {"query": document.text, "variables": variables}
        response = self._send(body, self._tokens.token(), document.repeatable)
        if response.status == httpx.codes.UNAUTHORIZED:
            response = self._send(body, self._tokens.renew(), document.repeatable)
        data = read(response)
        try:
            check_shape(document.text, data)
        except ShapeError as error:
            want = "want the API's answer: is it a lobby of another version?"
            raise Unreachable("NOT_A_LOBBY", f"got {error} in the answer of {self.url}, {want}") from None
        return data

    def _send(self, body: dict[str, Any], token: str, repeatable: bool) -> Response:
        headers = {"authorization": f"Bearer {token}"}
        for attempt in range(1, MAX_ATTEMPTS):
            try:
                response = send(self._http, self.url, json=body, headers=headers)
            except Unreachable as error:
                if attempt > 1 or not error.sent or not repeatable or error.code == "TIMED_OUT":
                    raise
                self._wait(attempt, None, error.message)
                continue
            if response.status not in _BUSY or not (repeatable or response.status == _TOO_MANY):
                return response
            self._wait(attempt, response.retry_after, f"the lobby is busy (HTTP {response.status})")
        return send(self._http, self.url, json=body, headers=headers)

    def _wait(self, attempt: int, retry_after: float | None, reason: str) -> None:
        seconds = retry_delay(attempt, retry_after, self._retries.random())
        self._retries.notify(f"{reason}; retrying in {seconds:.1f} s")
        self._retries.sleep(seconds)


def retry_delay(attempt: int, retry_after: float | None, random: float) -> float:
    """Return the seconds to wait after attempt number `attempt`.

    Use the server's Retry-After if there is one. Otherwise the delay doubles, minus up to half of it as jitter, so that
    clients do not all retry at the same time."""
    delay = retry_after if retry_after is not None else _FIRST_DELAY * 2 ** (attempt - 1) * (1 - random / 2)
    return min(max(delay, 0.0), MAX_DELAY)


def read(response: Response) -> dict[str, Any]:
    """Return the `data` of a GraphQL response. Raise `ApiRefused`, `NotSignedIn` or `Unreachable`."""
    body = _json_object(response)
    errors = body.get("errors")
    if errors:
        raise _refusal(errors[0] if isinstance(errors, list) else errors)
    if response.status == httpx.codes.UNAUTHORIZED:
        raise _not_signed_in(body.get("message"))
    if response.status in _BUSY:
        raise Unreachable("UNAVAILABLE", f"got HTTP {response.status} from {response.url}: try again later")
    if response.status == httpx.codes.FORBIDDEN:
        raise ApiRefused("FORBIDDEN", f"got {shown(body.get('message'))} from {response.url}")
    if response.status != httpx.codes.OK or not isinstance(body.get("data"), dict):
        raise _not_a_lobby(response, f"HTTP {response.status}")
    data: dict[str, Any] = body["data"]
    return data


def _json_object(response: Response) -> dict[str, Any]:
    if response.status in _BUSY:
        return {}
    if response.media_type not in ("application/json", "application/graphql-response+json"):
        raise _not_a_lobby(response, response.media_type or "a response without a content type")
    try:
        body = strict_json.loads(response.text)
    except (ValueError, RecursionError):
        raise _not_a_lobby(response, "invalid JSON") from None
    if not isinstance(body, dict):
        raise _not_a_lobby(response, "JSON that is not an object")
    return body


def _refusal(error: Any) -> ApiRefused | NotSignedIn:
    fields: dict[str, Any] = error if isinstance(error, dict) else {}
    given = fields.get("extensions")
    extensions: dict[str, Any] = given if isinstance(given, dict) else {}
    code, message, correlation = extensions.get("code"), fields.get("message"), extensions.get("correlationId")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        code = "REFUSED"
    message = message[:MAX_MESSAGE] if isinstance(message, str) and message else "no reason given"
    if code == "UNAUTHENTICATED":
        return _not_signed_in(message)
    return ApiRefused(code, message, correlation[:_MAX_CODE] if isinstance(correlation, str) else None)


def _not_signed_in(message: object) -> NotSignedIn:
    return NotSignedIn("NOT_SIGNED_IN", f"got a token that the lobby refuses ({message}); sign in again: {_LOGIN}")


def _not_a_lobby(response: Response, what: str) -> Unreachable:
    return Unreachable("NOT_A_LOBBY", f"got {what} from {response.url}, want a lobby's JSON: is the address correct?")
