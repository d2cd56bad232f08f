"""Settings of a device that gets its certificate by provisioning by claim.

If the state folder has no identity, or no certificate with its key, the client connects with the claim certificate and
ends when it has an identity. Otherwise it runs like any other device. Errors that a retry cannot correct are reported
at startup: an invalid serial number or template name, an unusable or expired claim certificate, the identity of another
serial number.
"""

import secrets
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from device.errors import BadCredentials
from device.identity_store import MAX_COMMON_NAME, IdentityStore, StoredIdentity
from device.libraries import Libraries, TlsFiles
from device.machine.plan import Plan, Provisioning, Timing, parse_endpoint, parse_template
from device.options import Options
from device.renewal_store import CertificateFiles, RenewalStore
from device.renewals import Renewals
from device.runtime import Setup
from lobby.errors import InvalidInput, MissingSettings
from lobby.names import ThingName, parse_thing_name, shown

CLIENT_ID_PREFIX: Final = "claim."
"""The policy of claim certificates permits no other client ids. Thing names contain no dot, so this id disconnects no
device."""


def load_claim_settings(
    options: Options,
    timing: Timing,
    libraries: Libraries,
    now: datetime,
    *,
    exit_on_arrival: bool,
    show_codes: bool,
) -> Setup:
    """Validate the options. Raise `MissingSettings`, `InvalidInput` or `BadCredentials`."""
    files, state_dir, provisioning = _complete(options)
    plan = Plan(
        thing=provisioning.serial,
        lobbies=tuple(parse_endpoint(text, options.port) for text in options.lobby),
        timing=timing,
        exit_on_arrival=exit_on_arrival,
        show_codes=show_codes,
    )
    store = IdentityStore(state_dir, provisioning, libraries.keys)
    identity = store.load()
    if identity is not None:
        identity = _checked(identity, provisioning.serial, state_dir)
        renews = options.renew and len(identity.thing) <= MAX_COMMON_NAME
        own = replace(plan, thing=identity.thing, renews=renews, changes_lobby=True)
        if setup := _for_identity(own, files, state_dir, identity, libraries):
            return setup
    return _for_provisioning(replace(plan, provisioning=provisioning), files, state_dir, store, libraries, now)


def _complete(options: Options) -> tuple[TlsFiles, Path, Provisioning]:
    required = {
        "--claim-cert (DEVICE_CLAIM_CERT)": options.claim_cert,
        "--claim-key (DEVICE_CLAIM_KEY)": options.claim_key,
        "--serial (DEVICE_SERIAL)": options.serial,
        "--template (DEVICE_TEMPLATE)": options.template,
        "--ca (DEVICE_CA)": options.ca,
        "--lobby (DEVICE_LOBBY)": options.lobby,
    }
    missing = [name for name, value in required.items() if not value]
    if missing or not (options.claim_cert and options.claim_key and options.ca and options.folder):
        raise MissingSettings("MISSING_SETTINGS", f"got no {', no '.join(missing)}")
    if options.cert or options.key or options.pkcs11_lib:
        raise InvalidInput(
            "INVALID_SETTING", "got both --claim-cert and --cert, --key or --pkcs11-lib, want one kind of certificate"
        )
    provisioning = Provisioning(
        parse_template(options.template or ""), parse_thing_name(options.serial), options.aws_keys
    )
    return TlsFiles(options.claim_cert, options.claim_key, options.ca), options.folder, provisioning


def _for_provisioning(
    plan: Plan, files: TlsFiles, state_dir: Path, store: IdentityStore, libraries: Libraries, now: datetime
) -> Setup:
    validity = libraries.validity(files.cert)
    if now > validity.not_after:
        raise BadCredentials(
            "CLAIM_CERTIFICATE_EXPIRED",
            f"{files.cert}: {validity.clock_error(now)}. If the clock is right, the claim certificate has expired:"
            " make a new bundle with `lobbyctl enrolments bundle`",
        )
    return Setup(
        plan,
        state_dir,
        libraries.opener(files, lambda: f"{CLIENT_ID_PREFIX}{secrets.token_hex(8)}", plan.timing.answer_within),
        validity.clock_error,
        store,
    )


def _for_identity(
    plan: Plan, files: TlsFiles, state_dir: Path, identity: StoredIdentity, libraries: Libraries
) -> Setup | None:
    """Return the settings with the stored identity. If the certificate was renewed, only renewed certificates are used,
    and a new one if the files of the one in use are damaged. Return None if no certificate has its key."""
    own_key = identity.key if identity.has_key else None  # any other key belongs to a provisioning and is not removed
    store = RenewalStore(state_dir, identity.thing, identity.certid, libraries.keys, own_key)
    renewals = Renewals(store, libraries, identity.thing, files.ca, plan.timing.answer_within)
    held = store.load()
    has_own = own_key is not None and own_key.exists()  # `load` removes the key of a replaced certificate
    renewed = held.used or (held.new.certid if held.new and not has_own else None)
    if renewed is None and not has_own:
        return None
    own = store.files(renewed) if renewed else CertificateFiles(identity.certificate, identity.key)
    tls = TlsFiles(own.cert, own.key, files.ca)
    opener = libraries.opener(tls, lambda: identity.thing, plan.timing.answer_within)
    validity = libraries.validity(own.cert)
    return Setup(plan, state_dir, opener, validity.clock_error, renewals=renewals)


def _checked(identity: StoredIdentity, serial: ThingName, state_dir: Path) -> StoredIdentity:
    if identity.serial == serial:
        return identity
    raise InvalidInput(
        "INVALID_SETTING",
        f"got serial number {shown(serial)}, want {shown(identity.serial)}, as in {state_dir}, or another --state-dir",
    )
