"""The words between the journey and the world: what can happen (events) and what may be done (actions).

Each connection attempt has a number, its *link*. An event from a link that is no longer the present one is news
of the past, and the journey ignores it.
"""

from dataclasses import dataclass, field
from enum import Enum

from device.machine.plan import Endpoint
from lobby.wire import Route


class Trouble(Enum):
    """Why a connection is not, or no longer, there."""

    REFUSED = "refused"
    """The broker was reached and turned us away: it hung up, or said no."""
    UNREACHABLE = "unreachable"
    """No broker there: no address, no route, no listener."""
    UNTRUSTED = "untrusted"
    """TLS failed: not the broker our CA vouches for, or our certificate not welcome, or a wrong clock."""
    SILENT = "silent"
    """It owed an answer and gave none in time."""
    LOCAL = "local"
    """The fault is here: the key, the token or this machine."""


@dataclass(frozen=True)
class Begin:
    """Power-on, with what the storage remembered, after so many that died in a row."""

    route: Route | None = None
    deaths: int = 0


@dataclass(frozen=True)
class Opened:
    """CONNACK: connected."""

    link: int


@dataclass(frozen=True)
class Granted:
    """SUBACK: subscribed."""

    link: int


@dataclass(frozen=True)
class Acked:
    """PUBACK: the broker has our message."""

    link: int


@dataclass(frozen=True)
class Failed:
    """The connection did not come about, or is lost."""

    link: int
    trouble: Trouble
    detail: str = ""


@dataclass(frozen=True)
class Closed:
    """The goodbye is complete."""

    link: int


@dataclass(frozen=True)
class Heard:
    """A message, whatever it may be."""

    link: int
    topic: str
    payload: bytes


@dataclass(frozen=True)
class Saved:
    """The storage holds what the journey last asked it to hold."""


@dataclass(frozen=True)
class NotSaved:
    """The storage refused: disk full, read-only, gone."""

    detail: str


@dataclass(frozen=True)
class ResetAsked:
    """Someone at the device asks for a factory reset."""


@dataclass(frozen=True)
class StopAsked:
    """A signal asks the process to end."""


@dataclass(frozen=True)
class Tick:
    """Time has passed: a deadline may be due."""


Event = Begin | Opened | Granted | Acked | Failed | Closed | Heard | Saved | NotSaved | ResetAsked | StopAsked | Tick


@dataclass(frozen=True)
class Open:
    """Connect. Reported as `Opened` or `Failed`."""

    link: int
    endpoint: Endpoint


@dataclass(frozen=True)
class Subscribe:
    """Subscribe with QoS 1. Reported as `Granted` or `Failed`."""

    link: int
    topic: str


@dataclass(frozen=True)
class Publish:
    """Publish with QoS 1. Reported as `Acked` or `Failed`."""

    link: int
    topic: str
    payload: bytes


@dataclass(frozen=True)
class Close:
    """Say goodbye, whatever state the connection is in. Reported as `Closed`."""

    link: int


@dataclass(frozen=True)
class Store:
    """Keep the route through a power cut. Reported as `Saved` or `NotSaved`."""

    route: Route


@dataclass(frozen=True)
class Forget:
    """Keep no route. Reported as `Saved` or `NotSaved`."""


@dataclass(frozen=True)
class Show:
    """Have this code where the device's display finds it; None: have none there."""

    code: str | None


@dataclass(frozen=True)
class Note:
    """One line of the log: a stable event name and its fields."""

    event: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Exit:
    """The process may end."""


Action = Open | Subscribe | Publish | Close | Store | Forget | Show | Note | Exit
