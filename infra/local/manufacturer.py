"""The manufacturer of the local deployment: a CA that is registered with the lobby, and new devices.

It uses the same `pki` package as a real manufacturer. The CA is created once and kept in the state directory. Its
revocation list is renewed at every start, so that it does not expire.
"""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import boto3

from lobby.deployment import NAMES
from lobby.names import Target
from pki.ca.authority import INTERMEDIATE_CERT, INTERMEDIATE_KEY, Authority, create_hierarchy, load_authority
from pki.ca.crl import CRL_FILE
from pki.devices.credentials import DevicePaths, write_device
from pki.lobby_account.account import Lobby
from pki.lobby_account.registration import register_ca

ORGANIZATION: Final = "Device Lobby Local Manufacturer"
FOLDER: Final = "factory"
"""The manufacturer's folder in the state directory, with the name that earlier versions used."""


class Manufacturer:
    """Creates devices in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.ca_directory = directory / "ca"
        self.devices = directory / "devices"

    @property
    def ca_path(self) -> Path:
        """The CA certificate that is registered with the lobby and that signs device certificates."""
        return self.ca_directory / INTERMEDIATE_CERT

    @property
    def ca_key_path(self) -> Path:
        return self.ca_directory / INTERMEDIATE_KEY

    def authority(self) -> Authority:
        """Return the CA; create it if there is none."""
        if (self.ca_directory / CRL_FILE).exists():
            return load_authority(self.ca_directory)
        self.ca_directory.parent.mkdir(parents=True, exist_ok=True)
        return create_hierarchy(self.ca_directory, ORGANIZATION, now=datetime.now(UTC))

    def register(self, session: boto3.Session, lobby: Target) -> str:
        """Register the CA with the lobby and return its certificate id there."""
        authority, now = self.authority(), datetime.now(UTC)
        bucket = NAMES.trust_bucket(lobby.account, lobby.region)
        account = Lobby(lobby.account, lobby.region, bucket, session.client("iot"), session.client("s3"))
        return register_ca(account, authority.intermediate, [authority.renew_crl(now=now)], now=now).ca_certificate_id

    def make_device(self, name: str | None = None) -> DevicePaths:
        """Create the certificate, chain, key and label of a new device."""
        credential = self.authority().issue_device(name or new_name(), now=datetime.now(UTC))
        self.devices.mkdir(parents=True, exist_ok=True)
        return write_device(self.devices, credential)


def new_name() -> str:
    """Return a unique thing name."""
    return f"demo-{secrets.token_hex(4)}"
