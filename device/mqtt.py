"""MQTT over awscrt: one `MqttConnection` is one MQTT 3.1.1 connection attempt over mutual TLS.

MQTT 3.1.1 is enough; the protocol uses no MQTT 5 feature. awscrt reconnects a lost connection automatically, but the
state machine decides about reconnecting, so an interrupted connection is closed immediately and never reused. Results
are reported, from awscrt's threads, through the `report` function.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

import awscrt.exceptions
import awscrt.mqtt

from device.credentials import Credentials
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
from lobby.wire import MAX_MESSAGE_BYTES

Report = Callable[[Event], None]
_RECONNECT_S: Final = 2
"""awscrt keeps a connection that was closed while interrupted (about 22 kB) until its reconnect delay ends. A short
delay frees the memory early."""


class MqttConnection:
    """One connection attempt, from `open` to `close`. No method blocks or raises."""

    def __init__(
        self,
        connection_id: int,
        report: Report,
        credentials: Credentials,
        client_id: str,
        answer_s: float,
        keep_alive_s: int = KEEP_ALIVE_S,
    ) -> None:
        self._id = connection_id
        self._report = report
        self._credentials = credentials
        self._client_id = client_id
        self._answer_ms = max(1, int(answer_s * 1000))
        self._keep_alive_s = max(keep_alive_s, self._answer_ms // 1000 + 1)
        self._connection: Any = None
        self._connected = False
        self._closing = False

    def open(self, endpoint: Endpoint) -> None:
        """Start to connect."""
        try:
            self._connection = self._credentials.connection(
                endpoint=endpoint.host,
                port=endpoint.port,
                client_id=self._client_id,
                clean_session=True,  # messages for an earlier connection must not be delivered on this one
                keep_alive_secs=self._keep_alive_s,
                ping_timeout_ms=self._answer_ms,
                protocol_operation_timeout_ms=self._answer_ms,
                tcp_connect_timeout_ms=self._answer_ms,
                reconnect_min_timeout_secs=_RECONNECT_S,
                reconnect_max_timeout_secs=_RECONNECT_S,
                on_connection_interrupted=self._on_interrupted,
            )
        except Exception as error:  # noqa: BLE001 - awscrt raises plain Exception; an unusable key must not end the client
            return self._on_failed(error, Failure.LOCAL)
        self._connection.on_message(self._on_message)
        self._report_when_done(self._connection.connect(), self._on_connected)
        return None

    def subscribe(self, topic: str) -> None:
        """Subscribe with QoS 1."""
        if self._connection is not None:
            future, _ = self._connection.subscribe(topic, awscrt.mqtt.QoS.AT_LEAST_ONCE)
            self._report_when_done(future, lambda: SubscriptionGranted(self._id))

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish with QoS 1."""
        if self._connection is not None:
            future, _ = self._connection.publish(topic, payload, awscrt.mqtt.QoS.AT_LEAST_ONCE)
            self._report_when_done(future, lambda: PublishAcknowledged(self._id))

    def close(self) -> None:
        """Send DISCONNECT if connected. A connection that is still being opened is dropped, which closes its socket."""
        connection, self._connection, self._closing = self._connection, None, True
        if connection is None or not self._connected:
            return self._report(Disconnected(self._id))
        connection.disconnect().add_done_callback(partial(self._on_disconnected, connection))
        return None

    def _on_disconnected(self, _connection: Any, _: "Future[Any]") -> None:
        """Report the end of the connection. The first argument keeps the connection alive: awscrt drops the callbacks
        of a connection without references."""
        self._report(Disconnected(self._id))

    def _on_connected(self) -> Event:
        self._connected = True
        return Connected(self._id)

    def _on_interrupted(self, error: Exception, **_: object) -> None:
        self._on_failed(error)

    def _on_message(self, topic: str, payload: bytes, **_: object) -> None:
        """Report a message. One byte more than the limit is kept, so that the parser can reject a message that is too
        long."""
        self._report(MessageReceived(self._id, topic, bytes(payload[: MAX_MESSAGE_BYTES + 1])))

    def _report_when_done(self, future: "Future[Any]", event: Callable[[], Event]) -> None:
        def done(finished: "Future[Any]") -> None:
            with contextlib.suppress(Exception):  # the error is read below
                finished.result()
            error = finished.exception()
            if error is None:
                self._report(event())
            else:
                self._on_failed(error)

        future.add_done_callback(done)

    def _on_failed(self, error: BaseException, failure: Failure | None = None) -> None:
        if self._closing:
            return  # the client's own DISCONNECT cancels pending operations
        self._report(ConnectionFailed(self._id, failure or classify(error), str(error)))


def classify(error: BaseException) -> Failure:
    """Return the failure for an error of awscrt."""
    name = error.name if isinstance(error, awscrt.exceptions.AwsCrtError) else ""
    if "CLOSED" in name:
        return Failure.REFUSED
    if "TLS" in name and "TIMEOUT" not in name:
        return Failure.UNTRUSTED
    if "PKCS11" in name:
        return Failure.LOCAL
    if name.startswith("AWS_IO_") and "TLS" not in name:
        return Failure.UNREACHABLE
    return Failure.TIMEOUT if "TIMEOUT" in name else Failure.REFUSED
