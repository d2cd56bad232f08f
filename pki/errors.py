"""Every failure the manufacturer's tools can expect, as one small tree with stable codes.

    lobby.errors.LobbyError
    ├── lobby.errors.InvalidInput   the caller's value breaks a rule; nothing was changed (exit 2)
    └── PkiError                    the work could not be done (exit 1)
        ├── StorageError            EXISTS, BROKEN_FILE, BUSY, NO_LINKS, NOT_FOUND
        ├── AuthorityError          CA_EXISTS, NO_CA, BAD_PASSPHRASE, CA_KEY_MISMATCH, CA_NOT_VALID, …
        ├── LabelError              LABEL_SIZE
        └── RegistrationError       NO_LOBBY, CRL_STALE, CRL_OLDER, CA_MODE, AWS_REFUSED, …

Messages say what was got and what is wanted, and name the file where there is one.
"""

from lobby.errors import LobbyError


class PkiError(LobbyError):
    """Base of the expected failures that are not the caller's wrong value."""


class StorageError(PkiError):
    """A file or directory is not as it must be; nothing was overwritten."""


class AuthorityError(PkiError):
    """The certificate authority is missing, incomplete, locked or not valid now."""


class LabelError(PkiError):
    """A label does not come out as it must."""


class RegistrationError(PkiError):
    """The lobby's account refused, or is not as it must be."""
