"""The accounts and Regions of the local cloud, and the address of each endpoint on this machine.

AWS IoT determines the account and Region of a connection by its endpoint. Here each endpoint has its own loopback
address, and all use the same MQTT port: a route contains only a host, and the device keeps the port that it already
uses. On a machine that has only 127.0.0.1 (macOS), each endpoint has its own port instead.

Devices get an endpoint's name, because TLS sends a server name (SNI) only for names, and AWS IoT requires it. The name
is the address in hexadecimal, which every resolver understands without DNS (POSIX inet_addr; decision 41).
"""

import hashlib
import ipaddress
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lobby import strict_json
from lobby.names import Region, Target, parse_account, parse_region, parse_target

LOBBY: Final = parse_target("100000000001", "us-east-1")
OTHER_REGIONS: Final = tuple(map(parse_region, ("eu-central-1", "ap-northeast-1")))
"""The further Regions of a lobby with several."""
TARGETS: Final = (parse_target("200000000002", "eu-west-1"), parse_target("300000000003", "ap-southeast-2"))
GATEWAY_HOST: Final = "127.0.0.1"
GATEWAY_PORT: Final = 4566
MQTT_PORT: Final = 8883
CONSOLE_PORT: Final = 4567
ALPN_PORT: Final = 8443
"""The local equivalent of AWS IoT's port 443, on which MQTT needs ALPN."""
LOBBY_HOST: Final = "127.0.0.1"
"""A second address of the lobby's endpoint, also named `localhost`, for clients that cannot send a server name."""
_POOL: Final = ipaddress.ip_network("127.64.0.0/10")
_FIRST_PORT: Final = 10_000
_PORTS: Final = 20_000


@dataclass(frozen=True, order=True)
class Endpoint:
    """The address of the MQTT listener of one account and Region."""

    host: str
    port: int


@dataclass(frozen=True)
class Layout:
    """The ports, addresses and accounts that the emulator, the deployment and the demo share."""

    state_dir: Path
    gateway_port: int = GATEWAY_PORT
    mqtt_port: int = MQTT_PORT
    console_port: int = CONSOLE_PORT
    """The port that serves the lobby's HTTP API at the root; 0 in a layout file of an earlier version without it."""
    own_addresses: bool = True
    """Whether each endpoint has its own loopback address (Linux) or its own port (macOS)."""
    alpn_port: int = 0
    """The port that needs ALPN; 0: none, as in a layout file of an earlier version."""
    names: bool = True
    """Whether endpoints have names and need SNI. False in a layout file of an earlier version, because its devices have
    stored addresses."""
    lobby: Target = LOBBY
    targets: tuple[Target, ...] = TARGETS
    other_regions: tuple[Region, ...] = ()
    """The further Regions of a lobby with several."""

    @property
    def endpoint_url(self) -> str:
        """The endpoint URL for AWS clients."""
        return f"http://{GATEWAY_HOST}:{self.gateway_port}"

    @property
    def console_host(self) -> str:
        """Host and port of the console."""
        return f"{GATEWAY_HOST}:{self.console_port}"

    @property
    def console_url(self) -> str:
        """The URL of the console, which is also the callback URL of the sign-in."""
        return f"http://{self.console_host}/"

    @property
    def log_path(self) -> Path:
        return self.state_dir / "emulator.log"

    @property
    def access_log_path(self) -> Path:
        return self.state_dir / "access.jsonl"

    @property
    def used_permissions_path(self) -> Path:
        return self.state_dir / "permissions.jsonl"

    @property
    def webhook_roots_path(self) -> Path:
        """The file with the CAs of webhook receivers on this machine. The user creates it."""
        return self.state_dir / "webhook-roots.pem"

    @property
    def server_ca_path(self) -> Path:
        return self.state_dir / "server-ca.pem"

    def scopes(self) -> tuple[Target, ...]:
        """Return the accounts and Regions that exist from the start. Others are created when they are used."""
        return (self.lobby, *self.targets, *self.places()[1:])

    def places(self) -> tuple[Target, ...]:
        """Return the lobby's account in each of its Regions, the first home first."""
        return (self.lobby, *(Target(self.lobby.account, region) for region in self.other_regions))

    def endpoint(self, scope: Target) -> Endpoint:
        """Return the address to which devices of `scope` connect. It is the same in every run."""
        if scope == self.lobby and not (self.own_addresses and self.names):
            return Endpoint(LOBBY_HOST, self.mqtt_port)
        if self.own_addresses:
            return Endpoint(own_address(scope), self.mqtt_port)
        return Endpoint(LOBBY_HOST, self._own_port(scope))

    def listens_on(self, scope: Target) -> tuple[Endpoint, ...]:
        """Return every address on which `scope` is served: its endpoint, for the lobby also `LOBBY_HOST`, and the same
        hosts with the port that needs ALPN, unless several endpoints share a host."""
        endpoint = self.endpoint(scope)
        hosts = dict.fromkeys([endpoint.host, *([LOBBY_HOST] if scope == self.lobby else [])])
        ports = [endpoint.port]
        if self.alpn_port and (self.own_addresses or scope == self.lobby):
            ports.append(self.alpn_port)
        return tuple(Endpoint(host, port) for port in ports for host in hosts)

    def server_name(self, scope: Target) -> str:
        """Return the host name of the endpoint, which clients send as SNI."""
        host = self.endpoint(scope).host
        return f"0x{int(ipaddress.IPv4Address(host)):08x}" if self.names else host

    def accepts(self, scope: Target, endpoint: Endpoint, server_name: str | None) -> bool:
        """Return whether a client that connected to `endpoint` with this SNI reaches `scope`. AWS IoT requires the
        endpoint's name. `LOBBY_HOST` accepts any SNI or none, because v0.1's sample client connects to an address."""
        if not self.names or (scope == self.lobby and endpoint.host == LOBBY_HOST):
            return True
        return server_name is not None and server_name.lower() == self.server_name(scope)

    def endpoint_address(self, scope: Target) -> str:
        """Return the result of DescribeEndpoint: the name, as on AWS, with the port if each endpoint has its own."""
        name = self.server_name(scope)
        return name if self.own_addresses else f"{name}:{self.endpoint(scope).port}"

    def _own_port(self, scope: Target) -> int:
        port = _FIRST_PORT + (self.mqtt_port + _digest(scope)) % _PORTS
        taken = {self.mqtt_port, self.gateway_port, self.console_port, self.alpn_port}
        while port in taken:
            port += 1
        return port

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"state_dir": str(self.state_dir)})

    @classmethod
    def from_json(cls, text: str) -> "Layout":
        """Parse the result of `to_json`. Raise `ValueError`, `KeyError` or `InvalidInput` for any other text."""
        body = strict_json.loads(text)
        return cls(
            state_dir=Path(body["state_dir"]),
            gateway_port=int(body["gateway_port"]),
            mqtt_port=int(body["mqtt_port"]),
            console_port=int(body.get("console_port", 0)),
            own_addresses=bool(body["own_addresses"]),
            alpn_port=int(body.get("alpn_port", 0)),
            names=bool(body.get("names", False)),
            lobby=_target(body["lobby"]),
            targets=tuple(_target(each) for each in body["targets"]),
            other_regions=tuple(map(parse_region, body.get("other_regions", ()))),
        )


def own_address(scope: Target) -> str:
    """Return the loopback address of `scope`, derived from a hash of its name: 127.64.0.0/10 without its first and last
    address. The probability that two of 100 targets share an address is 0.1 %; the listener refuses the second."""
    return str(_POOL.network_address + 1 + _digest(scope) % (_POOL.num_addresses - 2))


def _digest(scope: Target) -> int:
    return int.from_bytes(hashlib.sha256(str(scope).encode()).digest()[:8], "big")


def _target(body: dict[str, str]) -> Target:
    return Target(parse_account(body["account"]), parse_region(body["region"]))
