"""A link that opens AWS's console with a stack ready to be created from a target's template.

CloudFormation reads a linked template only from S3, so the template is put into the lobby's bucket. The link contains a
signed address of the template that is valid for an hour, because the template contains the target's ExternalId.
"""

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from lobby.deployment import NAMES
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PREFIX: Final = "templates/"
VALID_SECONDS: Final = 3600
_STACK: Final = NAMES.stack("Target")


def store(s3: "S3Client", bucket: str, target: Target, content: str) -> str:
    """Put the template into the bucket and return its signed address. `s3` signs with version 4."""
    key = f"{PREFIX}{target.account}-{target.region}.yaml"
    s3.put_object(Bucket=bucket, Key=key, Body=content.encode(), ContentType="application/yaml")
    return s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=VALID_SECONDS)


def link(target: Target, address: str) -> str:
    """Return the address of the console's page (CloudFormation user guide, "Create quick-create links")."""
    query = urlencode({"templateURL": address, "stackName": _STACK})
    home = f"https://{target.region}.console.aws.amazon.com/cloudformation/home?region={target.region}"
    return f"{home}#/stacks/create/review?{query}"
