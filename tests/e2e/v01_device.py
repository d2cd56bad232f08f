"""A device that follows aws-device-lobby v0.1's protocol and nothing else, with its sample's habits.

Client id = thing name; the lobby first, at one fixed port; `lobby/<thing>`, `$aws/rules/lobby`; then `iotep` from the
answer with the port it already uses. Between two beats it does nothing, and of the messages that came meanwhile it
takes the last. It knows nothing of `port`, `generation`, backoff or fallback; a message that is not as v0.1 sent it,
or a factory reset where it has no configuration, kills it.
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
    """Powered on when made; `stop` takes the power away. `seen` holds what it did, oldest first."""

    def __init__(
        self, name: str, certificate: Path, key: Path, server_ca: str, lobby: str, port: int, beat: float = 1.0
    ) -> None:
        self.name, self.lobby, self.port, self._beat = name, lobby, port, beat
        self._files = (str(certificate), str(key), server_ca)
        self._off = threading.Event()
        self._heard: bytes | None = None
        self._config: dict[str, Any] | None = None
        self.seen: list[tuple[str, Any]] = []
        self.died: Exception | None = None
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def count(self, what: str) -> int:
        return sum(1 for name, _ in self.seen if name == what)

    def last(self, what: str) -> Any:
        """What was noted with the last `what`; None where there is none."""
        return next((detail for name, detail in reversed(self.seen) if name == what), None)

    def stop(self) -> None:
        self._off.set()
        self._thread.join(2 * _ANSWER_SECONDS)
        assert not self._thread.is_alive(), f"the device does not stop: {self.seen[-5:]}"

    def _live(self) -> None:
        try:
            while not self._off.is_set():
                self._boot()
        except Exception as error:  # noqa: BLE001 - whatever it dies of is told to the test
            self.died = error

    def _boot(self) -> None:
        where = self._config["iotep"] if self._config else self.lobby
        connection = self._connect(where)
        if connection is None:
            return
        self._note("in target" if self._config else "in lobby", where)
        while not self._off.is_set() and self._heard is None:
            topic, message = self._word()
            connection.publish(topic, json.dumps(message), mqtt.QoS.AT_LEAST_ONCE)
            self._note("said", topic)
            self._off.wait(self._beat)
        if self._heard is not None:
            self._obey(json.loads(self._heard))
        connection.disconnect().result(_ANSWER_SECONDS)

    def _word(self) -> tuple[str, dict[str, Any]]:
        if self._config:
            return f"app/{self.name}", {"Device": self.name, "Status": "Doing my IoT job!"}
        return "$aws/rules/lobby", {"state": "factory default", "iotep": self.lobby, "config": "default"}

    def _obey(self, message: dict[str, Any]) -> None:
        self._heard = None
        if message["config"] == "factory reset":
            if self._config is None:
                raise FileNotFoundError("dev.cfg")
            self._config = None
            self._note("reset", None)
        else:
            self._config = message
            self._note("routed", message)

    def _connect(self, endpoint: str) -> mqtt.Connection | None:
        """Tries once a second, for ever."""
        certificate, key, ca = self._files
        while not self._off.is_set():
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
                connection.subscribe(topic, mqtt.QoS.AT_LEAST_ONCE, self._take)[0].result(_ANSWER_SECONDS)
            except Exception as error:  # noqa: BLE001 - v0.1 tries again whatever it was
                self._note("refused", str(error))
                self._off.wait(_RETRY_SECONDS)
            else:
                return connection
        return None

    def _take(self, payload: bytes, **_: Any) -> None:
        self._heard = payload

    def _note(self, what: str, detail: Any) -> None:
        self.seen.append((what, detail))


def _resubscribe(
    connection: mqtt.Connection, return_code: mqtt.ConnectReturnCode, session_present: bool, **_: Any
) -> None:
    """The library has reconnected by itself; what it had subscribed to is forgotten."""
    if return_code == mqtt.ConnectReturnCode.ACCEPTED and not session_present:
        connection.resubscribe_existing_topics()
