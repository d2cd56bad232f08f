"""A device that says hello when it is told to, so that the calls of one hello can be counted.

Real TLS, a real certificate, v0.1's protocol: client id = thing name, `lobby/<thing>`, `$aws/rules/lobby`. What the
lobby says is kept with the moment it came. It never follows its route.
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
from pki.devices import DevicePaths

PATIENCE: Final = 60
_KNOCK_AGAIN: Final = 1.0


class WaitingDevice:
    """Connected and subscribed when made, however often the lobby hangs up at first."""

    def __init__(self, lobby: LobbyFile, paths: DevicePaths, name: ThingName) -> None:
        self.name = name
        self._heard: queue.Queue[tuple[float, bytes]] = queue.Queue()
        deadline = time.monotonic() + PATIENCE
        while (connection := self._knock(lobby, paths.chain, paths.key)) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} was not let in within {PATIENCE} s")
            time.sleep(_KNOCK_AGAIN)
        self._connection = connection
        subscribed, _ = connection.subscribe(lobby_topic(name), QoS.AT_LEAST_ONCE, self._hear)
        subscribed.result(PATIENCE)

    def _knock(self, lobby: LobbyFile, certificate: Path, key: Path) -> Connection | None:
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
            connection.connect().result(PATIENCE)
        except AwsCrtError:
            return None
        return connection

    def hello(self) -> None:
        """Said, and acknowledged by the broker; the receptionist may still be at it."""
        said, _ = self._connection.publish(HELLO_TOPIC, json.dumps({"version": "bench"}), QoS.AT_LEAST_ONCE)
        said.result(PATIENCE)

    def answer(self) -> tuple[float, dict[str, Any]]:
        """When (seconds since 1970) the next message came, and what it said."""
        at, payload = self._heard.get(timeout=PATIENCE)
        body: dict[str, Any] = json.loads(payload)
        return at, body

    def _hear(self, topic: str, payload: bytes, **_: object) -> None:  # noqa: ARG002 - awscrt's signature
        self._heard.put((time.time(), bytes(payload)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.disconnect().result(PATIENCE)
