"""The export of a device's history, which anyone can verify without a network (`lobby.verify_history`).

It contains all data that the audit compares: entries, row and anchors. The signature covers the SHA-256 of the export
as canonical JSON without the signature: sorted names, no spaces, ASCII. Histories that are too long to send are
rejected.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from lobby.domain.device import Device, Entry
from lobby.domain.history.history_audit import Unreadable
from lobby.errors import Conflict
from lobby.names import Fingerprint, Target

FORMAT: Final = "device-lobby-history/1"
ALGORITHM: Final = "ECDSA_SHA_256"
MAX_ENTRIES: Final = 4000
"""Entries in an export. Each has about 700 bytes with its anchor, and Lambda returns 6 MB at most."""
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """The origin of an export: the lobby, the bucket, the requesting user, and the time (ISO 8601, UTC)."""

    lobby: Target
    bucket: str
    actor: str
    at: str


@dataclass(frozen=True)
class Signature:
    """A signature by the lobby's key: the public key in DER and the value, both in base64."""

    key: str
    value: str


def history_export(
    certid: Fingerprint,
    entries: Sequence[Entry | Unreadable],
    row: Device | Unreadable | None,
    anchors: Sequence[Mapping[str, Any]],
    origin: Origin,
) -> Document:
    """Return the export without its signature. Invalid items are exported unchanged.

    Raise `Conflict` HISTORY_TOO_LONG."""
    if len(entries) > MAX_ENTRIES:
        raise Conflict("HISTORY_TOO_LONG", f"got a history of {len(entries)} entries, want at most {MAX_ENTRIES}")
    return {
        "format": FORMAT,
        "lobby": str(origin.lobby),
        "bucket": origin.bucket,
        "certid": certid,
        "exported_at": origin.at,
        "exported_by": origin.actor,
        "row": _row(row),
        "entries": [asdict(each) for each in entries],
        "anchors": list(anchors),
    }


def digest(export: Document) -> bytes:
    """Return the SHA-256 to sign."""
    return hashlib.sha256(canonical(export)).digest()


def canonical(export: Document) -> bytes:
    """Return what is signed: the document without its signature."""
    content = {name: value for name, value in export.items() if name != "signature"}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def signed(export: Document, signature: Signature) -> Document:
    return {**export, "signature": {"algorithm": ALGORITHM, **asdict(signature)}}


def _row(row: Device | Unreadable | None) -> Document | None:
    if row is None:
        return None
    if isinstance(row, Unreadable):
        return asdict(row)
    return {
        "version": row.version,
        "head": row.head,
        "state": row.devstate.value,
        "generation": row.generation,
        "target": str(row.target) if row.target else None,
    }
