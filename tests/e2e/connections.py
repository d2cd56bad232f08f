"""First connections to the lobby, packet by packet."""

from pathlib import Path
from typing import Final

from lobby.names import Target
from tests.e2e.bare_mqtt import CONNACK, HUNG_UP, BareMqtt, HandshakeRefused
from tests.e2e.deployment import Deployment, until

ACCEPTED: Final = (CONNACK, b"\x00\x00")
RETRY_SECONDS: Final = 0.7
"""Each connection attempt with a pending certificate invokes the bouncer; faster attempts start more of them."""


def open_tls(
    deployed: Deployment,
    certificate: Path,
    key: Path,
    scope: Target | None = None,
    host: str | None = None,
    source: str | None = None,
) -> BareMqtt:
    """Open a TLS connection to the endpoint of `scope`, by default the lobby. `host` replaces the endpoint's name;
    `source` is the address of the client."""
    scope = scope or deployed.lobby
    host, port = host or deployed.layout.server_name(scope), deployed.layout.endpoint(scope).port
    return BareMqtt(host, port, deployed.file.server_ca_path, certificate, key, source=source)


def attempt(deployed: Deployment, certificate: Path, key: Path, client_id: str) -> tuple[int, bytes]:
    """Return the lobby's response to one MQTT connect. A refused handshake also gives `HUNG_UP`."""
    try:
        with open_tls(deployed, certificate, key) as device:
            return device.connect(client_id)
    except HandshakeRefused:
        return HUNG_UP


def connect_admitted(
    deployed: Deployment, certificate: Path, key: Path, client_id: str, host: str | None = None
) -> BareMqtt:
    """Return a connection to the lobby. Attempts before the bouncer has admitted the device are closed."""

    def connect() -> BareMqtt | None:
        device = open_tls(deployed, certificate, key, host=host)
        response = device.connect(client_id)
        if response == ACCEPTED:
            return device
        device.close()
        assert response == HUNG_UP
        return None

    return until(connect, every=RETRY_SECONDS)
