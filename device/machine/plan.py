"""What a device knows before its journey: who it is, where the lobbies are, and how patient to be.

One frozen dataclass, complete and checked before anything is opened. All times are in seconds.
"""

import re
from dataclasses import dataclass, fields
from typing import Final

from device.machine.backoff import Backoff
from lobby.errors import InvalidInput
from lobby.names import ThingName, shown
from lobby.wire import MQTT_PORT

_LONGEST: Final = 1e7
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Endpoint:
    """An MQTT broker, as host name and TCP port."""

    host: str
    port: int = MQTT_PORT

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_endpoint(text: str, port: int = MQTT_PORT) -> Endpoint:
    """``host`` or ``host:port``. Raises `InvalidInput` INVALID_ENDPOINT."""
    host, colon, number = text.strip().partition(":")
    digits = number if colon else str(port)
    if _HOST.fullmatch(host) and re.fullmatch(r"[0-9]{1,5}", digits) and 0 < int(digits) < 65536:
        return Endpoint(host, int(digits))
    raise InvalidInput("INVALID_ENDPOINT", f"got {shown(text)}, want host or host:port, the port 1 to 65535")


@dataclass(frozen=True)
class Timing:
    """How patient to be, in seconds unless said. The defaults suit a device in the field. Raises `InvalidInput`
    INVALID_SETTING for a value that is not above zero."""

    hello_every: float = 60.0
    """In the lobby, between two hellos."""
    alive_every: float = 60.0
    """In the target, between two reports."""
    answer_within: float = 10.0
    """For each answer a broker owes: the connection, SUBACK, PUBACK, the goodbye."""
    settle_after: float = 30.0
    """A connection that held this long has proved itself; until then its loss counts as one more failure."""
    retry_base: float = 1.5
    """The longest wait after a first failure (the shortest, half of it, is what a registration takes) …"""
    retry_cap: float = 60.0
    """… and after any number of them."""
    fallback_attempts: int = 10
    """Failures in a row at the target before the lobby is asked …"""
    fallback_seconds: float = 300.0
    """… or this long since the first of them, whichever comes first."""
    revisit_base: float = 15.0
    """After the first fallback, the longest wait before the same route is tried once more …"""
    revisit_cap: float = 900.0
    """… and after any number of them."""
    store_every: float = 30.0
    """Between two tries to write the route, where the disk refuses."""
    tell_every: float = 60.0
    """The log has room for so many lines about messages in this time; what is more is counted …"""
    tell_at_most: int = 20
    """… so that whoever sends without end does not fill the disk."""
    refusals_per_lobby: int = 3
    """Just-in-time registration answers the first connect by hanging up: this many before the next lobby is tried."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not 0 < value < _LONGEST:
                raise InvalidInput("INVALID_SETTING", f"got {one.name} {value}, want more than 0, at most {_LONGEST:g}")

    @property
    def retry(self) -> Backoff:
        return Backoff(self.retry_base, self.retry_cap)

    @property
    def revisit(self) -> Backoff:
        return Backoff(self.revisit_base, self.revisit_cap)


_FIELD: Final = Timing()


@dataclass(frozen=True)
class Plan:
    """The journey's givens."""

    thing: ThingName
    lobbies: tuple[Endpoint, ...]
    timing: Timing = _FIELD
    exit_on_arrival: bool = False
    show_codes: bool = False
    """It can show a code to whoever stands before it, and says so in its hellos."""
