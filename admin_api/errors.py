"""Errors that only the admin API raises. A `LobbyError` is expected and has a stable code. An `ApiFault` is a fault of
the lobby itself.

LobbyError
├── Unauthenticated   no access token, or an invalid one: UNAUTHENTICATED
├── Forbidden         a valid token whose user may not do this: FORBIDDEN
├── UserBlocked       a valid token of a user whom an admin has blocked: USER_BLOCKED
└── InvalidInput …    and the other classes of lobby.errors, with their own codes

ApiFault              masked: the caller gets INTERNAL and a correlation id
├── KeysUnavailable   the user pool's public keys are unavailable, so no token can be verified
├── SurveyFailed      the surveyor failed or returned a malformed response
├── ComparisonFailed  the reconciler failed or returned a malformed response
└── RegistrarFailed   the registrar failed or returned a malformed response
"""

from typing import Any

from lobby.errors import LobbyError


def error_body(code: str, message: str, **extensions: str | int) -> dict[str, Any]:
    """Return an error in the shape of a GraphQL error."""
    return {"message": message, "extensions": {"code": code, **extensions}}


class Unauthenticated(LobbyError):
    """The caller has no valid access token. The message names the failed check, never the token's content."""

    def __init__(self, message: str) -> None:
        super().__init__("UNAUTHENTICATED", message)


class Forbidden(LobbyError):
    """The caller is authenticated but not authorised."""

    def __init__(self, message: str) -> None:
        super().__init__("FORBIDDEN", message)


class UserBlocked(LobbyError):
    """The caller is authenticated, and an admin has blocked them."""

    def __init__(self) -> None:
        super().__init__("USER_BLOCKED", "got a request of a user whom an admin has blocked; an admin can unblock them")


class ApiFault(Exception):
    """A fault behind the API. It is logged. The caller gets only its correlation id."""


class KeysUnavailable(ApiFault):
    """The user pool's public keys cannot be fetched or parsed."""


class SurveyFailed(ApiFault):
    """The surveyor failed or returned a malformed response."""


class ComparisonFailed(ApiFault):
    """The reconciler failed or returned a malformed response."""


class RegistrarFailed(ApiFault):
    """The registrar failed or returned a malformed response."""
