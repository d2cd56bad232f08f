"""Every failure the lobby can expect, as one small tree with stable codes.

    LobbyError
    ├── InvalidInput      the caller's value breaks a rule: INVALID_FINGERPRINT, INVALID_ACCOUNT, …
    ├── NotFound          UNKNOWN_DEVICE, UNKNOWN_TARGET, UNKNOWN_PROFILE
    ├── Conflict          the state forbids it: ALREADY_CLAIMED, NOT_ALLOWED, CHANGED_MEANWHILE, …
    ├── IdentityRefused   a certificate that may not come in; the code is the ledger's `reason`
    └── MissingSettings   the process was started without settings it needs: MISSING_SETTINGS

Codes are part of the contract: GraphQL, the command line and the ledger show them unchanged. Messages say
what was got and what is wanted, and are fit for the person who caused them.
"""


class LobbyError(Exception):
    """Base of all expected failures. `code` is stable; `message` is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class InvalidInput(LobbyError):
    """A value breaks a rule; nothing was changed."""


class NotFound(LobbyError):
    """No such device, target or profile."""


class Conflict(LobbyError):
    """The device's present state does not allow what was asked; nothing was changed."""


class IdentityRefused(LobbyError):
    """A certificate that may not enter the lobby, with the reason code the ledger keeps."""


class MissingSettings(LobbyError):
    """Settings without which the process cannot run; the message names all of them."""
