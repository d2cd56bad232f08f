"""`.local/lobby.json`: the addresses and credentials of the running local deployment, for users and scripts.

Written when the deployment is complete, readable only by its owner (it contains the operators' passwords and
the secret of the root users), replaced
atomically.
"""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from lobby import strict_json

NAME: Final = "lobby.json"


@dataclass(frozen=True)
class LocalTarget:
    """A target account and Region, and the endpoint of its devices."""

    account: str
    region: str
    endpoint: str


@dataclass(frozen=True)
class LocalOperator:
    """A user of the user pool."""

    user: str
    password: str = field(repr=False)
    role: str = ""


@dataclass(frozen=True)
class LocalRegion:
    """The addresses of one Region of a lobby with several. The operators are the same in all Regions."""

    region: str
    graphql_url: str
    lobby_endpoint: str
    user_pool_id: str
    user_pool_client_id: str


@dataclass(frozen=True)
class LobbyFile:
    """The fields of `.local/lobby.json`. Scripts depend on their names."""

    graphql_url: str
    console_url: str
    lobby_endpoint: str
    mqtt_port: int
    mqtt_alpn_port: int
    """The local equivalent of AWS IoT's port 443, which needs ALPN."""
    server_ca_path: str
    device_ca_path: str
    device_ca_key_path: str
    aws_endpoint_url: str
    aws_secret_access_key: str = field(repr=False)
    """The secret of the root users; their access key is the account's number."""
    lobby_account: str
    lobby_region: str
    user_pool_id: str
    user_pool_client_id: str
    provisioning_template: str
    """The template for devices that have a claim certificate."""
    targets: tuple[LocalTarget, ...]
    operators: tuple[LocalOperator, ...]
    regions: tuple[LocalRegion, ...] = ()
    """All Regions of a lobby with several, the first home first. The fields above belong to the first Region."""

    def operator(self, role: str) -> LocalOperator:
        """Return the operator with this role. Each role has one."""
        return next(operator for operator in self.operators if operator.role == role)

    def of_region(self, region: str) -> "LobbyFile":
        """Return the file as the deployment in another Region would write it."""
        own = next(each for each in self.regions if each.region == region)
        return replace(
            self,
            graphql_url=own.graphql_url,
            lobby_endpoint=own.lobby_endpoint,
            lobby_region=own.region,
            user_pool_id=own.user_pool_id,
            user_pool_client_id=own.user_pool_client_id,
        )

    def write(self, directory: Path) -> Path:
        """Write the file in `directory` and return its path."""
        body = asdict(self)
        if not self.regions:
            del body["regions"]
        write_private(directory / NAME, json.dumps(body, indent=2) + "\n")
        return directory / NAME

    @classmethod
    def read(cls, directory: Path) -> "LobbyFile":
        """Read the file in `directory`. Raise `FileNotFoundError`, or `ValueError`, `KeyError` or `TypeError` if it is
        malformed."""
        body = strict_json.loads((directory / NAME).read_text())
        targets = tuple(LocalTarget(**each) for each in body.pop("targets"))
        operators = tuple(LocalOperator(**each) for each in body.pop("operators"))
        regions = tuple(LocalRegion(**each) for each in body.pop("regions", ()))
        return cls(**body, targets=targets, operators=operators, regions=regions)


def write_private(path: Path, text: str) -> None:
    """Replace the file atomically. Only the owner can read it, even while it is written."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    temporary.replace(path)
