"""The manifest: a CSV of the devices that were created, for the operator who will claim them.

One row per certificate: fingerprint, thing name, not-after (UTC, ISO 8601), and the product's serial number, SKU and
batch. `manifest.csv` has all devices, `manifest-BATCH.csv` the devices of a batch. A new manifest combines the previous
rows with the certificates on disk and replaces the old file atomically, so a crash loses no row and a rerun adds no
duplicate. Rows of devices whose files were moved away stay. A manifest that does not parse is rejected and not
overwritten.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_fingerprint, parse_thing_name
from pki import storage
from pki.ca.certificates import common_name, fingerprint
from pki.devices.details import NOTHING_KNOWN, Details
from pki.errors import StorageError

MANIFEST_FILE = "manifest.csv"
HEADER = ("fingerprint", "thing_name", "not_after", "serial_number", "sku", "batch")
_OLD_HEADER = HEADER[:3]
_LIMIT = 1 << 28


@dataclass(frozen=True)
class Row:
    """One device certificate; `not_after` in ISO 8601, UTC."""

    certid: Fingerprint
    name: ThingName
    not_after: str
    details: Details = NOTHING_KNOWN


def batch_file(batch: str) -> str:
    return f"manifest-{batch}.csv"


def row_of(certificate: x509.Certificate) -> Row:
    not_after = certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    numbers = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    details = Details(serial_number=str(numbers[0].value) if numbers else "")
    return Row(fingerprint(certificate), parse_thing_name(common_name(certificate)), not_after, details)


def merge(existing: Iterable[Row], added: Iterable[Row]) -> list[Row]:
    """Return the existing rows in their order, then the new ones; each fingerprint once. Missing fields of existing
    rows are completed."""
    rows = {row.certid: row for row in existing}
    for row in added:
        known = rows.setdefault(row.certid, row)
        rows[row.certid] = replace(known, details=known.details.completed_by(row.details))
    return list(rows.values())


def encode(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(
        (row.certid, row.name, row.not_after, row.details.serial_number, row.details.sku, row.details.batch)
        for row in rows
    )
    return text.getvalue().encode()


def decode(content: bytes, source: object) -> list[Row]:
    """Return the rows of a manifest. Manifests of earlier versions, without details, are accepted. Raise `StorageError`
    BROKEN_FILE with the number of the invalid line."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as err:
        raise StorageError("BROKEN_FILE", f"got {source}, which is not CSV ({err}): move it away") from None
    if not lines or tuple(lines[0]) not in {HEADER, _OLD_HEADER}:
        raise StorageError("BROKEN_FILE", f"got {source} with another header line, want {','.join(HEADER)}")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            certid, name, not_after, *details = (cell for cell, _ in zip(line, lines[0], strict=True))
            rows.append(Row(parse_fingerprint(certid), parse_thing_name(name), not_after, Details(*details)))
        except (ValueError, InvalidInput) as err:
            raise StorageError("BROKEN_FILE", f"got {source} line {number}: {err}") from None
    return rows


def load(directory: Path) -> list[Row]:
    """Return the rows of the directory's manifest; an empty list if there is no manifest."""
    path = directory / MANIFEST_FILE
    return decode(storage.read(path, "a manifest", _LIMIT), path) if path.exists() else []


def update(
    directory: Path, certificates: Iterable[x509.Certificate], details: Mapping[ThingName, Details] | None = None
) -> list[Row]:
    """Add `certificates` to the manifest, with `details` by thing name, and return all rows. Write the manifests of the
    batches that `details` names. The caller holds the directory's lock."""
    known = details or {}
    added = [row_of(certificate) for certificate in certificates]
    added = [replace(row, details=known.get(row.name, NOTHING_KNOWN).completed_by(row.details)) for row in added]
    rows = merge(load(directory), added)
    storage.replace(directory / MANIFEST_FILE, encode(rows))
    for batch in sorted({each.batch for each in known.values()} - {""}):
        storage.replace(directory / batch_file(batch), encode(row for row in rows if row.details.batch == batch))
    return rows
