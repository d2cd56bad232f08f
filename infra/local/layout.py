"""The local world, said once: which accounts and Regions there are, and where each is reached on this machine.

AWS IoT tells the owner of a connection by the endpoint that was dialled. Here an endpoint is a loopback address of
its own, all on one MQTT port, so that a device which knows only a host and the port it already uses arrives where it
should. Where a machine has only 127.0.0.1 (macOS), every endpoint has a port of its own instead.
"""

import hashlib
import ipaddress
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from lobby.names import Target, parse_account, parse_region, parse_target

LOBBY: Final = parse_target("100000000001", "us-east-1")
TARGETS: Final = (parse_target("200000000002", "eu-west-1"), parse_target("300000000003", "ap-southeast-2"))
GATEWAY_HOST: Final = "127.0.0.1"
GATEWAY_PORT: Final = 4566
MQTT_PORT: Final = 8883
CONSOLE_PORT: Final = 4567
LOBBY_HOST: Final = "127.0.0.1"
"""The lobby is where `localhost` leads."""
_POOL: Final = ipaddress.ip_network("127.64.0.0/10")
_FIRST_PORT: Final = 10_000
_PORTS: Final = 20_000


@dataclass(frozen=True, order=True)
class Endpoint:
    """Where the MQTT listener of one account and Region is bound."""

    host: str
    port: int


@dataclass(frozen=True)
class Layout:
    """Everything that the emulator, the deployment and the demo must agree on."""

    state_dir: Path
    gateway_port: int = GATEWAY_PORT
    mqtt_port: int = MQTT_PORT
    console_port: int = CONSOLE_PORT
    """Where the lobby's HTTP API is at the root; 0 in what was kept before there was one."""
    own_addresses: bool = True
    """Whether each endpoint is a loopback address of its own (Linux) or a port of its own."""
    lobby: Target = LOBBY
    targets: tuple[Target, ...] = TARGETS

    @property
    def endpoint_url(self) -> str:
        """What AWS clients are pointed at."""
        return f"http://{GATEWAY_HOST}:{self.gateway_port}"

    @property
    def console_host(self) -> str:
        """The console's origin, without its scheme."""
        return f"{GATEWAY_HOST}:{self.console_port}"

    @property
    def console_url(self) -> str:
        """What a browser is pointed at, and sent back to after a sign-in."""
        return f"http://{self.console_host}/"

    @property
    def log_path(self) -> Path:
        return self.state_dir / "emulator.log"

    @property
    def access_log_path(self) -> Path:
        return self.state_dir / "access.jsonl"

    @property
    def server_ca_path(self) -> Path:
        return self.state_dir / "server-ca.pem"

    def scopes(self) -> tuple[Target, ...]:
        """The accounts and Regions that are there from the start; others appear as they are used."""
        return (self.lobby, *self.targets)

    def endpoint(self, scope: Target) -> Endpoint:
        """Where devices dial `scope`. Any account and Region has an answer, and always the same."""
        if scope == self.lobby:
            return Endpoint(LOBBY_HOST, self.mqtt_port)
        if self.own_addresses:
            return Endpoint(own_address(scope), self.mqtt_port)
        return Endpoint(LOBBY_HOST, self._own_port(scope))

    def endpoint_address(self, scope: Target) -> str:
        """What DescribeEndpoint answers: the bare host, as on AWS, and the port only where it is not shared."""
        endpoint = self.endpoint(scope)
        return endpoint.host if self.own_addresses else f"{endpoint.host}:{endpoint.port}"

    def _own_port(self, scope: Target) -> int:
        port = _FIRST_PORT + (self.mqtt_port + _digest(scope)) % _PORTS
        taken = {self.mqtt_port, self.gateway_port, self.console_port}
        while port in taken:
            port += 1
        return port

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"state_dir": str(self.state_dir)})

    @classmethod
    def from_json(cls, text: str) -> "Layout":
        """The inverse of `to_json`. Raises `ValueError`, `KeyError` or `InvalidInput` for anything else."""
        body = json.loads(text)
        return cls(
            state_dir=Path(body["state_dir"]),
            gateway_port=int(body["gateway_port"]),
            mqtt_port=int(body["mqtt_port"]),
            console_port=int(body.get("console_port", 0)),
            own_addresses=bool(body["own_addresses"]),
            lobby=_target(body["lobby"]),
            targets=tuple(_target(each) for each in body["targets"]),
        )


def own_address(scope: Target) -> str:
    """The loopback address of `scope`, from a hash of its name: 127.64.0.0/10 without its first and last address.
    Two of a hundred targets share one with a chance of 0.1 %; the listener refuses the second."""
    return str(_POOL.network_address + 1 + _digest(scope) % (_POOL.num_addresses - 2))


def _digest(scope: Target) -> int:
    return int.from_bytes(hashlib.sha256(str(scope).encode()).digest()[:8], "big")


def _target(body: dict[str, str]) -> Target:
    return Target(parse_account(body["account"]), parse_region(body["region"]))
