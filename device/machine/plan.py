"""Configuration of the state machine: the device's name, the lobbies and the timing.

Frozen dataclasses, validated before any connection is opened. All times are in seconds.
"""

import re
from dataclasses import dataclass, fields
from typing import Final

from device.machine.backoff import Backoff
from device.machine.hello_schedule import HelloSchedule
from lobby.errors import InvalidInput
from lobby.names import ThingName, shown
from lobby.wire import MQTT_PORT

KEEP_ALIVE_S: Final = 30
"""The shortest keep-alive that AWS IoT Core grants (AWS IoT Core endpoints and quotas)."""
_MAX_VALUE: Final = 1e7
_TEMPLATE: Final = re.compile(r"[0-9A-Za-z_-]{1,36}")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Endpoint:
    """Host name and TCP port of an MQTT broker."""

    host: str
    port: int = MQTT_PORT

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class AdoptedLobby:
    """The lobby that the device has changed to, in place of the lobbies of its settings. `before` are the earlier ones,
    until the new one has proven to work."""

    endpoint: Endpoint
    before: tuple[Endpoint, ...] = ()

    @property
    def lobbies(self) -> tuple[Endpoint, ...]:
        return (self.endpoint, *self.before)


def parse_endpoint(text: str, port: int = MQTT_PORT) -> Endpoint:
    """Parse ``host`` or ``host:port``. Raise `InvalidInput` INVALID_ENDPOINT."""
    host, colon, number = text.strip().partition(":")
    digits = number if colon else str(port)
    if _HOST.fullmatch(host) and re.fullmatch(r"[0-9]{1,5}", digits) and 0 < int(digits) < 65536:
        return Endpoint(host, int(digits))
    raise InvalidInput("INVALID_ENDPOINT", f"got {shown(text)}, want host or host:port with a port from 1 to 65535")


@dataclass(frozen=True)
class Timing:
    """Intervals and limits, in seconds unless stated otherwise. The defaults suit a device in the field. Raise
    `InvalidInput` INVALID_SETTING for a value that is not above zero."""

    hello_every: float = 60.0
    """First interval of hellos in the lobby. The schedule starts again with each connection."""
    alive_every: float = 60.0
    """Interval of reports in the target."""
    answer_within: float = 10.0
    """Time limit for each answer of a broker: CONNACK, SUBACK, PUBACK, and the end of a disconnect."""
    settle_after: float = 30.0
    """A connection is stable after this time. The loss of an earlier one counts as a failure."""
    retry_base: float = 1.5
    """Longest wait after the first failure. The shortest wait is half of it: the duration of a registration."""
    retry_cap: float = 60.0
    """Longest wait after any number of failures."""
    fallback_seconds: float = 120.0
    """Time in which the target does not answer (no address, no listener, TLS failure, timeout), after which the device
    falls back to the lobby."""
    fallback_refused_seconds: float = 600.0
    """Time without a stable connection to a target that refuses connections, after which the device falls back. A
    changed policy can take eight minutes to take effect on AWS."""
    fallback_attempts: int = 30
    """Consecutive failures at the target, after which the device falls back in any case (count). With the default waits
    the times apply first."""
    revisit_base: float = 15.0
    """Longest wait after the first fallback before the same route is retried."""
    revisit_cap: float = 900.0
    """Longest such wait after any number of fallbacks."""
    standby_base: float = 60.0
    """Longest wait in the standby before a lobby and the target are tried the first time."""
    standby_cap: float = 900.0
    """Longest such wait after any number of visits to the standby."""
    store_every: float = 30.0
    """Interval of attempts to write the route while the disk fails."""
    log_window: float = 60.0
    """Length of the period to which `log_limit` applies."""
    log_limit: int = 20
    """Log lines about received messages per period (count). Further lines are only counted, so that many messages do
    not fill the disk."""
    refusals_per_lobby: int = 3
    """Refused connections at one lobby before the next lobby is tried (count). Just-in-time registration closes the
    first connection."""
    hello_every_for: float = 600.0
    """Time since the subscription for which `hello_every` applies."""
    hello_later_every: float = 900.0
    """Interval of hellos after that."""
    hello_later_for: float = 7200.0
    """Time since the subscription until which `hello_later_every` applies."""
    hello_at_last_every: float = 3600.0
    """Interval of hellos after that."""
    denied_base: float = 60.0
    """Longest wait after the first denial of provisioning by claim. Each attempt costs the lobby a run of a Lambda."""
    denied_cap: float = 900.0
    """Longest wait after any number of denials."""
    token_for: float = 3300.0
    """Time within which a pending certificate can be registered. AWS IoT permits an hour."""
    renewal_base: float = 15.0
    """Longest wait before the first repetition of a request for a new certificate. A repetition costs the lobby a run
    of a Lambda, which takes 2 s with a cold start."""
    renewal_cap: float = 60.0
    """Longest wait before any repetition."""
    renewal_for: float = 180.0
    """Time in the lobby for a renewal, after which the device returns to its target with the old certificate."""
    renewal_visit_every: float = 60.0
    """Shortest interval between two such visits on request of the target."""
    try_new_base: float = 60.0
    """Longest wait before a new certificate that the target has refused is tried again the first time."""
    try_new_cap: float = 3600.0
    """Longest such wait after any number of refusals."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not 0 < value < _MAX_VALUE:
                raise InvalidInput(
                    "INVALID_SETTING", f"got {each.name} {value}, want more than 0 and less than {_MAX_VALUE:g}"
                )

    @property
    def hellos(self) -> HelloSchedule:
        return HelloSchedule(
            self.hello_every,
            self.hello_every_for,
            self.hello_later_every,
            self.hello_later_for,
            self.hello_at_last_every,
        )

    @property
    def retry(self) -> Backoff:
        return Backoff(self.retry_base, self.retry_cap)

    @property
    def denied(self) -> Backoff:
        return Backoff(self.denied_base, self.denied_cap)

    @property
    def renewal(self) -> Backoff:
        return Backoff(self.renewal_base, self.renewal_cap)

    @property
    def try_new(self) -> Backoff:
        return Backoff(self.try_new_base, self.try_new_cap)

    @property
    def standby(self) -> Backoff:
        return Backoff(self.standby_base, self.standby_cap)

    @property
    def revisit(self) -> Backoff:
        return Backoff(self.revisit_base, self.revisit_cap)


_DEFAULT_TIMING: Final = Timing()


@dataclass(frozen=True)
class Provisioning:
    """How a device gets its certificate. `serial` will be its thing name. `with_keys`: AWS IoT also creates the key."""

    template: str
    serial: ThingName
    with_keys: bool = False


def parse_template(text: str) -> str:
    """Return the name of a provisioning template, by AWS IoT's rule (API reference, CreateProvisioningTemplate). Raise
    `InvalidInput` INVALID_TEMPLATE."""
    if _TEMPLATE.fullmatch(text):
        return text
    raise InvalidInput("INVALID_TEMPLATE", f"got {shown(text)}, want 1 to 36 of the characters a-z A-Z 0-9 _ -")


@dataclass(frozen=True)
class Plan:
    """The parameters of one device."""

    thing: ThingName
    lobbies: tuple[Endpoint, ...]
    timing: Timing = _DEFAULT_TIMING
    exit_on_arrival: bool = False
    show_codes: bool = False
    """The device can show a presence code. Its hellos announce this."""
    renews: bool = False
    """The device can renew its certificate. Its hellos announce this."""
    changes_lobby: bool = False
    """The device can change to another lobby on request of its lobby. Its hellos announce this."""
    provisioning: Provisioning | None = None
    """The device has no certificate of its own yet: connect with the claim certificate, and only get a certificate."""
