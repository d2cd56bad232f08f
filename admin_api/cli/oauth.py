"""The sign-in's protocol without its input and output: authorization code with PKCE, for a public client (RFC 6749,
7636, 8252). oauthlib checks and builds the messages; what a browser or a server said is turned into a value or into
`NotSignedIn`. Nothing here opens a connection.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from admin_api.cli.errors import NotSignedIn, Unreachable
from admin_api.cli.http import Answer, checked_url
from lobby.names import shown

_VERIFIER_LENGTH: Final = 64
_UNKNOWN_LIFE: Final = 300
_PARSED_AS: Final = "https://localhost/"
"""oauthlib parses answers that came over TLS only. Over loopback there is none, and it reads nothing but the query."""


@dataclass(frozen=True)
class SignIn:
    """A lobby's `sign-in.json`: where one signs in there, and as which client."""

    authorize_url: str
    token_url: str
    revoke_url: str | None
    client_id: str
    scope: str


@dataclass(frozen=True)
class Ceremony:
    """One sign-in: what the browser is sent with, and the two secrets that its answer is checked by."""

    facts: SignIn
    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def address(self) -> str:
        """Where the browser goes."""
        asked = {
            "response_type": "code",
            "client_id": self.facts.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.facts.scope,
            "state": self.state,
            "code_challenge_method": "S256",
            "code_challenge": _library(self.facts).create_code_challenge(self.verifier, "S256"),
        }
        return str(httpx.URL(self.facts.authorize_url).copy_merge_params(asked))


@dataclass(frozen=True)
class Granted:
    """Tokens, and for how many seconds the first one holds. `refresh_token` is None where the old one goes on."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int


def read_sign_in(answer: Answer) -> SignIn:
    """Raises `Unreachable` NOT_A_LOBBY, `InvalidInput` INVALID_URL."""
    try:
        body = json.loads(answer.text) if answer.status == httpx.codes.OK else None
        urls, rest = _facts(body)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreachable(
            "NOT_A_LOBBY",
            f"got HTTP {answer.status}, {answer.kind or 'no type'}, from {answer.url}, want a lobby's sign-in.json: "
            "is this the console's address?",
        ) from None
    authorize, token, revoke = (url and checked_url(url, f"an address in {answer.url}") for url in urls)
    return SignIn(str(authorize), str(token), revoke, *rest)


def begin(facts: SignIn, redirect_uri: str, state: str) -> Ceremony:
    """`state` is unguessable."""
    return Ceremony(facts, redirect_uri, state, _library(facts).create_code_verifier(_VERIFIER_LENGTH))


def code_in(ceremony: Ceremony, query: str) -> str:
    """The code in the query that the browser came back with. Raises `NotSignedIn`."""
    try:
        answer = _library(ceremony.facts).parse_request_uri_response(f"{_PARSED_AS}?{query}", state=ceremony.state)
    except OAuth2Error as refusal:
        raise _not_granted(refusal) from refusal
    return str(answer["code"])


def exchange_form(ceremony: Ceremony, code: str) -> str:
    """What is POSTed for a code."""
    made: str = _library(ceremony.facts).prepare_request_body(
        code=code, redirect_uri=ceremony.redirect_uri, code_verifier=ceremony.verifier
    )
    return made


def refresh_form(client_id: str, refresh_token: str) -> str:
    """What is POSTed for another access token."""
    made: str = WebApplicationClient(client_id).prepare_refresh_body(refresh_token=refresh_token, client_id=client_id)
    return made


def granted(answer: Answer) -> Granted:
    """The tokens in the answer. Raises `NotSignedIn`; `Unreachable` where it is none of a sign-in's."""
    try:
        tokens = _tokens(json.loads(answer.text))
    except OAuth2Error as refusal:
        raise _not_granted(refusal) from refusal
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreachable(
            "NOT_A_LOBBY", f"got HTTP {answer.status}, {answer.kind or 'no type'}, from {answer.url}, want tokens"
        ) from None
    return tokens


def _tokens(body: Any) -> Granted:
    if not isinstance(body, dict):
        raise TypeError("no object")
    tokens = WebApplicationClient("").parse_request_body_response(json.dumps(body))
    access, refresh, life = tokens["access_token"], tokens.get("refresh_token"), tokens.get("expires_in")
    if not isinstance(access, str) or not isinstance(refresh, str | None):
        raise TypeError("a token is no text")
    return Granted(access, refresh, int(life or _UNKNOWN_LIFE))


def _facts(body: Any) -> tuple[tuple[str, str, str | None], tuple[str, str]]:
    urls = body["authorize_url"], body["token_url"], body.get("revoke_url")
    words = str(body["client_id"]), str(body["scope"])
    if not all(isinstance(url, str) for url in urls[:2]) or not isinstance(urls[2], str | None):
        raise TypeError("an address is no text")
    return urls, words


def _library(facts: SignIn) -> Any:
    return WebApplicationClient(facts.client_id)


def _not_granted(refusal: OAuth2Error) -> NotSignedIn:
    said = f"{refusal.error}" + (f": {shown(refusal.description)}" if refusal.description else "")
    if refusal.error == "mismatching_state":
        return NotSignedIn("SIGN_IN_STATE", "got the answer to another sign-in than this one, want this one's")
    if refusal.error == "access_denied":
        return NotSignedIn("SIGN_IN_DENIED", f"got a no from the sign-in page ({said})")
    if refusal.error == "invalid_grant":
        return NotSignedIn("SIGN_IN_ENDED", f"got a sign-in that holds no longer ({said}), want a new one")
    return NotSignedIn("SIGN_IN_FAILED", f"got {said} from the sign-in")
