"""What can be wrong with a device before it has said a word.

    LobbyError
    ├── InvalidInput        a setting breaks a rule: INVALID_ENDPOINT, INVALID_SETTING, …
    ├── MissingSettings     MISSING_SETTINGS, naming all of them
    └── DeviceError
        ├── BadCredentials  CERTIFICATE_UNREADABLE, KEY_UNREADABLE, KEY_MISMATCH, CA_UNREADABLE
        └── StateFault      STATE_DIR_UNUSABLE, STATE_DIR_IN_USE: the folder for the route cannot serve

Once it runs, nothing is raised any more: what happens is an event, is written to the log, and the journey goes on.
"""

from lobby.errors import LobbyError


class DeviceError(LobbyError):
    """Base of what only the device client raises."""


class BadCredentials(DeviceError):
    """The certificate, its key or the servers' CA cannot be used as they are."""


class StateFault(DeviceError):
    """The folder that shall keep the route cannot."""
