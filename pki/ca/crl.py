"""Revocation: the record of revoked certificates, and the signed revocation list (CRL, RFC 5280, section 5).

The record (`revoked.json`) is authoritative. It is written first, atomically, with the next list number. The list is
derived from it. After a crash between the two writes, the next command that issues a list corrects it. Numbers never
decrease, even if the record is restored from a backup. A list without its record is rejected: reissuing it would
un-revoke devices.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from lobby import strict_json
from lobby.errors import InvalidInput
from lobby.names import Fingerprint
from pki import storage
from pki.ca.keys import PrivateKey
from pki.ca.profile import CLOCK_SKEW
from pki.errors import StorageError

RECORD_FILE = "revoked.json"
CRL_FILE = "intermediate.crl.pem"
CRL_DAYS = 30
_RECORD_LIMIT = 1 << 28


class Reason(StrEnum):
    """Reason codes (RFC 5280, 5.3.1), without certificateHold: a revocation is permanent."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessation-of-operation"
    PRIVILEGE_WITHDRAWN = "privilege-withdrawn"

    def flag(self) -> x509.ReasonFlags:
        return x509.ReasonFlags[self.name.lower()]


@dataclass(frozen=True)
class Revocation:
    """One revoked certificate; `serial` in hex, `at` in ISO 8601."""

    serial: str
    fingerprint: Fingerprint
    name: str
    reason: Reason
    at: str


@dataclass(frozen=True)
class Record:
    """All revocations of one issuer, and the number of its latest list."""

    number: int = 0
    revoked: tuple[Revocation, ...] = ()

    def with_revocation(self, revocation: Revocation) -> "Record":
        """Return the record with `revocation` added. An existing entry keeps its first time and reason."""
        if any(entry.serial == revocation.serial for entry in self.revoked):
            return self
        return replace(self, revoked=(*self.revoked, revocation))


def build_crl(
    record: Record, issuer: x509.Certificate, key: PrivateKey, *, now: datetime, days: int
) -> x509.CertificateRevocationList:
    """Return the signed list of `record`, valid from one hour before `now` until `days` after it."""
    if not 1 <= days <= 366:
        raise InvalidInput("INVALID_DAYS", f"got {days}, want 1 to 366 days until the next list")
    start = now.astimezone(UTC).replace(microsecond=0)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(start - CLOCK_SKEW)
        .next_update(start + timedelta(days=days))
        .add_extension(x509.CRLNumber(record.number), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    for revocation in record.revoked:
        builder = builder.add_revoked_certificate(_entry(revocation))
    return builder.sign(key, hashes.SHA256())


def _entry(revocation: Revocation) -> x509.RevokedCertificate:
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(int(revocation.serial, 16))
        .revocation_date(datetime.fromisoformat(revocation.at))
    )
    if revocation.reason is not Reason.UNSPECIFIED:  # RFC 5280, 5.3.1: omit the extension instead of "unspecified"
        entry = entry.add_extension(x509.CRLReason(revocation.reason.flag()), critical=False)
    return entry.build()


def issue(
    directory: Path,
    issuer: x509.Certificate,
    key: PrivateKey,
    *,
    now: datetime,
    days: int = CRL_DAYS,
    revocations: Sequence[Revocation] = (),
) -> x509.CertificateRevocationList:
    """Record `revocations`, then write and return the next list. The caller holds the directory's lock.

    If the current list already contains all `revocations`, return it unchanged."""
    path = directory / CRL_FILE
    present = load_crl(directory) if path.exists() else None
    if present is not None and revocations and all(_is_on(present, each) for each in revocations):
        return present
    record = load_record(directory)
    if present is not None:
        _check_complete(record, present, directory)
    for each in revocations:
        record = record.with_revocation(each)
    record = replace(record, number=max(record.number, crl_number(present) if present is not None else 0) + 1)
    crl = build_crl(record, issuer, key, now=now, days=days)
    storage.replace(directory / RECORD_FILE, _encode(record), storage.SECRET)
    storage.replace(path, crl.public_bytes(Encoding.PEM))
    return crl


def _check_complete(record: Record, crl: x509.CertificateRevocationList, directory: Path) -> None:
    """Raise `StorageError` BROKEN_FILE if the list revokes more than the record, which is then from a backup."""
    missing = {each.serial_number for each in crl} - {int(each.serial, 16) for each in record.revoked}
    if missing:
        raise StorageError(
            "BROKEN_FILE",
            f"got {directory / RECORD_FILE} without {len(missing)} revocations of {CRL_FILE}, want the current record:"
            " the next list would admit these devices again",
        )


def _is_on(crl: x509.CertificateRevocationList, revocation: Revocation) -> bool:
    return crl.get_revoked_certificate_by_serial_number(int(revocation.serial, 16)) is not None


def load_record(directory: Path) -> Record:
    """Return the record in a CA's directory. It is empty only if no list was issued yet."""
    path = directory / RECORD_FILE
    if not path.exists() and not (directory / CRL_FILE).exists():
        return Record()
    try:
        body = strict_json.loads(storage.read(path, "the record of revocations", _RECORD_LIMIT))
        revoked = tuple(Revocation(**{**entry, "reason": Reason(entry["reason"])}) for entry in body["revoked"])
        return Record(int(body["number"]), revoked)
    except (ValueError, TypeError, KeyError) as err:
        raise StorageError("BROKEN_FILE", f"got {path}, which is not a complete record ({err}): restore it") from None


def load_crl(directory: Path) -> x509.CertificateRevocationList:
    """Return the latest list. Raise `StorageError` NOT_FOUND or BROKEN_FILE."""
    path = directory / CRL_FILE
    try:
        return x509.load_pem_x509_crl(storage.read(path, "the CA's revocation list", _RECORD_LIMIT))
    except ValueError:
        raise StorageError("BROKEN_FILE", f"got {path}, which is not a complete PEM CRL: move it away") from None


def crl_number(crl: x509.CertificateRevocationList) -> int:
    """Return the list's number (RFC 5280, 5.2.3), or 0 if it has none."""
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def _encode(record: Record) -> bytes:
    return json.dumps(asdict(record), indent=1).encode() + b"\n"
