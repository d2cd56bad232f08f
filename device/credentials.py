"""TLS client credentials: a key in a file, or a key that stays in its PKCS#11 token.

awscrt builds the TLS context of each connection from them, for TLS 1.2 or newer. Files are read again for each
connection, so a renewed certificate takes effect with the next connection.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import awscrt.io
import awscrt.mqtt
from cryptography.hazmat.primitives.serialization import Encoding

from device.credential_files import load, load_ca
from device.errors import BadCredentials
from lobby.wire import MQTT_ALPN, MQTT_PORT


class Credentials(Protocol):
    """Create connections, not yet opened, that authenticate as this device."""

    def check(self) -> None:
        """Raise `BadCredentials` if no connection can ever succeed with them."""

    def connection(self, **options: Any) -> Any: ...


@dataclass(frozen=True)
class FileCredentials:
    """Certificate (with its chain, if any), key and the servers' CA as files; certificate and key may be one file."""

    cert: Path
    key: Path
    ca: Path

    def check(self) -> None:
        """Create a TLS context once, because files that the TLS library rejects now would fail at every attempt."""
        load(self.cert, self.key)
        try:
            self.connection(endpoint="localhost", port=1, client_id="check")
        except BadCredentials:
            raise
        except Exception as error:
            raise BadCredentials(
                "KEY_UNREADABLE", f"the TLS library rejects {self.cert} with {self.key} or {self.ca} ({error})"
            ) from error

    def connection(self, **options: Any) -> Any:
        bundle = load(self.cert, self.key)
        tls = awscrt.io.TlsContextOptions.create_client_with_mtls(bundle.certificates_pem, bundle.key_pem)
        return _connection(tls, self.ca, **options)


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
        tls = awscrt.io.TlsContextOptions.create_client_with_mtls_pkcs11(
            pkcs11_lib=self._loaded[0],
            user_pin=self.pin,
            token_label=self.token,
            private_key_label=self.label,
            cert_file_contents=load(self.cert, None).certificates_pem,
        )
        return _connection(tls, self.ca, **options)


def _connection(tls: Any, ca: Path, *, endpoint: str, tcp_connect_timeout_ms: int = 5000, **options: Any) -> Any:
    """Return a connection that uses TLS 1.2 or newer and trusts only `ca`. awsiotsdk's builder does the same, but
    leaves the TLS version to the TLS library, which permits 1.1."""
    tls.min_tls_ver = awscrt.io.TlsVersion.TLSv1_2
    tls.override_default_trust_store(b"".join(each.public_bytes(Encoding.PEM) for each in load_ca(ca)))
    if options["port"] != MQTT_PORT:  # brokers that do not need it ignore it
        tls.alpn_list = [MQTT_ALPN]
    sockets = awscrt.io.SocketOptions()
    sockets.connect_timeout_ms = tcp_connect_timeout_ms
    bootstrap = awscrt.io.ClientBootstrap.get_or_create_static_default()
    client = awscrt.mqtt.Client(bootstrap, awscrt.io.ClientTlsContext(tls))
    return awscrt.mqtt.Connection(client, endpoint, socket_options=sockets, disable_metrics=True, **options)
