"""A link that opens AWS's console with a stack ready to be created from a target's template.

CloudFormation reads a linked template only from S3, so the template is put into the lobby's bucket. The link contains a
signed address of the template that is valid for an hour, because the template contains the target's ExternalId.
"""

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from botocore.config import Config

from lobby.deployment import NAMES
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX: Final = "templates/"
VALID_SECONDS: Final = 3600
_STACK: Final = NAMES.stack("Target")


def signing_config(*, in_aws: bool) -> Config:
    """Return the configuration of the client that signs. In AWS, the address must name the bucket's Region: S3
    redirects other requests for a new bucket, which invalidates the signature, and newer Regions refuse them (S3 user
    guide, "Virtual hosting of general purpose buckets"). The local cloud has one host for all buckets."""
    return Config(signature_version="s3v4", s3={"addressing_style": "virtual"} if in_aws else None)


def store(s3: "S3Client", bucket: str, target: Target, content: str) -> str:
    """Put the template into the bucket and return its signed address. `s3` has `signing_config`."""
    key = f"{PREFIX}{target.account}-{target.region}.yaml"
    s3.put_object(Bucket=bucket, Key=key, Body=content.encode(), ContentType="application/yaml")
    return s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=VALID_SECONDS)


def link(target: Target, address: str) -> str:
    """Return the address of the console's page (CloudFormation user guide, "Create quick-create links")."""
    query = urlencode({"templateURL": address, "stackName": _STACK})
    home = f"https://{target.region}.console.aws.amazon.com/cloudformation/home?region={target.region}"
    return f"{home}#/stacks/create/review?{query}"
