"""The edge to the network: one `Link` is one MQTT 3.1.1 connection over mutual TLS, made with awscrt.

MQTT 3.1.1, because it is what every version of the protocol's servers speaks and nothing of MQTT 5 is needed. awscrt
reconnects a lost connection behind one's back; the journey decides that here, so a link that is interrupted is
closed at once and never used again. What happens is reported, from awscrt's threads, through the function handed in.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

import awscrt.exceptions
import awscrt.mqtt

from device.credentials import Credentials
from device.machine.events import Acked, Closed, Event, Failed, Granted, Heard, Opened, Trouble
from device.machine.plan import Endpoint
from lobby.wire import MAX_MESSAGE_BYTES

Report = Callable[[Event], None]
KEEP_ALIVE_S: Final = 30
"""Between two signs of life where nothing else is said; the shortest that AWS IoT grants."""
_RECONNECT_S: Final = 2
"""awscrt would reconnect a lost connection behind one's back after this long, and lets go of one that was closed in the
meantime no sooner: each keeps some 22 kB until then."""


class Link:
    """One connection attempt, from `open` to `close`. None of its methods waits, and none raises."""

    def __init__(
        self,
        number: int,
        report: Report,
        credentials: Credentials,
        client_id: str,
        answer_s: float,
        keep_alive_s: int = KEEP_ALIVE_S,
    ) -> None:
        self._number = number
        self._report = report
        self._credentials = credentials
        self._client_id = client_id
        self._answer_ms = max(1, int(answer_s * 1000))
        self._keep_alive_s = max(keep_alive_s, self._answer_ms // 1000 + 1)
        self._connection: Any = None
        self._up = False
        self._closing = False

    def open(self, endpoint: Endpoint) -> None:
        try:
            self._connection = self._credentials.connection(
                endpoint=endpoint.host,
                port=endpoint.port,
                client_id=self._client_id,
                clean_session=True,  # nothing that was meant for an earlier stay may be delivered in this one
                keep_alive_secs=self._keep_alive_s,
                ping_timeout_ms=self._answer_ms,
                protocol_operation_timeout_ms=self._answer_ms,
                tcp_connect_timeout_ms=self._answer_ms,
                reconnect_min_timeout_secs=_RECONNECT_S,
                reconnect_max_timeout_secs=_RECONNECT_S,
                enable_metrics_collection=False,
                on_connection_interrupted=self._interrupted,
            )
        except Exception as error:  # noqa: BLE001 - awscrt raises bare Exceptions; a bad key must not end the device
            return self._failed(error, Trouble.LOCAL)
        self._connection.on_message(self._heard)
        self._when(self._connection.connect(), self._opened)
        return None

    def subscribe(self, topic: str) -> None:
        if self._connection is not None:
            future, _ = self._connection.subscribe(topic, awscrt.mqtt.QoS.AT_LEAST_ONCE)
            self._when(future, lambda: Granted(self._number))

    def publish(self, topic: str, payload: bytes) -> None:
        if self._connection is not None:
            future, _ = self._connection.publish(topic, payload, awscrt.mqtt.QoS.AT_LEAST_ONCE)
            self._when(future, lambda: Acked(self._number))

    def close(self) -> None:
        """A DISCONNECT where there is a connection; a link still connecting is dropped, which closes its socket."""
        connection, self._connection, self._closing = self._connection, None, True
        if connection is None or not self._up:
            return self._report(Closed(self._number))
        gone = connection.disconnect()
        gone.add_done_callback(partial(self._gone, connection))
        return None

    def _gone(self, _held: Any, _: "Future[Any]") -> None:
        """awscrt forgets the callback of a connection that nobody holds any more; the argument holds it until now."""
        self._report(Closed(self._number))

    def _opened(self) -> Event:
        self._up = True
        return Opened(self._number)

    def _interrupted(self, error: Exception, **_: object) -> None:
        self._failed(error)

    def _heard(self, topic: str, payload: bytes, **_: object) -> None:
        """What is too long to be weighed is not kept either: one byte more says that it is."""
        self._report(Heard(self._number, topic, bytes(payload[: MAX_MESSAGE_BYTES + 1])))

    def _when(self, future: "Future[Any]", event: Callable[[], Event]) -> None:
        def done(finished: "Future[Any]") -> None:
            with contextlib.suppress(Exception):  # the error is read, not raised, below
                finished.result()
            error = finished.exception()
            if error is None:
                self._report(event())
            else:
                self._failed(error)

        future.add_done_callback(done)

    def _failed(self, error: BaseException, trouble: Trouble | None = None) -> None:
        if self._closing:
            return  # what was under way is cancelled by our own goodbye
        self._report(Failed(self._number, trouble or trouble_of(error), str(error)))


def trouble_of(error: BaseException) -> Trouble:
    """What an error of awscrt means for a device."""
    name = error.name if isinstance(error, awscrt.exceptions.AwsCrtError) else ""
    if "CLOSED" in name:
        return Trouble.REFUSED
    if "TLS" in name and "TIMEOUT" not in name:
        return Trouble.UNTRUSTED
    if "PKCS11" in name:
        return Trouble.LOCAL
    if name.startswith("AWS_IO_") and "TLS" not in name:
        return Trouble.UNREACHABLE
    return Trouble.SILENT if "TIMEOUT" in name else Trouble.REFUSED
