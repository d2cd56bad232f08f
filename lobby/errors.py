"""All expected failures, as one tree of exceptions with stable codes.

    LobbyError
    ├── InvalidInput      a value breaks a rule: INVALID_FINGERPRINT, INVALID_ACCOUNT, …
    ├── NotFound          UNKNOWN_DEVICE, UNKNOWN_TARGET, UNKNOWN_PROFILE
    ├── Conflict          the device's state does not allow it: ALREADY_CLAIMED, NOT_ALLOWED, CHANGED_MEANWHILE, …
    ├── RateLimited       a user has exceeded a limit of requests: RATE_LIMITED
    ├── IdentityRefused   a certificate is refused; the code is the ledger's `reason`
    ├── MessageRejected   a message in a queue is not authentic: BAD_SIGNATURE, WRONG_TOPIC, …
    ├── CertificateUnavailable   the certificate of a signature cannot be fetched: CERTIFICATE_UNAVAILABLE
    ├── NotHome           this Region may not write the ledger now: NOT_HOME, LEASE_EXPIRED, NO_HOME, …
    └── MissingSettings   the process was started without required settings: MISSING_SETTINGS

Codes are part of the contract: GraphQL, the command line and the ledger show them unchanged. Messages state what was
received ("got") and what is required ("want"), for the user who caused the error.
"""


class LobbyError(Exception):
    """Base of all expected failures. `code` is stable; `message` is for users."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class InvalidInput(LobbyError):
    """A value breaks a rule. Nothing was changed."""


class NotFound(LobbyError):
    """No such device, target or profile."""


class Conflict(LobbyError):
    """The device's current state does not allow the request. Nothing was changed."""


class RateLimited(LobbyError):
    """A user has exceeded a limit of requests. Nothing was changed. `retry_after` is the wait in seconds until the
    request can succeed."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__("RATE_LIMITED", message)
        self.retry_after = retry_after


class IdentityRefused(LobbyError):
    """A certificate is not admitted to the lobby. `code` is the reason that the ledger records."""


class MessageRejected(LobbyError):
    """A message is not authentic, and trying again cannot help. Nothing was changed."""


class CertificateUnavailable(LobbyError):
    """The certificate that verifies a message cannot be fetched now."""


class NotHome(LobbyError):
    """A lobby with several Regions does not write here now. Nothing was changed."""


class MissingSettings(LobbyError):
    """Required settings are missing; the message names all of them."""
