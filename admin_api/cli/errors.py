"""The failures that only the command line has; `lobby.errors` has the root and those of values.

LobbyError
├── ApiRefused     the API said no; its own code and message
├── NotSignedIn    no sign-in, or one that holds no longer: NOT_SIGNED_IN, SIGN_IN_…, TOKENS_…
├── Unreachable    no answer, or none of a lobby: UNREACHABLE, TIMED_OUT, UNAVAILABLE, NOT_A_LOBBY
├── Unfinished     a wait that ended otherwise than wished: WAIT_EXPIRED, DEVICE_FAILED
└── InvalidInput   a value to correct, with its own code

`exits` turns codes into exit statuses.
"""

from lobby.errors import InvalidInput, LobbyError


class ApiRefused(LobbyError):
    """The API's answer was an error. `correlation` finds it in the lobby's log, where it is the lobby's to mend."""

    def __init__(self, code: str, message: str, correlation: str | None = None) -> None:
        super().__init__(code, f"{message} (correlation id {correlation})" if correlation else message)


class NotSignedIn(LobbyError):
    """Nobody is signed in, or the sign-in did not come about."""


class Unreachable(LobbyError):
    """There is no telling what the lobby thinks. `sent` says whether the request may have been carried out."""

    def __init__(self, code: str, message: str, *, sent: bool = True) -> None:
        super().__init__(code, message)
        self.sent = sent


class Unfinished(LobbyError):
    """What was asked for has begun, and did not end well or in time."""


def wrong_use(message: str, code: str = "WRONG_USE") -> InvalidInput:
    """Options that do not go together, or a value that breaks a rule of the command line's own."""
    return InvalidInput(code, message)
