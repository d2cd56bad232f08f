"""The manifest: a CSV of the devices that were created, for the operator who will claim them.

One row per certificate: fingerprint, thing name, not-after (UTC, ISO 8601). It is replaced atomically with its
previous rows plus the certificates on disk, so a crash loses no row and a rerun duplicates none. Rows of devices whose
files were moved away stay. A manifest that does not parse is rejected instead of overwritten.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from lobby.errors import InvalidInput
from lobby.names import Fingerprint, ThingName, parse_fingerprint, parse_thing_name
from pki import storage
from pki.certificates import common_name, fingerprint
from pki.errors import StorageError

MANIFEST_FILE = "manifest.csv"
HEADER = ("fingerprint", "thing_name", "not_after")
_LIMIT = 1 << 28


@dataclass(frozen=True)
class Row:
    """One device certificate; `not_after` in ISO 8601, UTC."""

    certid: Fingerprint
    name: ThingName
    not_after: str


def row_of(certificate: x509.Certificate) -> Row:
    not_after = certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Row(fingerprint(certificate), parse_thing_name(common_name(certificate)), not_after)


def merge(existing: Iterable[Row], added: Iterable[Row]) -> list[Row]:
    """Return the existing rows in their order, then the new ones; each fingerprint once."""
    rows = {row.certid: row for row in existing}
    for row in added:
        rows.setdefault(row.certid, row)
    return list(rows.values())


def encode(rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows((row.certid, row.name, row.not_after) for row in rows)
    return text.getvalue().encode()


def decode(content: bytes, source: object) -> list[Row]:
    """Return the rows of a manifest. Raise `StorageError` BROKEN_FILE with the number of the invalid line."""
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as err:
        raise StorageError("BROKEN_FILE", f"got {source}, which is not CSV ({err}): move it away") from None
    if not lines or tuple(lines[0]) != HEADER:
        raise StorageError("BROKEN_FILE", f"got {source} with another header line, want {','.join(HEADER)}")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            certid, name, not_after = line
            rows.append(Row(parse_fingerprint(certid), parse_thing_name(name), not_after))
        except (ValueError, InvalidInput) as err:
            raise StorageError("BROKEN_FILE", f"got {source} line {number}: {err}") from None
    return rows


def load(directory: Path) -> list[Row]:
    """Return the rows of the directory's manifest; an empty list if there is no manifest."""
    path = directory / MANIFEST_FILE
    return decode(storage.read(path, "a manifest", _LIMIT), path) if path.exists() else []


def update(directory: Path, certificates: Iterable[x509.Certificate]) -> list[Row]:
    """Add `certificates` to the manifest and return all rows. The caller holds the directory's lock."""
    rows = merge(load(directory), (row_of(certificate) for certificate in certificates))
    storage.replace(directory / MANIFEST_FILE, encode(rows))
    return rows
