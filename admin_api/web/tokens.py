"""Authentication: verifies access tokens.

API Gateway's authorizer has already verified the token, but this module does not rely on it. It verifies the signature
(RS256 only, by a key of the user pool), issuer, expiry, `client_id` (Cognito's access tokens have no `aud`) and
`token_use`, as the Amazon Cognito developer guide, "Verifying JSON web tokens", requires. No setting disables a check.
The keys are fetched for the first token, and again for an unknown key id, at most once a minute.
"""

from collections.abc import Callable
from typing import Any, Final

import jwt
from jwt.utils import base64url_decode

from admin_api.errors import KeysUnavailable, Unauthenticated
from admin_api.roles import Caller, caller_of
from admin_api.settings import Settings
from lobby import strict_json

KeyLookup = Callable[[str], jwt.PyJWK]
"""Returns the user pool's public key for a key id. Raises PyJWT's `PyJWKClientError` for an unknown key id, and
`KeysUnavailable`."""

_REQUIRED: Final = ["exp", "iat", "iss", "sub", "client_id", "token_use"]
_LEEWAY: Final = 5
"""The permitted difference between the clocks of the Lambda and the user pool, in seconds."""
_ACCESS: Final = "access"
_MAX_TOKEN: Final = 16 * 1024
_MAX_NAME: Final = 128
"""The length of a Cognito user name (API reference, AdminCreateUser)."""


def user_pool_keys(settings: Settings) -> KeyLookup:
    """Return a lookup for the keys of the deployed user pool. It fetches nothing before the first token."""
    client = jwt.PyJWKClient(settings.jwks_url, lifespan=12 * 3600, timeout=3, cooldown_duration=60)

    def key_for(kid: str) -> jwt.PyJWK:
        try:
            client.get_signing_keys()
        except (jwt.PyJWTError, ValueError) as error:
            raise KeysUnavailable(f"cannot fetch the user pool's keys: {error}") from error
        try:
            return client.get_signing_key(kid)
        except (jwt.exceptions.PyJWKClientConnectionError, jwt.exceptions.PyJWKSetError, ValueError) as error:
            raise KeysUnavailable(f"cannot refresh the user pool's keys: {error}") from error

    return key_for


class TokenVerifier:
    """Verifies the token in an Authorization header and returns the caller."""

    def __init__(self, issuer: str, client_id: str, key_for: KeyLookup) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._key_for = key_for

    def caller(self, authorization: str | None) -> Caller:
        """Return the caller whose access token a request contains. Raise `Unauthenticated`, `Forbidden` for a user
        without a role, or `KeysUnavailable`."""
        claims = self._claims(_bearer_token(authorization))
        name = claims.get("username") or claims["sub"]
        groups = claims.get("cognito:groups") or []
        if not _is_valid_name(name) or not isinstance(groups, list):
            raise Unauthenticated("got a token whose username or groups are malformed")
        return caller_of(name, [group for group in groups if isinstance(group, str)])

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(token),
                algorithms=["RS256"],
                issuer=self._issuer,
                leeway=_LEEWAY,
                options={"require": _REQUIRED, "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"got an invalid token ({_failed_check(error)}), want a valid one") from error
        _require_unique_names(token)
        if claims["token_use"] != _ACCESS:
            raise Unauthenticated("got a token of another kind, want an access token")
        if claims["client_id"] != self._client_id:
            raise Unauthenticated("got a token for another app client, want one for this lobby's")
        return claims

    def _key(self, token: str) -> jwt.PyJWK:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
            raise Unauthenticated("got a token without alg RS256 or without a key id, want both")
        return self._key_for(header["kid"])


def _is_valid_name(name: object) -> bool:
    """Return whether the name is safe in histories and log lines."""
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isprintable()


def _require_unique_names(token: str) -> None:
    """Reject duplicate names in header and claims (RFC 7519, section 4). Some parsers use the first value and others
    the last, so the gateway and this module could verify different tokens."""
    try:
        for part in token.split(".")[:2]:
            strict_json.loads(base64url_decode(part))
    except ValueError as error:
        raise Unauthenticated(f"got a token with invalid JSON ({error}), want a valid one") from None


def _failed_check(error: jwt.PyJWTError) -> str:
    """Return which check failed. The library's message may quote the token, but the name of its class does not."""
    kind = type(error).__name__.removesuffix("Error")
    return "UnknownKey" if kind == "PyJWKClient" else kind


def _bearer_token(authorization: str | None) -> str:
    """Return the token, with or without `Bearer`, as API Gateway's authorizer accepts it."""
    words = (authorization or "").split()
    if len(words) == 2 and words[0].lower() == "bearer":
        words = words[1:]
    if len(words) != 1 or len(words[0]) > _MAX_TOKEN:
        raise Unauthenticated("got no access token, want an Authorization header: Bearer <token>")
    return words[0]
