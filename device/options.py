"""The client's settings as typed, and its state folder. `settings` and `claim_settings` validate them."""

from dataclasses import dataclass
from pathlib import Path

from lobby.names import parse_thing_name


@dataclass(frozen=True)
class Options:
    """Settings as typed. None means not given."""

    cert: Path | None
    key: Path | None
    ca: Path | None
    lobby: tuple[str, ...]
    port: int
    state_dir: Path | None
    pkcs11_lib: Path | None = None
    pkcs11_pin: str | None = None
    pkcs11_pin_file: Path | None = None
    pkcs11_token: str | None = None
    pkcs11_label: str | None = None
    claim_cert: Path | None = None
    claim_key: Path | None = None
    serial: str | None = None
    template: str | None = None
    aws_keys: bool = False
    portable: bool = False
    renew: bool = True

    @property
    def by_claim(self) -> bool:
        """Whether the device gets its certificate by provisioning."""
        return self.claim_cert is not None

    @property
    def folder(self) -> Path | None:
        """The folder for the route and a provisioned identity: the option, otherwise ``<certificate>.state`` next to
        the certificate, otherwise ``<serial number>.state`` next to the claim certificate, otherwise None. Raise
        `InvalidInput` for an invalid serial number, which could name any folder."""
        if self.state_dir is not None:
            return self.state_dir
        if self.claim_cert is not None and self.serial:
            return self.claim_cert.with_name(f"{parse_thing_name(self.serial)}.state")
        return self.cert.with_suffix(".state") if self.cert is not None else None
