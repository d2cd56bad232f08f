"""Interface of the state machine: events (what has happened) and actions (what is to be done).

Each connection attempt has an id. The state machine ignores events of a connection that is no longer the current
one.
"""

from dataclasses import dataclass, field
from enum import Enum

from device.machine.plan import Endpoint
from lobby.wire import Route


class Failure(Enum):
    """Why a connection failed or was lost. The value is also the name of the log event for a failed attempt."""

    REFUSED = "refused"
    """The broker closed the connection or rejected the request."""
    UNREACHABLE = "unreachable"
    """No broker: no address, no network route, no listener."""
    UNTRUSTED = "untrusted"
    """TLS failed: a server certificate of another CA, our certificate not accepted, or a wrong clock."""
    TIMEOUT = "timeout"
    """The broker did not answer in time."""
    LOCAL = "local_error"
    """The cause is on this device: the key, the token or the machine."""


@dataclass(frozen=True)
class Start:
    """The client starts, with the stored route. `crashes` is the number of clients in a row that crashed before."""

    route: Route | None = None
    crashes: int = 0


@dataclass(frozen=True)
class Connected:
    """CONNACK received."""

    connection_id: int


@dataclass(frozen=True)
class SubscriptionGranted:
    """SUBACK received."""

    connection_id: int


@dataclass(frozen=True)
class PublishAcknowledged:
    """PUBACK received."""

    connection_id: int


@dataclass(frozen=True)
class ConnectionFailed:
    """The connection was not established, or is lost."""

    connection_id: int
    failure: Failure
    detail: str = ""


@dataclass(frozen=True)
class Disconnected:
    """The connection is closed as requested."""

    connection_id: int


@dataclass(frozen=True)
class MessageReceived:
    """An MQTT message with any content."""

    connection_id: int
    topic: str
    payload: bytes


@dataclass(frozen=True)
class StorageUpdated:
    """The last storage action succeeded."""


@dataclass(frozen=True)
class StorageFailed:
    """The last storage action failed: disk full, read-only or missing."""

    detail: str


@dataclass(frozen=True)
class ResetRequested:
    """A user at the device requests a factory reset."""


@dataclass(frozen=True)
class StopRequested:
    """A signal requests the process to end."""


@dataclass(frozen=True)
class Tick:
    """Time has passed: a deadline may be due."""


Event = (
    Start
    | Connected
    | SubscriptionGranted
    | PublishAcknowledged
    | ConnectionFailed
    | Disconnected
    | MessageReceived
    | StorageUpdated
    | StorageFailed
    | ResetRequested
    | StopRequested
    | Tick
)


@dataclass(frozen=True)
class Connect:
    """Open a connection. Answered by `Connected` or `ConnectionFailed`."""

    connection_id: int
    endpoint: Endpoint


@dataclass(frozen=True)
class Subscribe:
    """Subscribe with QoS 1. Answered by `SubscriptionGranted` or `ConnectionFailed`."""

    connection_id: int
    topic: str


@dataclass(frozen=True)
class Publish:
    """Publish with QoS 1. Answered by `PublishAcknowledged` or `ConnectionFailed`."""

    connection_id: int
    topic: str
    payload: bytes


@dataclass(frozen=True)
class Disconnect:
    """Close the connection, whatever state it is in. Answered by `Disconnected`."""

    connection_id: int


@dataclass(frozen=True)
class StoreRoute:
    """Store the route durably. Answered by `StorageUpdated` or `StorageFailed`."""

    route: Route


@dataclass(frozen=True)
class ForgetRoute:
    """Remove the stored route. Answered by `StorageUpdated` or `StorageFailed`."""


@dataclass(frozen=True)
class ShowCode:
    """Show this presence code on the device's display. None removes the code."""

    code: str | None


@dataclass(frozen=True)
class LogEvent:
    """Write one log line: a stable event name and its fields."""

    event: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Exit:
    """End the process."""


Action = Connect | Subscribe | Publish | Disconnect | StoreRoute | ForgetRoute | ShowCode | LogEvent | Exit
