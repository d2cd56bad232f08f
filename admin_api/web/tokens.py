"""Whose token it is: the access token, verified again inside the application.

API Gateway's authorizer has checked it before; this does not rely on it. Checked are the signature (RS256
and nothing else, by a key of the user pool), issuer, expiry, `client_id` (Cognito's access tokens carry no
`aud`) and `token_use`, as the Amazon Cognito developer guide's "Verifying JSON web tokens" asks. There is
no way to turn any of it off. The keys are fetched at the first token, and again at an unknown key id, but
no more often than once a minute.
"""

import json
from collections.abc import Callable
from typing import Any, Final

import jwt
from jwt.utils import base64url_decode

from admin_api.errors import KeysUnavailable, Unauthenticated
from admin_api.roles import Caller, caller_of
from admin_api.settings import Settings

KeyOf = Callable[[str], jwt.PyJWK]
"""The user pool's public key of a key id. Raises PyJWT's `PyJWKClientError` for one it has not, and
`KeysUnavailable`."""

_REQUIRED: Final = ["exp", "iat", "iss", "sub", "client_id", "token_use"]
_LEEWAY: Final = 5
"""Seconds that our clock may differ from the user pool's."""
_ACCESS: Final = "access"
_MAX_TOKEN: Final = 16 * 1024
_MAX_NAME: Final = 128
"""A Cognito username's length (API reference, AdminCreateUser)."""


def pool_keys(settings: Settings) -> KeyOf:
    """The keys of the deployed user pool. Nothing is fetched before the first token comes."""
    client = jwt.PyJWKClient(settings.jwks_url, lifespan=12 * 3600, timeout=3, cooldown_duration=60)

    def key_of(kid: str) -> jwt.PyJWK:
        try:
            client.get_signing_keys()
        except (jwt.PyJWTError, ValueError) as fault:
            raise KeysUnavailable(f"cannot have the user pool's keys: {fault}") from fault
        try:
            return client.get_signing_key(kid)
        except (jwt.exceptions.PyJWKClientConnectionError, jwt.exceptions.PyJWKSetError, ValueError) as fault:
            raise KeysUnavailable(f"cannot have the user pool's keys anew: {fault}") from fault

    return key_of


class Verifier:
    """Turns an Authorization header into the caller."""

    def __init__(self, issuer: str, client_id: str, key_of: KeyOf) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._key_of = key_of

    def caller(self, authorization: str | None) -> Caller:
        """Raises `Unauthenticated`; `Forbidden` for somebody without a role; `KeysUnavailable`."""
        claims = self._claims(_token_in(authorization))
        name = claims.get("username") or claims["sub"]
        groups = claims.get("cognito:groups") or []
        if not _is_name(name) or not isinstance(groups, list):
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
        except jwt.PyJWTError as refusal:
            raise Unauthenticated(f"got a token that does not hold ({_kind(refusal)}), want a valid one") from refusal
        _require_each_once(token)
        if claims["token_use"] != _ACCESS:
            raise Unauthenticated("got another kind of token, want an access token")
        if claims["client_id"] != self._client_id:
            raise Unauthenticated("got a token of another app client, want one of this lobby's")
        return claims

    def _key(self, token: str) -> jwt.PyJWK:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
            raise Unauthenticated("got a token that is not signed with RS256 by a named key, want one that is")
        return self._key_of(header["kid"])


def _is_name(name: object) -> bool:
    """Whether it can stand in the history and in a line of the log, and pass for nothing else there."""
    return isinstance(name, str) and 0 < len(name) <= _MAX_NAME and name.isprintable()


def _require_each_once(token: str) -> None:
    """RFC 7519, section 4. Of a name that is there twice, one parser may take the first and another the last: the
    gateway's and ours would have looked at different tokens."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise Unauthenticated("got a token in which a name is there twice, want each once")
        return dict(pairs)

    for part in token.split(".")[:2]:
        json.loads(base64url_decode(part), object_pairs_hook=unique)


def _kind(refusal: jwt.PyJWTError) -> str:
    """Which check failed. The library's message may quote the token, its class never does."""
    kind = type(refusal).__name__.removesuffix("Error")
    return "UnknownKey" if kind == "PyJWKClient" else kind


def _token_in(authorization: str | None) -> str:
    """The token, after ``Bearer`` or bare, as API Gateway's authorizer takes it too."""
    words = (authorization or "").split()
    if len(words) == 2 and words[0].lower() == "bearer":
        words = words[1:]
    if len(words) != 1 or len(words[0]) > _MAX_TOKEN:
        raise Unauthenticated("got no access token, want an Authorization header: Bearer <token>")
    return words[0]
