"""`lobby-verify FILE`: verifies the exported history of a device without a network, and states the proven facts. This
file needs only Python 3.11 and `cryptography`: it repeats the rules of `history_audit`. It rejects changed, missing,
reordered and foreign entries and anchors, and files that are too large or not an export.
"""
# /// script
# requires-python = ">=3.11"
# dependencies = ["cryptography>=45"]
# ///

import argparse
import base64
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ABOUT: Final = "Verify the exported history of a device without a network."
FORMAT, ALGORITHM = "device-lobby-history/1", "ECDSA_SHA_256"
PROVEN, REFUSED, UNUSABLE, UNTRUSTED = 0, 1, 2, 3
STATUSES: Final = "0 proven; 1 refused; 2 wrong use or unusable file; 3 consistent, but no trust anchor was given"
MAX_BYTES: Final = 16 * 2**20
ANCHORED_WITHIN: Final = timedelta(minutes=15)
_OBJECT: Final = re.compile(r"entries/([0-9a-f]{64})/([0-9]{10})((?:-[0-9a-f]{64}){1,14})")
_FINGERPRINT: Final = re.compile(r"(?:SHA256:)?([0-9a-f]{64})")
_LEFT_TARGET: Final = ("retire", "deactivate")  # events whose entry names a target that the device has left
_OPTIONAL: Final = (str, type(None))
Fields = Mapping[str, type | tuple[type, ...]]
_ENTRY: Final[Fields] = {
    **dict.fromkeys(("certid", "at", "actor", "event", "prior", "hash"), str),
    **dict.fromkeys(("before", "after", "reason", "target"), _OPTIONAL),
    **dict.fromkeys(("seq", "generation"), int),
}
_ANCHOR: Final[Fields] = {"key": str, "version": str, "at": str, "removed": bool}
_ROW: Final[Fields] = {"version": int, "head": str, "state": str, "generation": int, "target": _OPTIONAL}
_SIGNATURE: Final[Fields] = {"algorithm": str, "key": str, "value": str}
_TEXTS: Final = dict.fromkeys(("format", "lobby", "bucket", "certid", "exported_at", "exported_by"), str)
_EXPORT: Final[Fields] = {**_TEXTS, "row": (dict, type(None)), "entries": list, "anchors": list, "signature": dict}
Json = dict[str, Any]


class Refused(Exception):
    """The export differs from the lobby's data. `seq` is the first entry concerned; None: the export as a whole."""

    def __init__(self, code: str, message: str, seq: int | None = None, status: int = REFUSED) -> None:
        super().__init__(message)
        self.code, self.seq, self.status = code, seq, status


def read_json(path: Path, what: str) -> Any:
    """Return the content of a file: JSON of at most 16 MiB, and no name twice in an object."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        found = json.loads(content.decode(), object_pairs_hook=_once) if len(content) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else _shown(str(error))
        raise Refused("UNREADABLE", f"cannot read the {what}: {why}", None, UNUSABLE) from None
    if found is None:
        raise Refused("UNREADABLE", f"got an {what} without content or of more than 16 MiB", None, UNUSABLE)
    return found


def verify(export: Any, trusted: str | None = None, listing: Any = None, device: str | None = None) -> Json:
    """Verify an export and return what is proven. `trusted` is the SHA-256 of the lobby's key in DER, `listing`
    the answer of S3's ListObjectVersions for the device, and `device` the fingerprint that is expected.

    Raise `Refused` for the first entry that is not what the lobby wrote."""
    _shape("the export", export, _EXPORT)
    certid = export["certid"]
    if export["format"] != FORMAT or not _FINGERPRINT.fullmatch(certid):
        raise Refused("FORMAT", f"got {_shown(export['format'])} of {_shown(certid)}, want {FORMAT} of a fingerprint")
    if device is not None and certid != device:
        raise Refused("OTHER_DEVICE", f"got the history of {_shown(certid)}, want that of {device}")
    anchors = _anchors(export["anchors"], certid)
    entries = _chain(export["entries"], certid, anchors)
    _against_row(entries, export["row"])
    exported = _time(export["exported_at"], None)
    pending = [each["seq"] for each in entries if each["seq"] not in anchors]
    for seq in pending:
        if abs(exported - _time(entries[seq - 1]["at"], seq)) >= ANCHORED_WITHIN:
            raise Refused("NOT_ANCHORED", f"entry {seq} has no anchor and was 15 minutes old", seq)
    listed, last = (0, 0) if listing is None else _against_listing(export, _listed(listing, certid))
    key = _signed_by(export, export["signature"])
    if trusted and key != trusted:
        raise Refused("OTHER_KEY", f"got the signature of key SHA256:{key}, want that of SHA256:{trusted}")
    if not trusted and last > len(entries):  # with the key, the lobby says when this was the whole history
        seq = len(entries) + 1
        raise Refused("MISSING", f"entry {seq} is missing: your listing has {last} (--key if it is newer)", seq)
    return {"entries": len(entries), "pending": len(pending), "listed": listed, "last_listed": last, "key": key}


def _chain(entries: Sequence[Any], certid: str, anchors: Mapping[int, set[str]]) -> Sequence[Json]:
    """Check that the entries are all those from 1 on, unaltered, in order, and as anchored."""
    prior, numbers = "0" * 64, {str(each["seq"]) for each in entries if isinstance(each, dict) and "seq" in each}
    for seq, entry in enumerate(entries, start=1):
        _shape(f"entry {seq}", entry, _ENTRY, seq)
        got, hash_, anchored = entry["seq"], entry["hash"], anchors.get(seq, set())
        own = hashlib.sha256(_canonical(entry, "hash")).hexdigest()
        misplaced = got != seq and (str(seq) in numbers or got < seq)
        checks = (
            (misplaced, "ALTERED", f"got entry {got} in the place of entry {seq}"),
            (got != seq, "MISSING", f"entry {seq} is missing: there are later entries"),
            (entry["certid"] != certid, "ALTERED", f"entry {seq} is of the device {_shown(entry['certid'])}"),
            (own != hash_, "ALTERED", f"entry {seq} does not match its own hash"),
            (anchored and hash_ not in anchored, "REPLACED", f"entry {seq} has another hash than its anchor"),
            (entry["prior"] != prior, "ALTERED", f"entry {seq} does not follow entry {seq - 1}"),
            (len(anchored) > 1, "ANCHORED_TWICE", f"entry {seq} was anchored with different hashes"),
        )
        for failed, code, message in checks:
            if failed:
                raise Refused(code, message, seq)
        prior = hash_
    end = len(entries) + 1
    if end == 1 or max(anchors, default=0) >= end:
        raise Refused("MISSING", f"entry {end} is missing: there is none, or it is anchored", end)
    return entries


def _anchors(objects: Sequence[Any], certid: str) -> dict[int, set[str]]:
    """Return the anchored hashes by the number of the entry. A removed anchor is reported with its first entry."""
    anchors: dict[int, set[str]] = {}
    for place, each in enumerate(objects, start=1):
        _shape(f"anchor {place}", each, _ANCHOR)
        for seq, hash_ in _hashes(each["key"], certid):
            anchors.setdefault(seq, set()).add(hash_)
            if each["removed"]:
                raise Refused("ANCHOR_REMOVED", f"the anchor of entry {seq} was deleted", seq)
    return anchors


def _hashes(key: str, certid: str) -> list[tuple[int, str]]:
    found = _OBJECT.fullmatch(key)
    if found is None or found[1] != certid:
        raise Refused("FORGED_ANCHOR", f"got the anchor {_shown(key)}, want one of {certid}")
    return [(int(found[2]) + place, each) for place, each in enumerate(found[3][1:].split("-"))]


def _against_row(entries: Sequence[Json], row: Any) -> None:
    last = entries[-1]
    if row is None:
        if last["after"] is not None:
            raise Refused("ROW_MISSING", f"got no row, want one: entry {last['seq']} left the device", last["seq"])
        return
    _shape("the row", row, _ROW, last["seq"], "ROW_DIFFERS")
    target = next((each["target"] for each in reversed(entries) if each["event"] not in _LEFT_TARGET), None)
    want = (last["seq"], last["hash"], last["after"], last["generation"], target)
    for name, wanted in zip(_ROW, want, strict=True):
        got, missing = row[name], name == "version" and row[name] > wanted
        if got != wanted:
            message = f"got {name} {_shown(got)} in the device's row, want {_shown(wanted)} as in entry {last['seq']}"
            raise Refused("MISSING" if missing else "ROW_DIFFERS", message, last["seq"] + missing)


def _listed(listing: Any, certid: str) -> dict[str, set[Any]]:
    """Return the versions of each anchor in an answer of S3's ListObjectVersions; refuse deleted anchors."""
    found: dict[str, dict[str, set[Any]]] = {"DeleteMarkers": {}, "Versions": {}}
    try:
        for name, versions in found.items():
            for each in listing.get(name) or []:
                if _OBJECT.fullmatch(each["Key"]) and each["Key"].startswith(f"entries/{certid}/"):
                    versions.setdefault(each["Key"], set()).add(each["VersionId"])
    except (AttributeError, KeyError, TypeError):
        raise Refused("UNREADABLE", "got no answer of S3's ListObjectVersions as listing", None, UNUSABLE) from None
    for key in found["DeleteMarkers"]:
        raise Refused("ANCHOR_REMOVED", f"the anchor {key[-76:]} was deleted", _hashes(key, certid)[0][0])
    return found["Versions"]


def _against_listing(export: Json, listed: Mapping[str, set[Any]]) -> tuple[int, int]:
    """Compare with the bucket, which may have later entries. Return how many entries it has, and its last number."""
    entries, certid = export["entries"], export["certid"]
    for each in export["anchors"]:
        seq = _hashes(each["key"], certid)[0][0]
        if each["version"] not in listed.get(each["key"], ()):
            raise Refused("FORGED_ANCHOR", f"the anchor of entry {seq} is not in the listing of the bucket", seq)
    hashed = sorted({each for key in listed for each in _hashes(key, certid)})
    for seq, hash_ in hashed:
        if seq <= len(entries) and hash_ != entries[seq - 1]["hash"]:
            raise Refused("REPLACED", f"entry {seq} has another hash in the listing of the bucket", seq)
    return sum(seq <= len(entries) for seq, _ in hashed), max(hashed, default=(0, ""))[0]


def _signed_by(export: Json, signature: Any) -> str:
    """Return the SHA-256 of the key that signed the export."""
    _shape("the signature", signature, _SIGNATURE)
    if signature["algorithm"] != ALGORITHM:
        raise Refused("SIGNATURE", f"got the algorithm {_shown(signature['algorithm'])}, want {ALGORITHM}")
    try:
        der, value = (base64.b64decode(signature[name], validate=True) for name in ("key", "value"))
        key = serialization.load_der_public_key(der)
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
            key.verify(value, _canonical(export, "signature"), ec.ECDSA(hashes.SHA256()))
            return hashlib.sha256(der).hexdigest()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        pass
    raise Refused("SIGNATURE", "the signature does not match: the export was changed after it was signed")


def report(export: Json, found: Json, *, by_key: bool, by_listing: bool) -> tuple[list[str], list[str]]:
    """Return the proven facts, and the limits of the proof."""
    last, pending, listed, key = found["entries"], found["pending"], found["listed"], f"SHA256:{found['key']}"
    proven = [f"the {last} entries follow one another from the first and are unaltered"]
    open_ = ["that what the entries say is true: the lobby's components wrote them", "anything after the export"]
    bucket = f"their hashes in the bucket {_shown(export['bucket'])}"
    if by_key:
        proven.append(
            f"the lobby {_shown(export['lobby'])} signed at {_shown(export['exported_at'])} that this was the row and"
            f" the whole history, and that {last - pending} of {last} entries had {bucket}; you named its key {key}"
        )
    else:
        open_.append(f"that the lobby signed it: whose key {key} is (--key)")
        open_.append("that these were the last entries, and that the lobby had this row: it only fits the entries")
    if by_listing:
        proven.append(f"{listed} of {last} entries have {bucket}, by your listing; Object Lock keeps them there")
        if listed < last or found["last_listed"] > last:
            open_.append(f"the rest: your listing has {listed} of {last} entries, up to number {found['last_listed']}")
    else:
        open_.append("that the bucket has the hashes now: only a listing of yours shows it (--anchors)")
    if pending:
        open_.append(f"that the last {pending} entries were not replaced before the export: they had no anchor yet")
    return proven, open_


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("lobby-verify", description=ABOUT, epilog=f"Exit status: {STATUSES}.")
    parser.add_argument("file", type=Path, help="the export of `lobbyctl history export`")
    parser.add_argument("--key", type=_digest, metavar="SHA256", help="the lobby's key, as its owner states it")
    parser.add_argument("--anchors", type=Path, metavar="FILE", help="your listing of the bucket's object versions")
    parser.add_argument("--device", type=_digest, metavar="FINGERPRINT", help="refuse the history of any other device")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        export = read_json(options.file, "export")
        listing = read_json(options.anchors, "listing") if options.anchors else None
        found = verify(export, options.key, listing, options.device)
    except Refused as refused:
        failure = {"ok": False, "code": refused.code, "seq": refused.seq, "message": str(refused)}
        print(json.dumps(failure) if options.json else f"REFUSED  {refused.code}: {refused}")
        return refused.status
    trusted = options.key is not None or found["listed"] == found["entries"]
    proven, not_proven = report(export, found, by_key=options.key is not None, by_listing=listing is not None)
    if options.json:
        result = {"ok": trusted, "code": None if trusted else "UNTRUSTED", **found}
        print(json.dumps(result | {"proven": proven, "not_proven": not_proven}))
    else:
        print(f"{'PROVEN' if trusted else 'NOT PROVEN'}  {export['certid']}")
        for heading, lines in (("Proven:", proven), ("Not proven:", not_proven)):
            print("\n  - ".join([heading, *lines]))
    return PROVEN if trusted else UNTRUSTED


def _digest(text: str) -> str:
    if found := _FINGERPRINT.fullmatch(text):
        return found[1]
    raise argparse.ArgumentTypeError(f"got {_shown(text)}, want 64 hex digits")


def _shape(what: str, value: Any, fields: Fields, seq: int | None = None, code: str = "ALTERED") -> None:
    """Refuse a value that does not have exactly these fields of these types. True is not a number."""
    if not isinstance(value, dict) or value.keys() != fields.keys():
        raise Refused(code, f"got {what} without exactly the fields {', '.join(fields)}", seq)
    for name, kind in fields.items():
        if not isinstance(value[name], kind) or (kind is int and isinstance(value[name], bool)):
            raise Refused(code, f"got {name} {_shown(value[name])} in {what}, which has another type", seq)


def _canonical(value: Json, without: str) -> bytes:
    value = {name: each for name, each in value.items() if name != without}
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _once(pairs: list[tuple[str, Any]]) -> Json:
    if len(dict(pairs)) == len(pairs):
        return dict(pairs)
    raise ValueError(f"got {_shown(Counter(name for name, _ in pairs).most_common(1)[0][0])} twice in an object")


def _time(text: str, seq: int | None) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("ALTERED", f"got the time {_shown(text)}, want ISO 8601", seq) from None


def _shown(value: Any) -> str:
    """Return foreign text without control characters, at most 100 characters."""
    return ascii(value)[:100].strip("'")


if __name__ == "__main__":
    sys.exit(main())
