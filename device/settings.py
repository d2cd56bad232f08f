"""The settings of a device that has a certificate, validated before it starts. `claim_settings` has those of a device
without one.

All missing settings are listed in one message. Nothing here opens a connection or creates a file.
"""

from dataclasses import dataclass
from pathlib import Path

from device.credential_files import has_key
from device.credentials import Credentials, FileCredentials, TokenCredentials
from device.errors import BadCredentials
from device.identity import Identity, check_ca, read_identity
from device.identity_store import MAX_COMMON_NAME
from device.input_files import read_file
from device.machine.plan import Plan, Timing, parse_endpoint
from device.mqtt import MqttConnection
from device.native import NativeLibraries
from device.options import Options
from device.renewal_store import RenewalStore
from device.renewals import Renewals
from device.runtime import Setup
from lobby.errors import InvalidInput, MissingSettings

_KEY_OPTION = "--key (DEVICE_KEY) or --pkcs11-lib (DEVICE_PKCS11_LIB)"


@dataclass(frozen=True)
class Settings:
    """Complete and validated settings."""

    identity: Identity
    credentials: Credentials
    plan: Plan
    state_dir: Path
    ca: Path

    @property
    def setup(self) -> Setup:
        plan, credentials = self.plan, self.credentials
        renewals = self._renewals() if plan.renews else None
        renewed = renewals.validity() if renewals else None
        return Setup(
            plan,
            self.state_dir,
            lambda connection_id, report: MqttConnection(
                connection_id, report, credentials, plan.thing, plan.timing.answer_within
            ),
            (renewed or self.identity).clock_error,
            renewals=renewals,
        )

    def _renewals(self) -> Renewals:
        libraries, thing = NativeLibraries(), self.plan.thing
        store = RenewalStore(self.state_dir, thing, self.identity.certid, libraries.keys)
        return Renewals(store, libraries, thing, self.ca, self.plan.timing.answer_within)


def load_settings(options: Options, timing: Timing, *, exit_on_arrival: bool, show_codes: bool = False) -> Settings:
    """Validate the options. Raise `MissingSettings`, `InvalidInput` or `BadCredentials`."""
    cert, ca = options.cert, options.ca
    missing = missing_settings(options)
    if missing or cert is None or ca is None:
        raise MissingSettings("MISSING_SETTINGS", f"got no {', no '.join(missing)}")
    key = None if options.pkcs11_lib else options.key or cert
    identity = read_identity(cert, key)
    check_ca(ca, identity.certid)
    plan = Plan(
        thing=identity.thing,
        lobbies=tuple(parse_endpoint(text, options.port) for text in options.lobby),
        timing=timing,
        exit_on_arrival=exit_on_arrival,
        show_codes=show_codes,
        changes_lobby=True,
        renews=options.renew and not options.pkcs11_lib and len(identity.thing) <= MAX_COMMON_NAME,
    )
    return Settings(identity, _credentials(options, cert, ca), plan, options.folder or cert.parent, ca)


def missing_settings(options: Options) -> list[str]:
    """Return each missing setting as its option and environment variable."""
    pin = options.pkcs11_pin or options.pkcs11_pin_file or not options.pkcs11_lib
    required = {
        "--cert (DEVICE_CERT)": options.cert,
        "--ca (DEVICE_CA)": options.ca,
        "--lobby (DEVICE_LOBBY)": options.lobby,
        _KEY_OPTION: options.key or options.pkcs11_lib or (options.cert and has_key(options.cert)),
        "--pkcs11-pin (DEVICE_PKCS11_PIN) or --pkcs11-pin-file (DEVICE_PKCS11_PIN_FILE)": pin,
    }
    return [name for name, value in required.items() if not value]


def _credentials(options: Options, cert: Path, ca: Path) -> Credentials:
    if options.key and options.pkcs11_lib:
        raise InvalidInput("INVALID_SETTING", "got both --key and --pkcs11-lib, want one of them")
    credentials: Credentials
    if options.pkcs11_lib:
        credentials = TokenCredentials(
            cert, ca, options.pkcs11_lib, _pin(options), options.pkcs11_token, options.pkcs11_label
        )
    else:
        credentials = FileCredentials(cert, options.key or cert, ca)
    credentials.check()
    return credentials


def _pin(options: Options) -> str:
    if options.pkcs11_pin is not None or options.pkcs11_pin_file is None:
        return options.pkcs11_pin or ""
    try:
        return read_file(options.pkcs11_pin_file).decode().strip()
    except ValueError as error:  # `UnusableFile`, or not UTF-8
        raise BadCredentials(
            "KEY_UNREADABLE", f"got {options.pkcs11_pin_file} ({error}), want a file with the PIN"
        ) from None
