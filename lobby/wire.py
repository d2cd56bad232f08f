"""The device protocol: topics, rule SQL and message formats.

The topic rules in `infra/`, the Lambdas and the device client use these definitions. Compatible with aws-device-lobby
v0.1: a device that uses only `lobby/<thing>`, `$aws/rules/lobby`, `iotep` and `config` works unchanged. Standard
library only.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lobby import strict_json
from lobby.errors import InvalidInput
from lobby.names import PresenceCode, ThingName, parse_code, shown

HELLO_RULE: Final = "lobby"
HELLO_TOPIC: Final = f"$aws/rules/{HELLO_RULE}"
HELLO_SQL: Final = (
    "SELECT principal() AS certid, clientid() AS devicename, timestamp() AS receivedat, version AS clientversion,"
    " presence AS presence, renew AS renew, transfer AS transfer FROM '$aws/rules/lobby'"
)
"""Selects named fields only, so that no field of the payload can replace the certificate or the client id."""
RENEWAL_RULE: Final = "lobby_renewal"
RENEWAL_TOPIC: Final = f"$aws/rules/{RENEWAL_RULE}"
"""Where a device that was asked to renew its certificate sends its request for a new one, in the lobby."""
RENEWAL_SQL: Final = (
    "SELECT principal() AS certid, clientid() AS devicename, csr AS csr FROM '$aws/rules/lobby_renewal'"
)
REGISTERED_SQL: Final = "SELECT * FROM '$aws/events/certificates/registered/+'"
"""IoT Core's just-in-time registration event (AWS IoT developer guide, "Just-in-time registration")."""
CONNECTIONS_SQL: Final = (
    "SELECT eventType AS event, principalIdentifier AS certid, clientId AS devicename, sessionIdentifier AS session,"
    " versionNumber AS version, timestamp AS at, ipAddress AS address, disconnectReason AS reason"
    " FROM '$aws/events/presence/+/#'"
)
"""All lifecycle events of connections in the lobby: connected, disconnected and connect_failed. The topic ends with the
client id, which can contain slashes if AWS IoT has refused it."""
CONNECT_FAILED: Final = "connect_failed"
"""The `eventType` of a connection that AWS IoT refused (the same page, "Connect attempt failure event")."""

PRESENCE: Final = "presence"
"""In a hello, `true` means that the device can show a presence code. In a message to the device, it is the code."""
TRANSFER: Final = "transfer"
"""In a hello, `true` means that the device can change its lobby."""
RENEW: Final = "renew"
"""In a hello, `true` means that the device can renew its certificate. In a message to the device, it is the request to
renew."""
FACTORY_RESET: Final = "factory reset"
MAX_CONFIG_BYTES: Final = 8 * 1024
MAX_CONFIG_DEPTH: Final = 32
"""The maximum depth of nested objects and lists. Some JSON parsers on the way to the device fail on deeper ones."""
MAX_MESSAGE_BYTES: Final = 128 * 1024
"""AWS IoT Core's limit for an MQTT payload."""
MQTT_PORT: Final = 8883
MQTT_ALPN: Final = "x-amzn-mqtt-ca"
"""What AWS IoT needs on port 443 (AWS IoT developer guide, "Device communication protocols")."""
DEFAULT_CONFIG: Final = "default"
"""The `config` of a claim without one: a v0.1 device requires the field."""

Config = str | dict[str, object]
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*")


def lobby_topic(thing: ThingName) -> str:
    """Return the topic of one device, in the lobby and in its target."""
    return f"lobby/{thing}"


CRL_PREFIX: Final = "crl/"
"""The keys of all CRLs in a trust bucket."""


def crl_key(ca_certificate_id: str) -> str:
    """Return the key of the CRL (PEM) of a CA, by the CA's AWS IoT certificate id."""
    return f"{CRL_PREFIX}{ca_certificate_id}.pem"


@dataclass(frozen=True)
class StandbyEndpoint:
    """The endpoint that a device uses while it reaches neither its target nor a lobby."""

    iotep: str
    port: int | None = None


@dataclass(frozen=True)
class Route:
    """The endpoint to which a device connects. `port` defaults to 8883; `generation` orders the routes of a device."""

    iotep: str
    config: Config = DEFAULT_CONFIG
    port: int | None = None
    generation: int | None = None
    standby: StandbyEndpoint | None = None

    def encode(self) -> bytes:
        """Return the message for `lobby/<thing>`. A v0.1 device reads `iotep` and `config` and ignores the rest."""
        body: dict[str, object] = {"iotep": self.iotep, "config": self.config}
        if self.port is not None and self.port != MQTT_PORT:
            body["port"] = self.port
        if self.generation is not None:
            body["generation"] = self.generation
        if self.standby is not None:
            port = {} if self.standby.port in (None, MQTT_PORT) else {"port": self.standby.port}
            body["standby"] = {"iotep": self.standby.iotep, **port}
        return json.dumps(body, separators=(",", ":"), ensure_ascii=True).encode()


@dataclass(frozen=True)
class PresenceChallenge:
    """The code that a device shows until the claim of this `generation` is confirmed."""

    code: PresenceCode
    generation: int | None = None

    def encode(self) -> bytes:
        """Return the message for `lobby/<thing>`. Only for a device that has reported that it can show a code."""
        return json.dumps({PRESENCE: self.code, "generation": self.generation}, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Reset:
    """Instructs a device to return to the lobby."""

    def encode(self) -> bytes:
        return json.dumps({"config": FACTORY_RESET}).encode()


@dataclass(frozen=True)
class RenewalRequest:
    """Asks a device to renew its certificate in the lobby by the time `by` (ISO 8601 UTC)."""

    by: str
    generation: int | None = None

    def encode(self) -> bytes:
        """Return the message for `lobby/<thing>`. Only for a device that has reported that it can renew."""
        return json.dumps({RENEW: {"by": self.by, "generation": self.generation}}, separators=(",", ":")).encode()


@dataclass(frozen=True)
class NewCertificate:
    """The new certificate of a device, in PEM. It works in the lobby immediately, and in the target as soon as the
    device has a route of `generation` or later."""

    pem: str
    generation: int

    def encode(self) -> bytes:
        """Return the message for `lobby/<thing>`."""
        return json.dumps({"certificate": self.pem, "generation": self.generation}, separators=(",", ":")).encode()


@dataclass(frozen=True)
class NewLobby:
    """The lobby that the device belongs to from now on. `port` as in a route."""

    iotep: str
    port: int | None = None

    def __str__(self) -> str:
        return self.iotep if self.port is None else f"{self.iotep}:{self.port}"

    def encode(self) -> bytes:
        """Return the message for `lobby/<thing>`. Only for a device that has reported that it can change its lobby."""
        port = {} if self.port in (None, MQTT_PORT) else {"port": self.port}
        return json.dumps({"lobby": {"iotep": self.iotep, **port}}, separators=(",", ":")).encode()


Message = Route | Reset | PresenceChallenge | RenewalRequest | NewCertificate | NewLobby


def parse_message(payload: bytes) -> Message:
    """Return the message that a device received. Raise `InvalidInput` INVALID_MESSAGE for anything else."""
    body = json_object(payload)
    if body.get("config") == FACTORY_RESET:
        return Reset()
    for field, parse in _PARSERS.items():
        if field in body and "iotep" not in body:
            return parse(body[field], body)
    return _route(body)


def _route(body: Mapping[str, object]) -> Route:
    iotep, config = body.get("iotep"), body.get("config", DEFAULT_CONFIG)
    port = body.get("port")
    if not isinstance(iotep, str) or not _HOST.fullmatch(iotep):
        raise _bad_message(f"iotep {shown(iotep)}, want a host name")
    if not isinstance(config, str | dict):
        raise _bad_message(f"config {shown(config)}, want text or an object")
    if strict_json.nested_deeper(config, MAX_CONFIG_DEPTH):
        raise _bad_message(f"a config nested deeper than {MAX_CONFIG_DEPTH}")
    if port is not None and not _is_port(port):
        raise _bad_message(f"port {shown(port)}, want 1 to 65535")
    return Route(
        iotep,
        config,
        port if isinstance(port, int) else None,
        _generation(body.get("generation")),
        _standby(body.get("standby")),
    )


def _is_port(value: object) -> bool:
    return type(value) is int and 0 < value < 65536


def _standby(value: object) -> StandbyEndpoint | None:
    """Return the standby of a route. An invalid one is ignored, because the route is useful without it."""
    fields = value if isinstance(value, dict) else {}
    iotep, port = fields.get("iotep"), fields.get("port")
    valid = isinstance(iotep, str) and _HOST.fullmatch(iotep) and (port is None or _is_port(port))
    return StandbyEndpoint(iotep, port) if valid and isinstance(iotep, str) else None


def parse_config(value: object) -> Config:
    """Return the configuration of a claim: text, or an object of at most `MAX_CONFIG_BYTES` as JSON, nested at most
    `MAX_CONFIG_DEPTH` levels. Raise `InvalidInput` INVALID_CONFIG for anything else, and for `FACTORY_RESET`."""
    if not isinstance(value, str | dict) or value == FACTORY_RESET:
        raise InvalidInput("INVALID_CONFIG", f"got {shown(value)}, want text or an object, no factory reset")
    try:
        size = len(json.dumps(value, allow_nan=False).encode())
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("INVALID_CONFIG", f"got {shown(value)}, want JSON ({error})") from None
    if size > MAX_CONFIG_BYTES:
        raise InvalidInput("INVALID_CONFIG", f"got {size} bytes, want at most {MAX_CONFIG_BYTES}")
    if strict_json.nested_deeper(value, MAX_CONFIG_DEPTH):
        raise InvalidInput("INVALID_CONFIG", f"got a config nested deeper than {MAX_CONFIG_DEPTH}")
    return value


def _challenge(code: object, body: Mapping[str, object]) -> PresenceChallenge:
    return PresenceChallenge(_code(code), _generation(body.get("generation")))


def _renewal_request(value: object, _body: Mapping[str, object]) -> RenewalRequest:
    by = value.get("by") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(by, str) or not _TIME.fullmatch(by):
        raise _bad_message(f"renew {shown(value)}, want an object with `by`, a time such as 2026-12-31T00:00:00.000Z")
    return RenewalRequest(by, _generation(value.get("generation")))


def _new_certificate(pem: object, body: Mapping[str, object]) -> NewCertificate:
    generation = _generation(body.get("generation"))
    if not isinstance(pem, str) or not pem.startswith("-----BEGIN CERTIFICATE-----") or generation is None:
        raise _bad_message(f"certificate {shown(pem)} of generation {generation}, want PEM and a generation")
    return NewCertificate(pem, generation)


def _new_lobby(value: object, _body: Mapping[str, object]) -> NewLobby:
    fields = value if isinstance(value, dict) else {}
    iotep, port = fields.get("iotep"), fields.get("port")
    if not isinstance(iotep, str) or not _HOST.fullmatch(iotep):
        raise _bad_message(f"lobby {shown(value)}, want an object with `iotep`, a host name")
    if port is not None and not _is_port(port):
        raise _bad_message(f"port {shown(port)}, want 1 to 65535")
    return NewLobby(iotep, port if isinstance(port, int) else None)


_PARSERS: Final[Mapping[str, Callable[[object, Mapping[str, object]], Message]]] = {
    PRESENCE: _challenge,
    RENEW: _renewal_request,
    "certificate": _new_certificate,
    "lobby": _new_lobby,
}
"""The kinds of messages without a route. The first of these fields that a message has decides."""


def _code(value: object) -> PresenceCode:
    if not isinstance(value, str) or parse_code(value) != value:
        raise _bad_message("an invalid presence code, want 8 digits")
    return PresenceCode(value)


def _generation(value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise _bad_message(f"generation {shown(value)}, want a whole number")
    return value


def json_object(payload: bytes) -> dict[str, object]:
    """Return the JSON object of a message. Raise `InvalidInput` INVALID_MESSAGE for anything else."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise _bad_message(f"{len(payload)} bytes, want at most {MAX_MESSAGE_BYTES}")
    try:
        body = strict_json.loads(payload)
    except strict_json.RepeatedName as error:
        raise InvalidInput("INVALID_MESSAGE", str(error)) from None
    except ValueError:
        raise _bad_message(f"{shown(payload[:60])}, want JSON") from None
    if not isinstance(body, dict):
        raise _bad_message(f"{shown(payload[:60])}, want a JSON object")
    return body


def _bad_message(what: str) -> InvalidInput:
    return InvalidInput("INVALID_MESSAGE", f"got {what}")
