"""Who is signed in: the two ways to have an access token.

A local deployment's `lobby.json` has passwords, which are good for a token each time. Anywhere else the tokens that
`lobbyctl login` brought are used, renewed by the refresh token a minute before they end, and kept.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import httpx

from admin_api.cli.errors import NotSignedIn, Unreachable
from admin_api.cli.http import Answer, exchange
from admin_api.cli.lobby_location import LocalLobby, person
from admin_api.cli.profiles import Profile, Profiles

EARLY: Final = 60
"""Seconds before a token's end at which it counts as ended."""
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class PasswordSession:
    """Signed in by the password that a local deployment's file has for this role."""

    lobby: LocalLobby
    role: str
    http: httpx.Client
    _held: str | None = None

    def token(self) -> str:
        self._held = self._held or self.renew()
        return self._held

    def renew(self) -> str:
        """Amazon Cognito user pools API reference, InitiateAuth."""
        user, password = person(self.lobby, self.role)
        answer = exchange(
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
        self._held = _token_in(answer, user)
        return self._held


def _token_in(answer: Answer, user: str) -> str:
    try:
        body = json.loads(answer.text)
        if answer.status != httpx.codes.OK:
            kind = str(body.get("__type") or f"HTTP {answer.status}").rpartition("#")[2]
            raise NotSignedIn(
                "SIGN_IN_FAILED", f"got {kind} for user {user}: {body.get('message') or 'no reason given'}"
            )
        return str(body["AuthenticationResult"]["AccessToken"])
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Unreachable(
            "NOT_A_LOBBY",
            f"got HTTP {answer.status}, {answer.kind or 'no type'}, from {answer.url}, want Cognito's answer",
        ) from fault


@dataclass
class KeptSession:
    """Signed in by `lobbyctl login`. `clock` gives the seconds since 1970."""

    profile: Profile
    profiles: Profiles
    http: httpx.Client
    clock: Callable[[], float]

    def token(self) -> str:
        if self.clock() < self.profile.expires_at - EARLY:
            return self.profile.access_token
        return self.renew()

    def renew(self) -> str:
        held = self.profile
        if held.refresh_token is None:
            raise self._ended(None)
        from admin_api.cli import oauth  # noqa: PLC0415  # its library takes longer to import than most commands to run

        form = oauth.refresh_form(held.client_id, held.refresh_token)
        try:
            fresh = oauth.granted(exchange(self.http, held.token_url, content=form, headers=FORM))
        except NotSignedIn as refusal:
            raise self._ended(refusal) from refusal
        self.profile = replace(
            held,
            access_token=fresh.access_token,
            refresh_token=fresh.refresh_token or held.refresh_token,
            expires_at=self.clock() + fresh.expires_in,
        )
        self.profiles.keep(self.profile)
        return self.profile.access_token

    def _ended(self, refusal: NotSignedIn | None) -> NotSignedIn:
        why = f" ({refusal.message})" if refusal else ""
        url = self.profile.url
        return NotSignedIn("NOT_SIGNED_IN", f"the sign-in to {url} has ended{why}: lobbyctl login --url {url}")
