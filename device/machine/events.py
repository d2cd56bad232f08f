"""Interface of the state machine: events, which it handles, and actions, which it returns.

Each connection attempt has an id. The state machine ignores events of a connection that is no longer the current
one.
"""

from dataclasses import dataclass, field
from enum import Enum

from device.machine.plan import AdoptedLobby, Endpoint
from device.machine.provisioning_messages import Pending
from device.machine.renewal_events import Certificates, RenewalAction, RenewalEvent
from lobby.names import Fingerprint, ThingName
from lobby.wire import Route


class Failure(Enum):
    """Why a connection failed or was lost. The value is also the name of the log event for a failed attempt."""

    REFUSED = "refused"
    """The broker closed the connection or rejected the request."""
    UNREACHABLE = "unreachable"
    """The broker cannot be reached: no address, no network route or no listener."""
    UNTRUSTED = "untrusted"
    """TLS failed: the server's certificate is from another CA, the device's certificate was not accepted, or the clock
    is wrong."""
    TIMEOUT = "timeout"
    """The broker did not answer in time."""
    LOCAL = "local_error"
    """The cause is on this device: the key, the token or the machine."""


@dataclass(frozen=True)
class Start:
    """The client starts, with the stored route and certificates. `crashes` is the number of consecutive clients that
    crashed before."""

    route: Route | None = None
    crashes: int = 0
    certificates: Certificates = field(default_factory=Certificates)
    adopted: AdoptedLobby | None = None


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
class LobbyStored:
    """The new lobby is stored."""


@dataclass(frozen=True)
class StorageFailed:
    """The last storage action failed: disk full, read-only or missing."""

    detail: str


@dataclass(frozen=True)
class KeyReady:
    """The device's own key is stored. `csr` (PEM) is a request for a certificate for it, and `public_key` its public
    key (DER). Both are empty if AWS IoT creates the key. `pending` is a certificate from an earlier run."""

    csr: str = ""
    public_key: bytes = b""
    pending: Pending | None = None


@dataclass(frozen=True)
class PendingStored:
    """The certificate that is not registered yet is stored."""


@dataclass(frozen=True)
class IdentityStored:
    """The device's certificate and thing name are stored."""


@dataclass(frozen=True)
class IdentityNotStored:
    """The key, the pending certificate or the identity could not be stored."""

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
    | LobbyStored
    | StorageFailed
    | KeyReady
    | PendingStored
    | IdentityStored
    | IdentityNotStored
    | RenewalEvent
    | ResetRequested
    | StopRequested
    | Tick
)


@dataclass(frozen=True)
class Connect:
    """Open a connection with this certificate (None: the one in the settings). Answered by `Connected` or
    `ConnectionFailed`."""

    connection_id: int
    endpoint: Endpoint
    certificate: Fingerprint | None = None


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
    """Close the connection in any state. Answered by `Disconnected`."""

    connection_id: int


@dataclass(frozen=True)
class StoreRoute:
    """Store the route durably. Answered by `StorageUpdated` or `StorageFailed`."""

    route: Route


@dataclass(frozen=True)
class ForgetRoute:
    """Remove the stored route. Answered by `StorageUpdated` or `StorageFailed`."""


@dataclass(frozen=True)
class StoreLobby:
    """Store the lobby that the device has changed to. Answered by `LobbyStored` or `StorageFailed`."""

    lobby: AdoptedLobby


@dataclass(frozen=True)
class PrepareKey:
    """Create and store the device's key, unless there is one. Answered by `KeyReady` or `IdentityNotStored`."""


@dataclass(frozen=True)
class StorePending:
    """Store a certificate that is not registered yet, or with None remove it. Answered by `PendingStored` or
    `IdentityNotStored`."""

    pending: Pending | None


@dataclass(frozen=True)
class StoreIdentity:
    """Store the certificate as the device's own, with its thing name. Answered by `IdentityStored` or
    `IdentityNotStored`."""

    thing: ThingName
    certificate: Pending


@dataclass(frozen=True)
class ShowCode:
    """Show this presence code on the device's display. None removes the code."""

    code: str | None


@dataclass(frozen=True)
class LogEvent:
    """Write one log line: a stable event name and its fields."""

    event: str
    fields: dict[str, object] = field(default_factory=dict)


class Outcome(Enum):
    """The result of a client."""

    STOPPED = "stopped"
    PROVISIONED = "provisioned"
    """The device has an identity and can start with it."""
    IMPOSSIBLE = "impossible"
    """No further attempt can succeed with these settings."""


@dataclass(frozen=True)
class Exit:
    """End the client. `detail` is for the user, if the outcome is `IMPOSSIBLE`."""

    outcome: Outcome = Outcome.STOPPED
    detail: str = ""


IdentityAction = PrepareKey | StorePending | StoreIdentity
"""Change the files of the identity."""
ConnectionAction = Connect | Subscribe | Publish | Disconnect
RouteAction = StoreRoute | ForgetRoute | StoreLobby
"""Change the files of the route and of the adopted lobby."""
Action = ConnectionAction | RouteAction | IdentityAction | RenewalAction | ShowCode | LogEvent | Exit
