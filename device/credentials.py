"""How the device proves who it is: a key in a file, or one that never leaves its PKCS#11 token.

Both are handed to awsiotsdk, which makes the TLS context of each connection from them. The files are read anew for
each connection, so a renewed certificate is used from the next one on.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import awscrt.io
from awsiot import mqtt_connection_builder

from device.errors import BadCredentials
from device.identity import check_key


class Credentials(Protocol):
    """Makes a connection, not yet opened, that authenticates as this device."""

    def check(self) -> None:
        """Raises `BadCredentials` where no connection can ever be made with them."""

    def connection(self, **options: Any) -> Any: ...


@dataclass(frozen=True)
class FileCredentials:
    """Certificate (with its chain, where there is one), key and the servers' CA as PEM files."""

    cert: Path
    key: Path
    ca: Path

    def check(self) -> None:
        check_key(self.cert, self.key)

    def connection(self, **options: Any) -> Any:
        return mqtt_connection_builder.mtls_from_path(
            str(self.cert), str(self.key), ca_filepath=str(self.ca), **options
        )


@dataclass(frozen=True)
class TokenCredentials:
    """The key in a hardware token or secure element, by PKCS#11. The library is loaded once, for the whole process."""

    cert: Path
    ca: Path
    library: Path
    pin: str = field(repr=False)
    token: str | None = None
    label: str | None = None
    _loaded: list[Any] = field(default_factory=list, repr=False, compare=False)

    def check(self) -> None:
        """Logs in once: a token locks itself after a few wrong PINs, so a wrong one must not be tried for ever."""
        if not self.library.is_file():
            raise BadCredentials("KEY_UNREADABLE", f"got {self.library}, want the PKCS#11 library (.so) of the token")
        try:
            self.connection(endpoint="localhost", port=1, client_id="check")
        except Exception as error:
            raise BadCredentials("KEY_UNREADABLE", f"the token refused ({error}), want its PIN and labels") from error

    def connection(self, **options: Any) -> Any:
        if not self._loaded:
            self._loaded.append(awscrt.io.Pkcs11Lib(file=str(self.library)))
        return mqtt_connection_builder.mtls_with_pkcs11(
            pkcs11_lib=self._loaded[0],
            user_pin=self.pin,
            token_label=self.token,
            private_key_label=self.label,
            cert_filepath=str(self.cert),
            ca_filepath=str(self.ca),
            **options,
        )
