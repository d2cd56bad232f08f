"""TLS client credentials: a key in a file, or a key that stays in its PKCS#11 token.

awsiotsdk builds the TLS context of each connection from them. Files are read again for each connection, so a renewed
certificate takes effect with the next connection.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import awscrt.io
from awsiot import mqtt_connection_builder

from device.errors import BadCredentials
from device.identity import check_key


class Credentials(Protocol):
    """Create connections, not yet opened, that authenticate as this device."""

    def check(self) -> None:
        """Raise `BadCredentials` if no connection can ever succeed with them."""

    def connection(self, **options: Any) -> Any: ...


@dataclass(frozen=True)
class FileCredentials:
    """Certificate (with its chain, if any), key and the servers' CA as PEM files."""

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
    """A key in a PKCS#11 token or secure element. The library is loaded once per process."""

    cert: Path
    ca: Path
    library: Path
    pin: str = field(repr=False)
    token: str | None = None
    label: str | None = None
    _loaded: list[Any] = field(default_factory=list, repr=False, compare=False)

    def check(self) -> None:
        """Log in once. A token locks itself after a few wrong PINs, so a wrong PIN must not be retried."""
        if not self.library.is_file():
            raise BadCredentials("KEY_UNREADABLE", f"got {self.library}, want the PKCS#11 library (.so) of the token")
        try:
            self.connection(endpoint="localhost", port=1, client_id="check")
        except Exception as error:
            raise BadCredentials(
                "KEY_UNREADABLE", f"the token rejected the login ({error}), want its PIN and labels"
            ) from error

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
