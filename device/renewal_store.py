"""The certificates of a device that renews, on disk: a new key, a new certificate, and the one in use.

    renewal.json            which certificates there are, and the key of a request that got no certificate yet
    renewed-….cert.pem      a certificate that the device got by renewal
    renewed-….key.pem       its key

`renewal.json` is authoritative: the files of a certificate are complete before `renewal.json` names them, and are
removed only when it no longer names them. Each file is written atomically, with mode 0600. After a power cut at any
time the device has its previous certificate, and also the new one if it was already stored. The certificate of the
settings is not changed. The key of a provisioned certificate is removed after the certificate was replaced.
"""

import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from device.disk import Calls, Disk
from device.identity_store import Keys, fingerprint
from device.machine.provisioning_messages import certificate_der
from device.machine.renewal_events import Certificates, NewHeld, RenewalKeyReady
from device.renewal_state import RENEWAL_FILE, UNUSABLE, read_state
from device.sealed_files import sealed
from lobby.names import Fingerprint, ThingName

_MAX_BYTES: Final = 1024 * 1024


@dataclass(frozen=True)
class CertificateFiles:
    """Paths of a certificate and its key, in PEM."""

    cert: Path
    key: Path


@dataclass(frozen=True)
class _Stored:
    """The content of `renewal.json`. `former` are certificates whose files must be removed."""

    used: Fingerprint | None = None
    new: NewHeld | None = None
    key: str | None = None
    former: tuple[Fingerprint, ...] = ()


class RenewalStore:
    """The certificates of one device in one folder. `configured` is the certificate of the settings; renewed
    certificates of any other one are not used. `own_key` is the file of its key, if the client has stored the key.
    `calls` are the system calls to use."""

    def __init__(
        self,
        folder: Path,
        thing: ThingName,
        configured: Fingerprint,
        keys: Keys,
        own_key: Path | None = None,
        calls: Calls = os,
    ) -> None:
        self._folder, self._thing, self._configured, self._keys = folder, thing, configured, keys
        self._own_key, self._disk, self._file = own_key, Disk(calls), folder / RENEWAL_FILE

    def load(self) -> Certificates:
        """Return the stored certificates. A certificate whose files are missing or do not match counts as missing.
        Raise `OSError` if a file cannot be read now, so that the device does not use a retired certificate."""
        stored = self._read()
        self._remove(stored)
        used = stored.used if stored.used and self._is_whole(stored.used) else None
        new = stored.new if stored.new and self._is_whole(stored.new.certid) else None
        return Certificates(used, new, has_key=stored.key is not None)

    def prepare(self) -> RenewalKeyReady:
        """Return a request for a certificate for a new key. The key is created and stored first, unless a key without a
        certificate exists. Raise `OSError`."""
        stored = self._read()
        key = stored.key
        if key is None or not self._is_key(key):
            key = self._keys.create().decode()
            self._write(replace(stored, key=key))
        content = key.encode()
        return RenewalKeyReady(self._keys.request(content, self._thing), self._keys.public_key(content))

    def store(self, pem: str, generation: int) -> Certificates:
        """Store a certificate for the prepared key as the new one. It replaces one that is not proven. Can be repeated.
        Raise `OSError`, for example if there is no such key."""
        stored, certid = self._read(), fingerprint(pem)
        if stored.new and stored.new.certid == certid and self._is_whole(certid):
            return self._change(replace(stored, new=replace(stored.new, generation=generation)))  # flushes the folder
        if stored.key is None or self._keys.public_key(stored.key.encode()) not in certificate_der(pem):
            raise OSError(f"got a certificate without its key in {self._file}")
        files = self.files(certid)
        self._disk.replace(files.key, stored.key.encode())
        self._disk.replace(files.cert, pem.encode())
        lost = (stored.new.certid,) if stored.new and stored.new.certid != certid else ()
        return self._change(replace(stored, new=NewHeld(certid, generation), key=None, former=(*stored.former, *lost)))

    def promote(self) -> Certificates:
        """Make the new certificate the one in use, then remove the old one. Raise `OSError`."""
        stored = self._read()
        if stored.new is None:
            return self.load()
        old = stored.used or self._configured
        return self._change(replace(stored, used=stored.new.certid, new=None, former=(*stored.former, old)))

    def give_up(self) -> Certificates:
        """Mark the new certificate as one that the target refuses. Raise `OSError`."""
        stored = self._read()
        if stored.new is None:
            return self.load()
        return self._change(replace(stored, new=replace(stored.new, given_up=True)))

    def files(self, certificate: Fingerprint) -> CertificateFiles:
        """Return the files of a stored certificate."""
        name = f"renewed-{certificate[:16]}"
        return CertificateFiles(self._folder / f"{name}.cert.pem", self._folder / f"{name}.key.pem")

    def _change(self, stored: _Stored) -> Certificates:
        self._write(stored)
        return self.load()

    def _remove(self, stored: _Stored) -> None:
        """Remove the files of former certificates. A failure does not matter, because they are not used again."""
        for certificate in stored.former:
            files = self.files(certificate)
            with suppress(OSError):
                self._disk.clear(files.cert)
                self._disk.clear(files.key)
                if certificate == self._configured and self._own_key is not None:
                    self._disk.clear(self._own_key)

    def _is_whole(self, certificate: Fingerprint) -> bool:
        files = self.files(certificate)
        try:
            pem = self._disk.read(files.cert, _MAX_BYTES).decode()
            public = self._keys.public_key(self._disk.read(files.key, _MAX_BYTES))
            return fingerprint(pem) == certificate and public in certificate_der(pem)
        except UNUSABLE:
            return False

    def _is_key(self, key: str) -> bool:
        try:
            self._keys.public_key(key.encode())
        except ValueError:
            return False
        return True

    def _read(self) -> _Stored:
        """Return the content of the file. Raise `OSError` if it cannot be read now, so that no second key is created. A
        damaged file counts as missing."""
        body = read_state(self._folder, self._disk)
        if body is None or body["configured"] != self._configured:
            return _Stored()
        return _Stored(body["used"], body["new"], body["key"], tuple(body["former"]))

    def _write(self, stored: _Stored) -> None:
        new = stored.new
        body = {
            "configured": self._configured,
            "used": stored.used,
            "new": new and asdict(new),
            "key": stored.key,
            "former": list(stored.former),
        }
        self._disk.replace(self._file, sealed("renewal", body))
