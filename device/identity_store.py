"""The identity that a device gets by provisioning, on disk: its key, a pending certificate, its own certificate.

    device.key.pem     the own key: created first, and kept for each certificate after that
    pending.json       a certificate that is not registered yet, with its ownership token
    device.cert.pem    the own certificate
    identity.json      thing name and fingerprint: the identity exists if this file, certificate and key match

Each file is written atomically (`device.storage`), with mode 0600. After a power cut at any time the device has either
its identity, or what it needs to continue with the same key. A file that is incomplete or does not match the others
counts as missing.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from device.disk import Calls, Disk
from device.errors import NotAFileError
from device.machine.events import KeyReady
from device.machine.plan import Provisioning
from device.machine.provisioning_messages import Pending, certificate_der
from device.renewal_state import has_replaced
from device.sealed_files import sealed, unsealed
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_thing_name

MAX_COMMON_NAME: Final = 64
"""RFC 5280, appendix A.1: ub-common-name."""
_MAX_BYTES: Final = 1024 * 1024
_KEY, _PENDING, _CERTIFICATE, _IDENTITY = "device.key.pem", "pending.json", "device.cert.pem", "identity.json"


class Keys(Protocol):
    """Keys on the curve P-256, as PEM."""

    def create(self) -> bytes: ...

    def public_key(self, key: bytes) -> bytes:
        """Return the public key (SubjectPublicKeyInfo, DER). Raise `ValueError` for anything but a key of `create`."""

    def request(self, key: bytes, name: ThingName) -> str:
        """Return a certificate signing request (PKCS#10, PEM) with the name as CN, or without a subject if the name has
        more than `MAX_COMMON_NAME` characters."""


@dataclass(frozen=True)
class StoredIdentity:
    """A provisioned device. `serial` is the serial number that it was provisioned with. If the device has renewed this
    certificate, `key` no longer exists, or contains another key after a power cut; `has_key` is then false."""

    thing: ThingName
    certid: Fingerprint
    serial: ThingName
    certificate: Path
    key: Path
    has_key: bool


class IdentityStore:
    """The identity of one device in one folder. `calls` are the system calls to use."""

    def __init__(self, folder: Path, provisioning: Provisioning, keys: Keys, calls: Calls = os) -> None:
        self._folder, self._provisioning, self._keys, self._disk = folder, provisioning, keys, Disk(calls)
        self._key_file, self._certificate_file = folder / _KEY, folder / _CERTIFICATE
        self._pending_file, self._identity_file = folder / _PENDING, folder / _IDENTITY

    def load(self) -> StoredIdentity | None:
        """Return the identity in the folder. See `load_identity`."""
        return load_identity(self._folder, self._disk)

    def prepare(self) -> KeyReady:
        """Return a certificate request for the device's key, and the pending certificate. The key is created and stored
        first if there is none. If AWS IoT creates the key, return only the pending certificate."""
        self._disk.make_folder(self._folder)
        pending = self._load_pending()
        if self._provisioning.with_keys:
            return KeyReady(pending=pending if pending and pending.key else None)
        key = self._load_key()
        if key is None:
            key = self._keys.create()
            self._disk.replace(self._key_file, key)
        csr, public_key = self._keys.request(key, self._provisioning.serial), self._keys.public_key(key)
        fits = pending and not pending.key and public_key in certificate_der(pending.certificate)
        return KeyReady(csr, public_key, pending if fits else None)

    def store_pending(self, pending: Pending | None) -> None:
        """Replace the pending certificate, or with None remove it."""
        if pending is None:
            self._disk.clear(self._pending_file)
            self._disk.flush_folder(self._folder)
        else:
            body = {"certificate": pending.certificate, "token": pending.token, "key": pending.key}
            self._disk.replace(self._pending_file, sealed("pending", body))

    def store(self, thing: ThingName, certificate: Pending) -> None:
        """Store the certificate as the device's own. The file that makes the identity valid is written last."""
        if certificate.key:
            self._disk.replace(self._key_file, certificate.key.encode())
        key = self._disk.read(self._key_file, _MAX_BYTES)
        self._disk.replace(self._certificate_file, certificate.certificate.encode())
        body = {
            "thing": thing,
            "certid": fingerprint(certificate.certificate),
            "key": hashlib.sha256(key).hexdigest(),
            "serial": self._provisioning.serial,
            "template": self._provisioning.template,
        }
        self._disk.replace(self._identity_file, sealed("identity", body))
        with suppress(OSError):  # the pending certificate is not used again, so a failure does not matter
            self.store_pending(None)

    def _load_key(self) -> bytes | None:
        """Return the stored key, or None. A file without a valid key is renamed, not deleted, because it may contain
        the key of a certificate in use. Raise `OSError` if the file cannot be read now, so that no second key is
        created."""
        try:
            key = self._disk.read(self._key_file, _MAX_BYTES)
            self._keys.public_key(key)
        except FileNotFoundError:
            return None
        except (NotAFileError, ValueError):
            self._disk.rename(self._key_file, self._key_file.with_name(f"{self._key_file.name}.bad"))
            return None
        return key

    def _load_pending(self) -> Pending | None:
        try:
            body = unsealed("pending", self._disk.read(self._pending_file, _MAX_BYTES))
            certificate_der(body["certificate"])
            return Pending(body["certificate"], body["token"], body["key"])
        except (FileNotFoundError, NotAFileError, ValueError, KeyError, TypeError, InvalidInput):
            return None


def load_identity(folder: Path, disk: Disk | None = None) -> StoredIdentity | None:
    """Return the identity in a folder, or None if it is missing or unusable. If the certificate was renewed, its key is
    not needed. Raise `OSError` if a file cannot be read now, so that the device does not request another
    certificate."""
    disk = disk or Disk()
    try:
        body = unsealed("identity", disk.read(folder / _IDENTITY, _MAX_BYTES))
        thing, serial = parse_thing_name(body["thing"]), parse_thing_name(body["serial"])
        certificate = disk.read(folder / _CERTIFICATE, _MAX_BYTES).decode()
        if fingerprint(certificate) != body["certid"]:
            return None
        has_key = _has_key(folder, disk, body["key"])
        if not has_key and not has_replaced(folder, disk, body["certid"]):
            return None
    except (FileNotFoundError, NotAFileError, ValueError, KeyError, TypeError, InvalidInput):
        return None
    certid = Fingerprint(body["certid"])
    return StoredIdentity(thing, certid, serial, folder / _CERTIFICATE, folder / _KEY, has_key)


def _has_key(folder: Path, disk: Disk, digest: str) -> bool:
    try:
        return hashlib.sha256(disk.read(folder / _KEY, _MAX_BYTES)).hexdigest() == digest
    except (FileNotFoundError, NotAFileError):
        return False


def fingerprint(certificate: str) -> Fingerprint:
    """Return the fingerprint of a certificate (PEM). Raise `InvalidInput`."""
    return Fingerprint(hashlib.sha256(certificate_der(certificate)).hexdigest())
