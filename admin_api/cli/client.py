"""GraphQL over HTTP as somebody who is signed in: one question in, its `data` out, every failure as an error of ours.

A token that is refused is renewed once. An API that is busy (429, or 502 to 504) is asked again a few times, with
growing waits; what must not be done twice is asked again only where it surely was not done. What does not look like
a lobby's answer is never taken for one.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx

from admin_api.cli.documents import Document
from admin_api.cli.errors import ApiRefused, NotSignedIn, Unreachable
from admin_api.cli.http import Answer, exchange
from lobby.names import shown

TRIES: Final = 5
"""Of one request, the first included."""
LONGEST_WAIT: Final = 20.0
"""Seconds before any one of them."""
_FIRST_WAIT: Final = 0.5
_TOO_MANY: Final = 429
_BUSY: Final = (_TOO_MANY, 502, 503, 504)
_LOGIN: Final = "lobbyctl login --url https://…"


class Tokens(Protocol):
    """Where access tokens come from. Both raise `NotSignedIn` and `Unreachable`."""

    def token(self) -> str:
        """One that should hold now."""

    def renew(self) -> str:
        """Another one: the last was refused."""


@dataclass(frozen=True)
class Patience:
    """How waiting is done: `pause` waits that many seconds, `draw` gives a number from 0 to 1, `tell` says why."""

    pause: Callable[[float], None]
    draw: Callable[[], float]
    tell: Callable[[str], None]


class Client:
    """The API at `url`."""

    def __init__(self, url: str, tokens: Tokens, http: httpx.Client, patience: Patience) -> None:
        self.url = url
        self._tokens, self._http, self._patience = tokens, http, patience

    def ask(self, document: Document, **variables: Any) -> dict[str, Any]:
        """The answer's `data`. Raises `ApiRefused`, `NotSignedIn`, `Unreachable`."""
        body = {"query": document.text, "variables": variables}
        answer = self._patiently(body, self._tokens.token(), document.repeatable)
        if answer.status == httpx.codes.UNAUTHORIZED:
            answer = self._patiently(body, self._tokens.renew(), document.repeatable)
        return read(answer)

    def _patiently(self, body: dict[str, Any], token: str, repeatable: bool) -> Answer:
        for tried in range(1, TRIES):
            try:
                answer = exchange(self._http, self.url, json=body, headers={"authorization": f"Bearer {token}"})
            except Unreachable as fault:
                if tried > 1 or not fault.sent or not repeatable or fault.code == "TIMED_OUT":
                    raise
                self._wait(tried, None, fault.message)
                continue
            if answer.status not in _BUSY or not (repeatable or answer.status == _TOO_MANY):
                return answer
            self._wait(tried, answer.retry_after, f"the lobby is busy (HTTP {answer.status})")
        return exchange(self._http, self.url, json=body, headers={"authorization": f"Bearer {token}"})

    def _wait(self, tried: int, asked: float | None, why: str) -> None:
        seconds = wait_of(tried, asked, self._patience.draw())
        self._patience.tell(f"{why}; trying again in {seconds:.1f} s")
        self._patience.pause(seconds)


def wait_of(tried: int, asked: float | None, drawn: float) -> float:
    """Seconds before the next try: what the server asks for, or twice as long each time, less up to a half of it so
    that many do not come back together."""
    wait = asked if asked is not None else _FIRST_WAIT * 2 ** (tried - 1) * (1 - drawn / 2)
    return min(max(wait, 0.0), LONGEST_WAIT)


def read(answer: Answer) -> dict[str, Any]:
    """The `data` of an answer. Raises `ApiRefused`, `NotSignedIn`, `Unreachable`."""
    body = _object(answer)
    errors = body.get("errors")
    if errors:
        raise _refusal(errors[0] if isinstance(errors, list) else errors)
    if answer.status == httpx.codes.UNAUTHORIZED:
        raise _not_signed_in(body.get("message"))
    if answer.status in _BUSY:
        raise Unreachable("UNAVAILABLE", f"got HTTP {answer.status} from {answer.url} again and again: try later")
    if answer.status == httpx.codes.FORBIDDEN:
        raise ApiRefused("FORBIDDEN", f"got {shown(body.get('message'))} from {answer.url}")
    if answer.status != httpx.codes.OK or not isinstance(body.get("data"), dict):
        raise _no_lobby(answer, f"HTTP {answer.status}")
    data: dict[str, Any] = body["data"]
    return data


def _object(answer: Answer) -> dict[str, Any]:
    if answer.status in _BUSY:
        return {}
    if answer.kind not in ("application/json", "application/graphql-response+json"):
        raise _no_lobby(answer, answer.kind or "an answer of no type")
    try:
        body = json.loads(answer.text)
    except (ValueError, RecursionError):
        raise _no_lobby(answer, "a broken answer") from None
    if not isinstance(body, dict):
        raise _no_lobby(answer, "JSON of another shape")
    return body


def _refusal(error: Any) -> ApiRefused | NotSignedIn:
    known: dict[str, Any] = error if isinstance(error, dict) else {}
    extensions = known.get("extensions") or {}
    code, message = str(extensions.get("code") or "REFUSED"), str(known.get("message") or "no reason given")
    if code == "UNAUTHENTICATED":
        return _not_signed_in(message)
    return ApiRefused(code, message, extensions.get("correlationId"))


def _not_signed_in(message: object) -> NotSignedIn:
    return NotSignedIn("NOT_SIGNED_IN", f"got a sign-in that the lobby refuses ({message}), want a new one: {_LOGIN}")


def _no_lobby(answer: Answer, what: str) -> Unreachable:
    return Unreachable("NOT_A_LOBBY", f"got {what} from {answer.url}, want a lobby's JSON: is the address right?")
