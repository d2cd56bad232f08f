"""`.local/lobby.json`: where everything of the running local deployment is, for people and scripts.

Written when all of it is up, readable by its owner only (it holds the operators' passwords), replaced whole.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

NAME: Final = "lobby.json"


@dataclass(frozen=True)
class LocalTarget:
    """A target account and Region, and where its devices connect."""

    account: str
    region: str
    endpoint: str


@dataclass(frozen=True)
class LocalOperator:
    """Somebody who can sign in."""

    user: str
    password: str = field(repr=False)
    role: str = ""


@dataclass(frozen=True)
class LobbyFile:
    """The fields of `.local/lobby.json`."""

    graphql_url: str
    console_url: str
    lobby_endpoint: str
    mqtt_port: int
    server_ca_path: str
    device_ca_path: str
    device_ca_key_path: str
    aws_endpoint_url: str
    lobby_account: str
    lobby_region: str
    user_pool_id: str
    user_pool_client_id: str
    targets: tuple[LocalTarget, ...]
    operators: tuple[LocalOperator, ...]

    def operator(self, role: str) -> LocalOperator:
        """The one with this role; there is one for each."""
        return next(operator for operator in self.operators if operator.role == role)

    def write(self, directory: Path) -> Path:
        write_private(directory / NAME, json.dumps(asdict(self), indent=2) + "\n")
        return directory / NAME

    @classmethod
    def read(cls, directory: Path) -> "LobbyFile":
        """Raises `FileNotFoundError`, or `ValueError`, `KeyError`, `TypeError` for a file that is not ours."""
        body = json.loads((directory / NAME).read_text())
        targets = tuple(LocalTarget(**each) for each in body.pop("targets"))
        operators = tuple(LocalOperator(**each) for each in body.pop("operators"))
        return cls(**body, targets=targets, operators=operators)


def write_private(path: Path, text: str) -> None:
    """Replaces the file whole; nobody but its owner can read it at any moment."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    fresh.replace(path)
