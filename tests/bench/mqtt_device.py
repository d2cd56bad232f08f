"""A device that publishes a hello on request, so that the calls of a single hello can be counted.

Real TLS, a real certificate, v0.1's protocol: client id = thing name, `lobby/<thing>`, `$aws/rules/lobby`. It stores
each message with the time it was received, and never follows its route.
"""

import json
import queue
import time
from pathlib import Path
from typing import Any, Final, Self

from awscrt.exceptions import AwsCrtError
from awscrt.mqtt import Connection, QoS
from awsiot import mqtt_connection_builder

from infra.local.lobby_file import LobbyFile
from lobby.names import ThingName
from lobby.wire import HELLO_TOPIC, lobby_topic
from pki.devices.credentials import DevicePaths

TIMEOUT: Final = 60
_RECONNECT_SECONDS: Final = 1.0


class MqttDevice:
    """Connected and subscribed when constructed. Connects again while the lobby closes the connection. Raise
    `TimeoutError` if the lobby does not admit the device."""

    def __init__(self, lobby: LobbyFile, paths: DevicePaths, name: ThingName) -> None:
        self.name = name
        self._received: queue.Queue[tuple[float, bytes]] = queue.Queue()
        deadline = time.monotonic() + TIMEOUT
        while (connection := self._connect(lobby, paths.chain, paths.key)) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} was not admitted within {TIMEOUT} s")
            time.sleep(_RECONNECT_SECONDS)
        self._connection = connection
        subscribed, _ = connection.subscribe(lobby_topic(name), QoS.AT_LEAST_ONCE, self._receive)
        subscribed.result(TIMEOUT)

    def _connect(self, lobby: LobbyFile, certificate: Path, key: Path) -> Connection | None:
        connection: Connection = mqtt_connection_builder.mtls_from_path(
            endpoint=lobby.lobby_endpoint,
            port=lobby.mqtt_port,
            client_id=self.name,
            clean_session=True,
            cert_filepath=str(certificate),
            pri_key_filepath=str(key),
            ca_filepath=lobby.server_ca_path,
        )
        try:
            connection.connect().result(TIMEOUT)
        except AwsCrtError:
            return None
        return connection

    def hello(self) -> None:
        """Publish a hello and wait for the broker's acknowledgement. The receptionist may still be running."""
        published, _ = self._connection.publish(HELLO_TOPIC, json.dumps({"version": "bench"}), QoS.AT_LEAST_ONCE)
        published.result(TIMEOUT)

    def next_message(self) -> tuple[float, dict[str, Any]]:
        """Wait for the next message. Return the time it was received (seconds since 1970) and its content."""
        at, payload = self._received.get(timeout=TIMEOUT)
        body: dict[str, Any] = json.loads(payload)
        return at, body

    def _receive(self, topic: str, payload: bytes, **_: object) -> None:  # noqa: ARG002 - awscrt's signature
        self._received.put((time.time(), bytes(payload)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.disconnect().result(TIMEOUT)
