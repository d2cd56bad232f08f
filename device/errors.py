"""Every error that the device client raises.

    LobbyError
    ├── InvalidInput        a setting breaks a rule: INVALID_ENDPOINT, INVALID_SETTING, …
    ├── MissingSettings     MISSING_SETTINGS; the message lists all of them
    └── DeviceError
        ├── BadCredentials  CERTIFICATE_UNREADABLE, CERTIFICATE_UNSUITABLE, KEY_UNREADABLE, KEY_MISMATCH,
        │                   CA_UNREADABLE, CLAIM_CERTIFICATE_EXPIRED
        ├── ProvisioningImpossible  PROVISIONING_IMPOSSIBLE: no attempt can succeed with this template
        └── StateDirError   STATE_DIR_UNUSABLE, STATE_DIR_IN_USE
    OSError
    └── NotAFileError       a folder, pipe, socket or device has the name of the route file

These are raised at startup only, except `ProvisioningImpossible` and `NotAFileError`, which the storage handles.
Otherwise a running client raises nothing: every failure becomes an event and a log line, and the client continues.
Messages read "got X, want Y".
"""

from lobby.errors import LobbyError


class DeviceError(LobbyError):
    """Base of the errors that only the device client raises."""


class BadCredentials(DeviceError):
    """The certificate, its key or the CA file is unusable."""


class ProvisioningImpossible(DeviceError):
    """According to the lobby's answers, the device can never get a certificate with these settings."""


class StateDirError(DeviceError):
    """The state directory cannot be created, opened or locked."""


class NotAFileError(OSError):
    """The path exists and is not a regular file."""
