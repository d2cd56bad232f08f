"""Settings of the Lambdas, read from environment variables once.

Each Lambda has one frozen dataclass; its fields are the lower-case names of the variables. There are no defaults,
because the stack sets every variable. A missing variable is an error of the deployment, and the message names all
missing ones.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from lobby.errors import InvalidInput, MissingSettings
from lobby.names import Region, parse_region

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


S = TypeVar("S", bound="DataclassInstance")
REGIONS: Final = "LOBBY_REGIONS"
"""The environment variable with the Regions of a lobby, separated by commas. It is set only if the lobby has
several."""
LEASE_SECONDS: Final = "LOBBY_LEASE_SECONDS"
"""The environment variable with the length of the home's lease; only the emulator's is shorter than 300."""
MARK: Final = "mark"
REMOVE: Final = "remove"


def read_settings(kind: type[S], environment: Mapping[str, str]) -> S:
    """Return the settings `kind` (a dataclass of text fields) from `environment`. Raise `MissingSettings`."""
    names = [field.name for field in fields(kind)]
    missing = [name.upper() for name in names if not environment.get(name.upper(), "").strip()]
    if missing:
        raise MissingSettings("MISSING_SETTINGS", f"got no {', '.join(missing)}, want them in the environment")
    return kind(**{name: environment[name.upper()] for name in names})


def lobby_regions(environment: Mapping[str, str]) -> tuple[Region, ...]:
    """Return the Regions of the lobby, the first home first; empty if the lobby has only one Region. Raise
    `InvalidInput` INVALID_REGION."""
    names = environment.get(REGIONS, "").split(",")
    regions = tuple(parse_region(name.strip()) for name in names if name.strip())
    return regions if len(regions) > 1 else ()


def lease_seconds(environment: Mapping[str, str]) -> int:
    """Return how long the lease of the home Region lasts. Raise `InvalidInput` INVALID_SETTING."""
    text = environment.get(LEASE_SECONDS) or "300"
    if not text.isdecimal() or not 10 <= int(text) <= 300:
        raise InvalidInput("INVALID_SETTING", f"got {LEASE_SECONDS} {text!r}, want 10 to 300 whole seconds")
    return int(text)


def loopback(endpoint: str | None) -> str | None:
    """Return `endpoint` without its trailing slash if its host is a loopback address, else None."""
    try:
        parts = urlsplit(endpoint or "")
        host = parts.hostname or ""
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return None
    return endpoint.rstrip("/") if endpoint and is_loopback and parts.scheme in ("http", "https") else None


@dataclass(frozen=True)
class LobbySettings:
    """The settings of every Lambda in the lobby account: its Region, which AWS sets."""

    aws_region: str

    @property
    def region(self) -> Region:
        return parse_region(self.aws_region)


@dataclass(frozen=True)
class ConnectionsSettings(LobbySettings):
    """`clone_policy`: what happens to a device whose certificate may be in use twice (`ClonePolicy`), unless its target
    has its own policy."""

    clone_policy: str


@dataclass(frozen=True)
class BellSettings(LobbySettings):
    """`lanes_queue` and `express_queue` are the URLs of the queues that start the lanes' workers."""

    lanes_queue: str
    express_queue: str


@dataclass(frozen=True)
class CommissionerSettings(BellSettings):
    """`uncommissioned_queue` is the URL of the commissioner's on-failure queue. `lobby` is the lobby's key, and
    `left_things` is `MARK` or `REMOVE`, for the thing of a device that has left a target."""

    uncommissioned_queue: str
    lobby: str
    left_things: str


@dataclass(frozen=True)
class ReceptionistSettings(LobbySettings):
    """`marks_queue` is the URL of the queue of things to be marked."""

    marks_queue: str


@dataclass(frozen=True)
class ArrivalsSettings(ReceptionistSettings):
    """`unconfirmed_queue` is the URL of the queue for confirmations of unregistered targets' topics. `clone_policy` as
    in `ConnectionsSettings`."""

    unconfirmed_queue: str
    clone_policy: str


@dataclass(frozen=True)
class MarkerSettings(LobbySettings):
    """`lobby` is the lobby's key."""

    lobby: str


@dataclass(frozen=True)
class SurveyorSettings(MarkerSettings):
    """`arrivals_queue` is the ARN of the queue that the targets' topics deliver to; `left_things` is `MARK` or
    `REMOVE`."""

    arrivals_queue: str
    left_things: str


@dataclass(frozen=True)
class FeederSettings(LobbySettings):
    """`trust_bucket` holds the manifests; `campaigns_queue` is the URL of the tokens' queue. A campaign of more devices
    than `campaign_approval_above` needs approval."""

    trust_bucket: str
    campaigns_queue: str
    campaign_approval_above: str


@dataclass(frozen=True)
class SweeperSettings(LobbySettings):
    """`trust_bucket` holds the revocation lists; the queue settings are the URLs of the queues of lanes, campaigns and
    things to be marked."""

    trust_bucket: str
    lanes_queue: str
    campaigns_queue: str
    marks_queue: str


@dataclass(frozen=True)
class ReconcilerSettings(MarkerSettings):
    """`inspector_function` is the name of the inspector's Lambda function; `trust_bucket` holds the revocation
    lists."""

    inspector_function: str
    trust_bucket: str


@dataclass(frozen=True)
class RenewerSettings(LobbySettings):
    """`lobby_policy` is attached to a new certificate; `iot_arn` is the prefix of the ARNs of the lobby's AWS IoT."""

    lobby_policy: str
    iot_arn: str


@dataclass(frozen=True)
class BouncerSettings(LobbySettings):
    """`lobby_policy` is attached to an admitted certificate; `trust_bucket` holds the revocation lists. The queues are
    URLs. `registrations_per_second` is the pace of this process, one of several."""

    lobby_policy: str
    trust_bucket: str
    registrations_queue: str
    undelivered_queue: str
    registrations_per_second: str


@dataclass(frozen=True)
class VendingSettings(LobbySettings):
    """`vending_parameter` is the name of the parameter with the door's settings."""

    vending_parameter: str


@dataclass(frozen=True)
class PublisherSettings(MarkerSettings):
    """`event_bus` is the name of the bus. The queue settings are the URLs of the on-failure queue and of the queue of
    webhooks' events."""

    event_bus: str
    undelivered_queue: str
    webhooks_queue: str


@dataclass(frozen=True)
class CourierSettings(LobbySettings):
    """`webhooks_queue` is the URL of the queue of webhooks' events."""

    webhooks_queue: str


@dataclass(frozen=True)
class NotarySettings(LobbySettings):
    """`notary_bucket` holds the anchors of all histories."""

    notary_bucket: str


@dataclass(frozen=True)
class RegistrarSettings(LobbySettings):
    """`claim_policy` is attached to every claim certificate; `claim_keys_policy` is also attached if devices may have
    AWS IoT create their keys. `lobby_policy` is attached to certificates that are accepted from another lobby."""

    claim_policy: str
    claim_keys_policy: str
    lobby_policy: str
