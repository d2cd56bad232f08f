"""The pages of campaigns' manifests, as objects in the lobby's bucket.

A page is written before the ledger records it with its digest, which is part of the object's name. So of two writers of
a page at the same time, the one that records it second does not replace the recorded one. `s3` returns the client,
which is created at its first use.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from lobby.domain.campaigns.campaign_manifest import ManifestLine, decode_page, digest_of, encode_page
from lobby.domain.campaigns.campaign_rules import MANIFEST_MISSING
from lobby.errors import NotFound
from lobby.names import CampaignName

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX: Final = "campaigns/"
_PROBE: Final = f"{PREFIX}access"
_ABSENT: Final = ("NoSuchKey", "AccessDenied")
"""S3's answer for an object that does not exist, to a role that may list the bucket, or may not."""


def key_of(campaign: CampaignName, page: int, digest: str) -> str:
    return f"{PREFIX}{campaign}/{page:06d}-{digest}.jsonl"


def former_key_of(campaign: CampaignName, page: int) -> str:
    """Return the name that earlier versions gave to the object."""
    return f"{PREFIX}{campaign}/{page:06d}.jsonl"


class Manifests:
    """The manifests in one bucket."""

    def __init__(self, s3: "Callable[[], S3Client]", bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def write(self, campaign: CampaignName, page: int, lines: Sequence[ManifestLine]) -> str:
        """Write a page and return its digest."""
        body = encode_page(lines)
        digest = digest_of(body)
        key = key_of(campaign, page, digest)
        self._s3().put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/jsonl")
        return digest

    def read(self, campaign: CampaignName, page: int, digest: str) -> tuple[ManifestLine, ...]:
        """Return a page. Raise `InvalidInput` INVALID_MANIFEST if it is not the recorded page, or `NotFound`
        MANIFEST_MISSING if the bucket does not have it."""
        keys = (key_of(campaign, page, digest), former_key_of(campaign, page))
        body = self._first_of(keys)
        if body is None:
            self._require_access()
            body = self._first_of(keys)
        if body is None:
            message = f"got no page {page} of the list of {campaign} from {self._bucket}, want the recorded one"
            raise NotFound(MANIFEST_MISSING, message)
        return decode_page(body, digest)

    def _first_of(self, keys: Sequence[str]) -> bytes | None:
        return next((body for key in keys if (body := self._find(key)) is not None), None)

    def _require_access(self) -> None:
        """Raise `ClientError` if objects cannot be read at present: S3 may answer as for an object that is absent."""
        self._s3().put_object(Bucket=self._bucket, Key=_PROBE, Body=b"")
        self._s3().get_object(Bucket=self._bucket, Key=_PROBE)

    def _find(self, key: str) -> bytes | None:
        try:
            return self._s3().get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
