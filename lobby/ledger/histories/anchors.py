"""The anchors: the hashes of all history entries, in an S3 bucket with Object Lock.

A run of consecutive entries of a device is one empty object, with their hashes in its key, so that one listing of a
prefix returns all anchored hashes of a device. Nothing is replaced: S3 rejects a key that exists, and another hash
makes another key. Object versions are listed, so that a delete marker is visible.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lobby.domain.history.history_audit import MAX_SEQ, Anchor
from lobby.ledger.clock import timestamp
from lobby.ledger.histories.anchor_runs import MAX_RUN, AnchoredEntry, Run
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX: Final = "entries/"
_KEY: Final = re.compile(
    PREFIX + rf"(?P<certid>[0-9a-f]{{64}})/(?P<first>[0-9]{{10}})(?P<hashes>(?:-[0-9a-f]{{64}}){{1,{MAX_RUN}}})"
)
_DEVICE: Final = re.compile(PREFIX + r"([0-9a-f]{64})/")
_AFTER_ALL: Final = "~"
"""Sorts after every key below a device's prefix; the next page of devices starts there."""


@dataclass(frozen=True)
class AnchorObject:
    """An object of the bucket that anchors a run: its key, its first version, and when it was written. `removed`: a
    delete marker hides it."""

    key: str
    version: str
    at: str
    removed: bool = False


@dataclass(frozen=True)
class AnchoredDevices:
    """A page of devices with anchors, in the order of their fingerprints, and whether there are more."""

    certids: Sequence[Fingerprint]
    more: bool


def anchor_key(run: Run) -> str:
    """Return the key of a run's anchor. Raise `ValueError` for values that no entries have."""
    key = f"{PREFIX}{run.certid}/{run.first:010d}" + "".join(f"-{each}" for each in run.hashes)
    if not 1 <= run.first < run.next <= MAX_SEQ + 1 or not _KEY.fullmatch(key):
        wanted = f"a fingerprint, a number of 1 to {MAX_SEQ} and 1 to {MAX_RUN} SHA-256"
        raise ValueError(f"got the anchor {key!r}, want {wanted}")
    return key


class Anchors:
    """The bucket. `s3` returns the client."""

    def __init__(self, s3: "Callable[[], S3Client]", bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    @property
    def bucket(self) -> str:
        return self._bucket

    def put(self, run: Run) -> bool:
        """Anchor a run; return False if the same run is anchored already. Raise `ClientError` or `ValueError`."""
        try:
            self._s3().put_object(
                Bucket=self._bucket,
                Key=anchor_key(run),
                Body=b"",
                IfNoneMatch="*",
                ChecksumAlgorithm="SHA256",  # Object Lock requires this for every upload
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True

    def of(self, certid: Fingerprint) -> list[Anchor]:
        """Return all anchors of the device: one for each number and hash, with the time of the first object that
        contains it."""
        return anchors_in(self.objects(certid))

    def objects(self, certid: Fingerprint) -> list[AnchorObject]:
        """Return the objects with anchors of the device, in the order of their keys."""
        objects: dict[str, AnchorObject] = {}
        removed: set[str] = set()
        for page in self._pages(f"{PREFIX}{certid}/"):
            removed |= {marker["Key"] for marker in page.get("DeleteMarkers", ())}
            for version in page.get("Versions", ()):
                found = AnchorObject(version["Key"], version["VersionId"], timestamp(version["LastModified"]))
                if _entries(found.key):
                    objects[found.key] = min(found, objects.get(found.key, found), key=lambda each: each.at)
        return [replace(each, removed=key in removed) for key, each in sorted(objects.items())]

    def devices(self, count: int, after: Fingerprint | None = None) -> AnchoredDevices:
        """Return up to `count` (at most 1000) devices after `after`, including those without a row or history."""
        begin: Any = {"KeyMarker": f"{PREFIX}{after}/{_AFTER_ALL}"} if after else {}
        page = self._s3().list_object_versions(
            Bucket=self._bucket, Prefix=PREFIX, Delimiter="/", MaxKeys=count, **begin
        )
        matches = (_DEVICE.fullmatch(each["Prefix"]) for each in page.get("CommonPrefixes", ()))
        return AnchoredDevices([Fingerprint(match[1]) for match in matches if match], bool(page["IsTruncated"]))

    def _pages(self, prefix: str) -> Iterator[Any]:
        pages = self._s3().get_paginator("list_object_versions")
        yield from pages.paginate(Bucket=self._bucket, Prefix=prefix)


def anchors_in(objects: Iterable[AnchorObject]) -> list[Anchor]:
    anchors: dict[AnchoredEntry, Anchor] = {}
    for each in objects:
        for entry in _entries(each.key):
            known = anchors.get(entry, Anchor(entry.seq, entry.hash, each.at))
            is_removed = known.removed or each.removed
            anchors[entry] = Anchor(entry.seq, entry.hash, min(each.at, known.at), removed=is_removed)
    return sorted(anchors.values(), key=lambda anchor: (anchor.seq, anchor.hash))


def _entries(key: str) -> list[AnchoredEntry]:
    """Return the entries that a key anchors; none if it is not the key of an anchor."""
    found = _KEY.fullmatch(key)
    if found is None:
        return []
    hashes = tuple(found["hashes"].removeprefix("-").split("-"))
    return Run(Fingerprint(found["certid"]), int(found["first"]), hashes).entries()
