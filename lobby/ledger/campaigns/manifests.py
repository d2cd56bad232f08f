"""The pages of campaigns' manifests, as objects in the lobby's bucket.

A page is written before the ledger records it with its digest. Writing a page again replaces it with the same content.
`s3` returns the client, which is created at its first use.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from lobby.domain.campaigns.campaign_manifest import ManifestLine, decode_page, digest_of, encode_page
from lobby.names import CampaignName

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX: Final = "campaigns/"


def key_of(campaign: CampaignName, page: int) -> str:
    return f"{PREFIX}{campaign}/{page:06d}.jsonl"


class Manifests:
    """The manifests in one bucket."""

    def __init__(self, s3: "Callable[[], S3Client]", bucket: str) -> None:
        self._s3, self._bucket = s3, bucket

    def write(self, campaign: CampaignName, page: int, lines: Sequence[ManifestLine]) -> str:
        """Write a page and return its digest."""
        body = encode_page(lines)
        self._s3().put_object(
            Bucket=self._bucket, Key=key_of(campaign, page), Body=body, ContentType="application/jsonl"
        )
        return digest_of(body)

    def read(self, campaign: CampaignName, page: int, digest: str) -> tuple[ManifestLine, ...]:
        """Return a page. Raise `InvalidInput` INVALID_MANIFEST if it is not the recorded page."""
        found = self._s3().get_object(Bucket=self._bucket, Key=key_of(campaign, page))
        return decode_page(found["Body"].read(), digest)
