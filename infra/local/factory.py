"""The manufacturer of the local deployment: a CA of its own, registered with the lobby, and new devices on demand.

The same `pki` that a real manufacturer runs. The CA is made once and kept in the state directory; its revocation
list is renewed at every start, so that it never grows stale under a developer's hands.
"""

import secrets
from datetime import UTC, datetime
from pathlib import Path

import boto3

from lobby.names import Target
from pki.authority import INTERMEDIATE_CERT, INTERMEDIATE_KEY, Authority, create_hierarchy, load_authority
from pki.crl import CRL_FILE
from pki.devices import DevicePaths, write_device
from pki.lobby_account import Lobby
from pki.registration import register_ca

ORGANIZATION = "Device Lobby Local Factory"


class Factory:
    """Makes devices in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.ca_directory = directory / "ca"
        self.devices = directory / "devices"

    @property
    def ca_path(self) -> Path:
        """The CA that the lobby knows, and that device certificates are signed with."""
        return self.ca_directory / INTERMEDIATE_CERT

    @property
    def ca_key_path(self) -> Path:
        return self.ca_directory / INTERMEDIATE_KEY

    def authority(self) -> Authority:
        """The CA, made where there is none yet."""
        if (self.ca_directory / CRL_FILE).exists():
            return load_authority(self.ca_directory)
        self.ca_directory.parent.mkdir(parents=True, exist_ok=True)
        return create_hierarchy(self.ca_directory, ORGANIZATION, now=datetime.now(UTC))

    def register(self, session: boto3.Session, lobby: Target) -> str:
        """Lets this factory's devices into the lobby; the CA's id there."""
        authority, now = self.authority(), datetime.now(UTC)
        account = Lobby(lobby.account, lobby.region, session.client("iot"), session.client("s3"))
        return register_ca(account, authority.intermediate, authority.renew_crl(now=now), now=now).ca_certificate_id

    def make_device(self, name: str | None = None) -> DevicePaths:
        """A new device: certificate, chain, key and label, as it leaves the factory."""
        credential = self.authority().issue_device(name or new_name(), now=datetime.now(UTC))
        self.devices.mkdir(parents=True, exist_ok=True)
        return write_device(self.devices, credential)


def new_name() -> str:
    """A thing name that no other device has."""
    return f"demo-{secrets.token_hex(4)}"
