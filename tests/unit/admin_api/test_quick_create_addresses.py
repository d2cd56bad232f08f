"""The signed address of a template names the Region of its bucket, because S3 redirects or refuses other ones."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.session import Session

from admin_api.templates.quick_create import VALID_SECONDS, signing_config, store
from lobby.names import parse_target

TARGET = parse_target("200000000002", "eu-west-1")
KEYS: dict[str, Any] = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "none"}  # pragma: allowlist secret


def address(region: str, *, in_aws: bool, **options: Any) -> str:
    """Return the address that a client in `region` signs. Nothing is sent."""
    s3: Any = Session().create_client("s3", region_name=region, config=signing_config(in_aws=in_aws), **KEYS, **options)
    s3.meta.events.register("before-send.s3.PutObject", lambda **_: _Stored())
    return store(s3, "templates-bucket", TARGET, "content")


class _Stored:
    """The response to PutObject."""

    status_code, headers, content = 200, dict[str, str](), b""
    raw = None


@pytest.mark.parametrize("region", ["eu-central-1", "eu-south-2", "ap-southeast-7"])
def test_an_address_names_the_region_of_the_bucket(region: str) -> None:
    parts = urlsplit(address(region, in_aws=True))
    assert parts.netloc == f"templates-bucket.s3.{region}.amazonaws.com"
    assert parts.path == "/templates/200000000002-eu-west-1.yaml"
    query = parse_qs(parts.query)
    assert (query["X-Amz-Algorithm"], query["X-Amz-Expires"]) == (["AWS4-HMAC-SHA256"], [str(VALID_SECONDS)])


def test_the_local_cloud_has_one_host_for_all_buckets() -> None:
    local = address("us-east-1", in_aws=False, endpoint_url="http://127.0.0.1:4566")
    assert local.startswith("http://127.0.0.1:4566/templates-bucket/templates/")
