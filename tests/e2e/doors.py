"""Knocking by hand: a device's first connects to the lobby, packet by packet."""

from pathlib import Path
from typing import Final

from lobby.names import Target
from tests.e2e.bare_mqtt import CONNACK, HUNG_UP, BareMqtt, HandshakeRefused
from tests.e2e.deployment import Deployment, until

ACCEPTED: Final = (CONNACK, b"\x00\x00")
RETRY_SECONDS: Final = 0.7
"""Each knock of a pending certificate wakes the bouncer: whoever knocks faster makes it start more often."""


def dial(deployed: Deployment, certificate: Path, key: Path, scope: Target | None = None) -> BareMqtt:
    """A TLS connection to an endpoint, the lobby's unless another is named."""
    endpoint = deployed.layout.endpoint(scope or deployed.lobby)
    return BareMqtt(endpoint.host, endpoint.port, deployed.file.server_ca_path, certificate, key)


def knock(deployed: Deployment, certificate: Path, key: Path, client_id: str) -> tuple[int, bytes]:
    """The lobby's answer to one connect."""
    try:
        with dial(deployed, certificate, key) as device:
            return device.connect(client_id)
    except HandshakeRefused:
        return HUNG_UP


def admitted(deployed: Deployment, certificate: Path, key: Path, client_id: str) -> BareMqtt:
    """Connected to the lobby: the first tries are hung up on, until the bouncer has let it in."""

    def enter() -> BareMqtt | None:
        device = dial(deployed, certificate, key)
        answer = device.connect(client_id)
        if answer == ACCEPTED:
            return device
        device.close()
        assert answer == HUNG_UP
        return None

    return until(enter, every=RETRY_SECONDS)
