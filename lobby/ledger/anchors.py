"""The anchors: the hashes of all history entries, in an S3 bucket with Object Lock.

Each entry is one empty object, with the hash in its key, so that one listing of a prefix returns all anchored hashes of
a device. An entry is anchored once: S3 rejects the same key a second time, and another hash is a second key. Object
versions are listed, so that a delete marker is visible.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lobby.domain.history_audit import MAX_SEQ, Anchor
from lobby.ledger.clock import timestamp
from lobby.names import Fingerprint

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX: Final = "entries/"
_KEY: Final = re.compile(PREFIX + r"(?P<certid>[0-9a-f]{64})/(?P<seq>[0-9]{10})-(?P<hash>[0-9a-f]{64})")
_DEVICE: Final = re.compile(PREFIX + r"([0-9a-f]{64})/")
_AFTER_ALL: Final = "~"
"""Sorts after every key below a device's prefix; the next page of devices starts there."""


@dataclass(frozen=True)
class AnchoredDevices:
    """A page of devices with anchors, in the order of their fingerprints, and whether there are more."""

    certids: Sequence[Fingerprint]
    more: bool


def anchor_key(certid: Fingerprint, seq: int, hash_: str) -> str:
    """Return the key of an entry's anchor. Raise `ValueError` for values that no entry has."""
    key = f"{PREFIX}{certid}/{seq:010d}-{hash_}"
    if not 1 <= seq <= MAX_SEQ or not _KEY.fullmatch(key):
        raise ValueError(f"got the anchor {key!r}, want a fingerprint, a number of 1 to {MAX_SEQ} and a SHA-256")
    return key


class Anchors:
    """The bucket. `s3` returns the client."""

    def __init__(self, s3: "Callable[[], S3Client]", bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def put(self, certid: Fingerprint, seq: int, hash_: str) -> bool:
        """Anchor an entry; return False if it is anchored already. Raise `ClientError` or `ValueError`."""
        try:
            self._s3().put_object(
                Bucket=self._bucket,
                Key=anchor_key(certid, seq, hash_),
                Body=b"",
                IfNoneMatch="*",
                ChecksumAlgorithm="SHA256",  # required for every upload with Object Lock
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":
                raise
            return False
        return True

    def of(self, certid: Fingerprint) -> list[Anchor]:
        """Return all anchors of the device."""
        anchors: dict[str, Anchor] = {}
        removed: set[str] = set()
        for page in self._pages(f"{PREFIX}{certid}/"):
            removed |= {marker["Key"] for marker in page.get("DeleteMarkers", ())}
            for version in page.get("Versions", ()):
                key = _KEY.fullmatch(version["Key"])
                if key is None:
                    continue
                anchor = Anchor(int(key["seq"]), key["hash"], timestamp(version["LastModified"]))
                if key[0] not in anchors or anchor.at < anchors[key[0]].at:
                    anchors[key[0]] = anchor
        return [
            Anchor(anchor.seq, anchor.hash, anchor.at, removed=key in removed)
            for key, anchor in sorted(anchors.items())
        ]

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
