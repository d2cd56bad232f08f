"""An MQTT 5 client with a persistent session, for the messages that AWS IoT's broker keeps while a client is off."""

from collections.abc import Callable
from pathlib import Path

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.e2e.deployment import until

SESSION_SECONDS = 3600


class PersistentClient:
    """Connects as `name`, subscribes to its lobby topic, and keeps its session when it disconnects."""

    def __init__(self, name: str, server_ca: str, certificate: Path, key: Path) -> None:
        self._topic, self._subscribed = f"lobby/{name}", False
        self.messages: list[mqtt.MQTTMessage] = []
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,  # type: ignore[attr-defined]
            name,
            protocol=mqtt.MQTTv5,
        )
        self._client.tls_set(server_ca, str(certificate), str(key))
        self._client.on_connect = lambda *_: self._client.subscribe(self._topic, qos=1) and None
        self._client.on_subscribe = lambda *_: setattr(self, "_subscribed", True)
        self._client.on_message = lambda _client, _user, message: self.messages.append(message)

    def connect(self, host: str, port: int) -> None:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_SECONDS
        self._subscribed = False
        self._client.connect(host, port, clean_start=False, properties=properties)
        self.run_until(lambda: self._subscribed)

    def run_until(self, done: Callable[[], object]) -> None:
        """Handle packets until `done` is true."""

        def turn() -> bool:
            assert self._client.loop(0.1) == mqtt.MQTT_ERR_SUCCESS
            return bool(done())

        until(turn)

    def disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop(0.1)
