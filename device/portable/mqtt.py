"""MQTT over paho-mqtt and Python's `ssl`: one `PahoConnection` is one MQTT 3.1.1 connection attempt over mutual TLS.

The same interface and rules as `device.mqtt`: TLS 1.2 or newer, SNI, ALPN on every port except 8883, a clean session,
no automatic reconnection. Each connection has a thread, which ends with it. Results are reported from that thread.
"""

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from device.libraries import TlsFiles
from device.machine.events import (
    Connected,
    ConnectionFailed,
    Disconnected,
    Event,
    Failure,
    MessageReceived,
    PublishAcknowledged,
    SubscriptionGranted,
)
from device.machine.plan import KEEP_ALIVE_S, Endpoint
from lobby.wire import MAX_MESSAGE_BYTES, MQTT_ALPN, MQTT_PORT

_POLL_S: Final = 0.5
_CLOSED: Final = "the broker closed the connection"


class PahoConnection:
    """One connection attempt, from `open` to `close`. No method blocks or raises."""

    def __init__(
        self,
        connection_id: int,
        report: Callable[[Event], None],
        files: TlsFiles,
        client_id: str,
        answer_s: float,
        keep_alive_s: int = KEEP_ALIVE_S,
    ) -> None:
        self._id, self._report, self._files, self._keep_alive_s = connection_id, report, files, keep_alive_s
        self._closing = False
        self._connected = False
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=True)
        client.connect_timeout = max(0.1, answer_s)
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_publish, client.on_message = self._on_publish, self._on_message
        self._client: Any = client

    def open(self, endpoint: Endpoint) -> None:
        """Start to connect."""
        threading.Thread(target=self._run, args=(endpoint,), daemon=True).start()

    def subscribe(self, topic: str) -> None:
        """Subscribe with QoS 1."""
        self._client.subscribe(topic, qos=1)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1."""
        self._client.publish(topic, payload, qos=1)

    def close(self) -> None:
        """Send DISCONNECT if connected. Otherwise the thread ends when the attempt does."""
        self._closing = True
        if self._connected:
            self._client.disconnect()
        else:
            self._report(Disconnected(self._id))

    def _run(self, endpoint: Endpoint) -> None:
        try:
            self._client.tls_set_context(tls_context(self._files, endpoint.port))
        except (OSError, ValueError) as error:
            self._failed(Failure.LOCAL, error)
            return
        try:
            self._client.connect(endpoint.host, endpoint.port, self._keep_alive_s)
            while self._client.loop(_POLL_S) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                pass
        except Exception as error:  # noqa: BLE001 - paho raises more than it documents, and a thread must not end silently
            self._failed(classify(error), error)
        else:
            self._ended()

    def _ended(self) -> None:
        if self._closing and self._connected:
            self._report(Disconnected(self._id))
        else:
            self._failed(Failure.REFUSED, _CLOSED)

    def _failed(self, failure: Failure, error: object) -> None:
        if not self._closing:
            self._report(ConnectionFailed(self._id, failure, str(error)))

    def _on_connect(self, _client: Any, _user: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._failed(Failure.REFUSED, f"CONNACK: {reason}")
        elif not self._closing:
            self._connected = True
            self._report(Connected(self._id))

    def _on_subscribe(self, _client: Any, _user: Any, _mid: Any, reasons: Any, _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._failed(Failure.REFUSED, "SUBACK: the subscription is not permitted")
        else:
            self._report(SubscriptionGranted(self._id))

    def _on_publish(self, _client: Any, _user: Any, _mid: Any, _reason: Any, _properties: Any) -> None:
        self._report(PublishAcknowledged(self._id))

    def _on_message(self, _client: Any, _user: Any, message: Any) -> None:
        """Report a message. One byte more than the limit is kept, so that the parser can reject a message that is too
        long."""
        self._report(MessageReceived(self._id, message.topic, bytes(message.payload[: MAX_MESSAGE_BYTES + 1])))


def tls_context(files: TlsFiles, port: int) -> ssl.SSLContext:
    """Return a context that trusts only the files' CAs. Raise `OSError` (`ssl.SSLError` included) or `ValueError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(files.ca)
    context.load_cert_chain(files.cert, files.key, _no_password)
    if port != MQTT_PORT:  # brokers that do not need it ignore it
        context.set_alpn_protocols([MQTT_ALPN])
    return context


def _no_password() -> str:
    """Called for an encrypted key. Without it, OpenSSL asks for the password at the terminal, and waits."""
    raise ValueError("an encrypted key: decrypt it with `openssl pkey -in KEY -out NEW`")


def classify(error: Exception) -> Failure:
    """Return the failure for an error of paho, `ssl` or `socket`."""
    if isinstance(error, TimeoutError):
        return Failure.TIMEOUT
    if isinstance(error, ssl.SSLEOFError | ConnectionResetError | BrokenPipeError):
        return Failure.REFUSED
    if isinstance(error, ssl.SSLError):
        return Failure.UNTRUSTED
    return Failure.UNREACHABLE if isinstance(error, socket.gaierror | OSError) else Failure.REFUSED
