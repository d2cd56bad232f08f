"""Access tokens for the API, from one of two sources.

`PasswordSession` uses the passwords in a local deployment's `lobby.json`. `StoredSession` uses the tokens that
`lobbyctl login` stored, and renews them with the refresh token one minute before they expire.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import httpx

from admin_api.cli.api.http import Response, checked_token, send
from admin_api.cli.errors import NotSignedIn, Unreachable
from admin_api.cli.lobby_location import LocalLobby, credentials
from admin_api.cli.sign_in.profiles import Profile, Profiles
from lobby import strict_json

RENEWAL_MARGIN: Final = 60
"""A token is renewed this many seconds before it expires."""
MAX_ERROR: Final = 200
"""The maximum number of characters that are shown of the user pool's error."""
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class PasswordSession:
    """The sign-in of a local deployment's user with the role `role`."""

    lobby: LocalLobby
    role: str
    http: httpx.Client
    _token: str | None = None

    def token(self) -> str:
        self._token = self._token or self.renew()
        return self._token

    def renew(self) -> str:
        """Sign in with the password (Amazon Cognito user pools API reference, InitiateAuth)."""
        user, password = credentials(self.lobby, self.role)
        response = send(
            self.http,
            self.lobby.cognito_url,
            json={
                "AuthFlow": "USER_PASSWORD_AUTH",
                "ClientId": self.lobby.client_id,
                "AuthParameters": {"USERNAME": user, "PASSWORD": password},
            },
            headers={
                "x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth",
                "content-type": "application/x-amz-json-1.1",
            },
        )
        self._token = _access_token(response, user)
        return self._token


def _access_token(response: Response, user: str) -> str:
    try:
        body = strict_json.loads(response.text)
        if response.status != httpx.codes.OK:
            error_type = str(body.get("__type") or f"HTTP {response.status}").rpartition("#")[2][:MAX_ERROR]
            reason = str(body.get("message") or "no reason given")[:MAX_ERROR]
            raise NotSignedIn("SIGN_IN_FAILED", f"got {error_type} for user {user}: {reason}")
        return checked_token(body["AuthenticationResult"]["AccessToken"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreachable("NOT_A_LOBBY", f"got {response}, want a response of Cognito") from error


@dataclass
class StoredSession:
    """The sign-in that `lobbyctl login` stored. `timestamp` returns the seconds since 1970."""

    profile: Profile
    profiles: Profiles
    http: httpx.Client
    timestamp: Callable[[], float]

    def token(self) -> str:
        if self.timestamp() < self.profile.expires_at - RENEWAL_MARGIN:
            return self.profile.access_token
        return self.renew()

    def renew(self) -> str:
        """Exchange the refresh token for an access token and store it."""
        stored = self.profile
        if stored.refresh_token is None:
            raise self._expired(None)
        from admin_api.cli.sign_in import oauth  # noqa: PLC0415  # oauthlib takes longer to import than most commands to run

        form = oauth.refresh_form(stored.client_id, stored.refresh_token)
        try:
            tokens = oauth.read_tokens(send(self.http, stored.token_url, content=form, headers=FORM))
        except NotSignedIn as error:
            raise self._expired(error) from error
        self.profile = replace(
            stored,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token or stored.refresh_token,
            expires_at=self.timestamp() + tokens.expires_in,
        )
        self.profiles.store(self.profile)
        return self.profile.access_token

    def _expired(self, error: NotSignedIn | None) -> NotSignedIn:
        reason = f" ({error.message})" if error else ""
        url = self.profile.url
        message = f"the sign-in to {url} has expired{reason}: run lobbyctl login --url {url}"
        return NotSignedIn("NOT_SIGNED_IN", message)
