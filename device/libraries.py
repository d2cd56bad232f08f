"""The interface of the libraries for TLS, MQTT and keys: `device.native` or `device.portable.libraries`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from device.identity_store import Keys
from device.runtime import Opener
from device.validity import Validity


@dataclass(frozen=True)
class TlsFiles:
    """Paths of PEM files: certificate (with its chain, if any), key, and the CAs of the servers."""

    cert: Path
    key: Path
    ca: Path


class Libraries(Protocol):
    """`device.native` or `device.portable.libraries`."""

    @property
    def keys(self) -> Keys: ...

    def validity(self, certificate: Path) -> Validity:
        """Return the validity period of a certificate. Raise `BadCredentials` CERTIFICATE_UNREADABLE."""

    def opener(self, files: TlsFiles, client_id: Callable[[], str], answer_s: float) -> Opener:
        """Return the function that opens connections with these files. Raise `BadCredentials` if no connection can ever
        succeed with them."""
