"""The authorization code flow with PKCE for a public client (RFC 6749, 7636, 8252), without I/O.

oauthlib builds and checks the messages; this module turns responses into values or `NotSignedIn`. It opens no
connections.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from admin_api.cli.api.http import Response, checked_token, checked_url
from admin_api.cli.errors import NotSignedIn, Unreachable
from lobby import strict_json
from lobby.names import shown

_VERIFIER_LENGTH: Final = 64
_DEFAULT_LIFETIME: Final = 300
MAX_LIFETIME: Final = 366 * 86_400
"""Seconds. Cognito's access tokens are valid for a day at most."""
_PARSED_AS: Final = "https://localhost/"
"""The address under which oauthlib parses the loopback response: it accepts https only, and reads only the query."""


@dataclass(frozen=True)
class SignInEndpoints:
    """A lobby's `sign-in.json`: the OAuth endpoints and the client id."""

    authorize_url: str
    token_url: str
    revoke_url: str | None
    client_id: str
    scope: str


@dataclass(frozen=True)
class AuthorizationRequest:
    """One sign-in. Its response must contain the secret `state`, and the exchange of its code the secret `verifier`."""

    endpoints: SignInEndpoints
    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def url(self) -> str:
        """The address that the browser opens."""
        parameters = {
            "response_type": "code",
            "client_id": self.endpoints.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.endpoints.scope,
            "state": self.state,
            "code_challenge_method": "S256",
            "code_challenge": _oauthlib(self.endpoints).create_code_challenge(self.verifier, "S256"),
        }
        return str(httpx.URL(self.endpoints.authorize_url).copy_merge_params(parameters))


@dataclass(frozen=True)
class TokenGrant:
    """A token response. `expires_in` is in seconds; `refresh_token` is None if the previous one stays valid."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int


def read_endpoints(response: Response) -> SignInEndpoints:
    """Return the endpoints in `sign-in.json`. Raise `Unreachable` NOT_A_LOBBY or `InvalidInput` INVALID_URL."""
    try:
        body = strict_json.loads(response.text) if response.status == httpx.codes.OK else None
        urls, client_id, scope = _endpoint_fields(body)
    except (ValueError, KeyError, TypeError, RecursionError):
        message = f"got {response}, want a lobby's sign-in.json: is this the console's address?"
        raise Unreachable("NOT_A_LOBBY", message) from None
    authorize, token, revoke = (url and checked_url(url, f"an address in {response.url}") for url in urls)
    return SignInEndpoints(str(authorize), str(token), revoke, client_id, scope)


def authorization_request(endpoints: SignInEndpoints, redirect_uri: str, state: str) -> AuthorizationRequest:
    """Return a request with a new code verifier. `state` must be unguessable."""
    verifier = _oauthlib(endpoints).create_code_verifier(_VERIFIER_LENGTH)
    return AuthorizationRequest(endpoints, redirect_uri, state, verifier)


def authorization_code(request: AuthorizationRequest, query: str) -> str:
    """Return the code in the query string of the browser's return. Raise `NotSignedIn`."""
    try:
        response = _oauthlib(request.endpoints).parse_request_uri_response(f"{_PARSED_AS}?{query}", state=request.state)
    except OAuth2Error as error:
        raise _not_signed_in(error) from error
    return str(response["code"])


def code_form(request: AuthorizationRequest, code: str) -> str:
    """Return the form that exchanges a code for tokens."""
    form: str = _oauthlib(request.endpoints).prepare_request_body(
        code=code, redirect_uri=request.redirect_uri, code_verifier=request.verifier
    )
    return form


def refresh_form(client_id: str, refresh_token: str) -> str:
    """Return the form that exchanges a refresh token for an access token."""
    form: str = WebApplicationClient(client_id).prepare_refresh_body(refresh_token=refresh_token, client_id=client_id)
    return form


def read_tokens(response: Response) -> TokenGrant:
    """Return the tokens in a token response. Raise `NotSignedIn`, or `Unreachable` if it is not a token response."""
    try:
        return _tokens(strict_json.loads(response.text))
    except OAuth2Error as error:
        raise _not_signed_in(error) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreachable("NOT_A_LOBBY", f"got {response}, want tokens") from None


def _tokens(body: Any) -> TokenGrant:
    if not isinstance(body, dict):
        raise TypeError("not an object")
    tokens = WebApplicationClient("").parse_request_body_response(json.dumps(body))
    access, refresh, lifetime = tokens["access_token"], tokens.get("refresh_token"), tokens.get("expires_in")
    seconds = min(max(int(lifetime or _DEFAULT_LIFETIME), 0), MAX_LIFETIME)
    return TokenGrant(checked_token(access), None if refresh is None else checked_token(refresh), seconds)


def _endpoint_fields(body: Any) -> tuple[tuple[str, str, str | None], str, str]:
    urls = body["authorize_url"], body["token_url"], body.get("revoke_url")
    client_id, scope = checked_token(body["client_id"]), checked_token(body["scope"])
    if not all(isinstance(url, str) for url in urls[:2]) or not isinstance(urls[2], str | None):
        raise TypeError("an address is not a string")
    return urls, client_id, scope


def _oauthlib(endpoints: SignInEndpoints) -> Any:
    return WebApplicationClient(endpoints.client_id)


def _not_signed_in(error: OAuth2Error) -> NotSignedIn:
    reason = f"{error.error}" + (f": {shown(error.description)}" if error.description else "")
    if error.error == "mismatching_state":
        return NotSignedIn("SIGN_IN_STATE", "got the response to another sign-in, want the response to this one")
    if error.error == "access_denied":
        return NotSignedIn("SIGN_IN_DENIED", f"the sign-in page denied access ({reason})")
    if error.error == "invalid_grant":
        return NotSignedIn("SIGN_IN_ENDED", f"the sign-in is no longer valid ({reason}): sign in again")
    return NotSignedIn("SIGN_IN_FAILED", f"got {reason} from the sign-in")
