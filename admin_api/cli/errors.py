"""The command line's own errors. The base class and the errors about values are in `lobby.errors`.

    LobbyError
    ├── ApiRefused     the API refused the request; has the API's code and message
    ├── NotSignedIn    there is no valid sign-in: NOT_SIGNED_IN, SIGN_IN_…, TOKENS_…
    ├── Unreachable    there is no answer, or none from a lobby: UNREACHABLE, TIMED_OUT, UNAVAILABLE, NOT_A_LOBBY
    ├── Unfinished     a wait did not reach its goal: WAIT_EXPIRED, DEVICE_FAILED
    ├── InvalidInput   a value, file or option to correct; `usage_error` creates those of the command line
    └── NotFound       UNKNOWN_DEVICE, UNKNOWN_TARGET, UNKNOWN_PROFILE

`exits` maps each code to an exit status.
"""

from lobby.errors import InvalidInput, LobbyError


class ApiRefused(LobbyError):
    """The API answered with an error. `correlation` identifies an internal error in the lobby's log."""

    def __init__(self, code: str, message: str, correlation: str | None = None) -> None:
        super().__init__(code, f"{message} (correlation id {correlation})" if correlation else message)


class NotSignedIn(LobbyError):
    """No user is signed in, or the sign-in failed or expired."""


class Unreachable(LobbyError):
    """The lobby gave no usable answer. `sent` is False if the request was certainly not carried out."""

    def __init__(self, code: str, message: str, *, sent: bool = True) -> None:
        super().__init__(code, message)
        self.sent = sent


class Unfinished(LobbyError):
    """The request was accepted, but the device failed or did not arrive in time."""


def usage_error(message: str, code: str = "WRONG_USE") -> InvalidInput:
    """Return the error for a value that breaks one of the command line's rules, or for options that conflict."""
    return InvalidInput(code, message)
