"""A device that implements aws-device-lobby v0.1's protocol only, and behaves like its sample device.

Its client id is its thing name. It connects to the lobby at a fixed port, subscribes to `lobby/<thing>`, publishes to
`$aws/rules/lobby`, and connects to the `iotep` of the answer at the same port. It checks for messages once per
interval and handles only the last one. It ignores `port` and `generation`, and has no backoff or fallback. A message
in another format than v0.1's, or a factory reset without a configuration, crashes it.
"""

import json
import threading
from pathlib import Path
from typing import Any, Final

from awscrt import mqtt
from awsiot import mqtt_connection_builder

_RETRY_SECONDS: Final = 1
_ANSWER_SECONDS: Final = 30


class V01Device:
    """Runs from its creation until `stop`. `events` are its actions, oldest first. `crash` is its fatal error."""

    def __init__(
        self, name: str, certificate: Path, key: Path, server_ca: str, lobby: str, port: int, interval: float = 1.0
    ) -> None:
        self.name, self.lobby, self.port, self._interval = name, lobby, port, interval
        self._files = (str(certificate), str(key), server_ca)
        self._stopping = threading.Event()
        self._last_message: bytes | None = None
        self._config: dict[str, Any] | None = None
        self.events: list[tuple[str, Any]] = []
        self.crash: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def count(self, what: str) -> int:
        return sum(1 for name, _ in self.events if name == what)

    def last(self, what: str) -> Any:
        """Return the detail of the last `what`, or None."""
        return next((detail for name, detail in reversed(self.events) if name == what), None)

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(2 * _ANSWER_SECONDS)
        assert not self._thread.is_alive(), f"the device does not stop: {self.events[-5:]}"

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._connect_and_serve()
        except Exception as error:  # noqa: BLE001 - the test reads the error
            self.crash = error

    def _connect_and_serve(self) -> None:
        endpoint = self._config["iotep"] if self._config else self.lobby
        connection = self._connect(endpoint)
        if connection is None:
            return
        self._record("in target" if self._config else "in lobby", endpoint)
        while not self._stopping.is_set() and self._last_message is None:
            topic, message = self._status_message()
            connection.publish(topic, json.dumps(message), mqtt.QoS.AT_LEAST_ONCE)
            self._record("published", topic)
            self._stopping.wait(self._interval)
        if self._last_message is not None:
            self._handle(json.loads(self._last_message))
        connection.disconnect().result(_ANSWER_SECONDS)

    def _status_message(self) -> tuple[str, dict[str, Any]]:
        if self._config:
            return f"app/{self.name}", {"Device": self.name, "Status": "Doing my IoT job!"}
        return "$aws/rules/lobby", {"state": "factory default", "iotep": self.lobby, "config": "default"}

    def _handle(self, message: dict[str, Any]) -> None:
        self._last_message = None
        if message["config"] == "factory reset":
            if self._config is None:
                raise FileNotFoundError("dev.cfg")
            self._config = None
            self._record("reset", None)
        else:
            self._config = message
            self._record("routed", message)

    def _connect(self, endpoint: str) -> mqtt.Connection | None:
        """Retry once per second without limit."""
        certificate, key, ca = self._files
        while not self._stopping.is_set():
            connection = mqtt_connection_builder.mtls_from_path(
                endpoint=endpoint,
                port=self.port,
                cert_filepath=certificate,
                pri_key_filepath=key,
                ca_filepath=ca,
                client_id=self.name,
                clean_session=True,
                keep_alive_secs=30,
                on_connection_resumed=_resubscribe,
            )
            try:
                connection.connect().result(_ANSWER_SECONDS)
                topic = f"lobby/{self.name}"
                connection.subscribe(topic, mqtt.QoS.AT_LEAST_ONCE, self._on_message)[0].result(_ANSWER_SECONDS)
            except Exception as error:  # noqa: BLE001 - v0.1 retries after any error
                self._record("refused", str(error))
                self._stopping.wait(_RETRY_SECONDS)
            else:
                return connection
        return None

    def _on_message(self, payload: bytes, **_: Any) -> None:
        self._last_message = payload

    def _record(self, what: str, detail: Any) -> None:
        self.events.append((what, detail))


def _resubscribe(
    connection: mqtt.Connection, return_code: mqtt.ConnectReturnCode, session_present: bool, **_: Any
) -> None:
    """Subscribe again after the library has reconnected by itself without a session."""
    if return_code == mqtt.ConnectReturnCode.ACCEPTED and not session_present:
        connection.resubscribe_existing_topics()
