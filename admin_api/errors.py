"""The failures that only the API has; the rest of its tree is `lobby.errors`.

LobbyError
├── Unauthenticated   no token, or one that does not hold: UNAUTHENTICATED
├── Forbidden         a token that holds, whose bearer may not do this: FORBIDDEN
└── InvalidInput …    and the other classes of lobby.errors, with their own codes

ApiFault              ours to mend, never shown; the caller sees INTERNAL and a correlation id
├── KeysUnavailable   the user pool's public keys cannot be had, so that no token can be judged
├── SurveyFailed      the surveyor did not answer as it should
└── ComparisonFailed  the reconciler did not
"""

from lobby.errors import LobbyError


class Unauthenticated(LobbyError):
    """Who is asking is not proven. The message says which check failed, never what the token held."""

    def __init__(self, message: str) -> None:
        super().__init__("UNAUTHENTICATED", message)


class Forbidden(LobbyError):
    """Who is asking is known, and may not."""

    def __init__(self, message: str) -> None:
        super().__init__("FORBIDDEN", message)


class ApiFault(Exception):
    """Something behind the API is not as it should be; the log has it, the caller has its correlation id."""


class KeysUnavailable(ApiFault):
    """The user pool's public keys cannot be fetched or read."""


class SurveyFailed(ApiFault):
    """The surveyor failed, or answered in a shape that is not agreed."""


class ComparisonFailed(ApiFault):
    """The reconciler failed, or answered in a shape that is not agreed."""
