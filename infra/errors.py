"""Why an app of stacks cannot be built.

InfraError
├── BadContext      settings that are missing or wrong, all of them in one message: BAD_CONTEXT
└── BundleFailed    a Lambda's code could not be put together: NO_INSTALLER, INSTALL_FAILED, FILE_TOO_LARGE,
                  NOT_BUILT
"""

from lobby.errors import LobbyError


class InfraError(LobbyError):
    """Base of what `infra` expects to go wrong."""


class BadContext(InfraError):
    """The app's context does not say what is to be deployed."""


class BundleFailed(InfraError):
    """The code of a Lambda could not be bundled; nothing was left half done."""
