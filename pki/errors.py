"""The expected failures of the manufacturer's tools, as one tree with stable codes.

    lobby.errors.LobbyError
    ├── lobby.errors.InvalidInput   an invalid argument, file name or signing request; nothing was changed (exit 2)
    └── PkiError                    the command failed (exit 1)
        ├── StorageError            EXISTS, BROKEN_FILE, BUSY, NO_LINKS, NOT_FOUND
        ├── AuthorityError          CA_EXISTS, NO_CA, BAD_PASSPHRASE, CA_KEY_MISMATCH, CA_NOT_VALID, NO_TOKEN,
        │                           TOKEN_FAILED
        ├── LabelError              LABEL_SIZE
        └── RegistrationError       NO_LOBBY, NOT_REGISTERED, CRL_OLDER, CRL_INCOMPLETE, CRL_SHORTER, CA_MODE,
                                    BROKEN_CHAIN, AWS_REFUSED, NOT_AWS, NO_AWS, and the lobby's reason codes for devices
                                    that it would refuse (docs/manufacturer.md)

Messages have the form "got X, want Y" and contain the path of the file concerned.
"""

from lobby.errors import LobbyError


class PkiError(LobbyError):
    """Base of the expected failures that are not invalid input."""


class StorageError(PkiError):
    """A file or directory is missing, invalid or in use; nothing was overwritten."""


class AuthorityError(PkiError):
    """The CA is missing, incomplete, encrypted with another passphrase, or not valid now."""


class LabelError(PkiError):
    """A label's QR code does not have the expected size."""


class RegistrationError(PkiError):
    """AWS rejected a call, or the lobby's account or the CA's registration is not in the required state."""
