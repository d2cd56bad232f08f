"""The settings of every bucket of the lobby: private, encrypted, TLS only, versioned, and retained when the stack is
deleted.
"""

from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct


def short_lived(prefix: str) -> s3.LifecycleRule:
    """Return a rule that deletes the objects of a prefix, and their versions, after a day."""
    day = Duration.days(1)
    return s3.LifecycleRule(prefix=prefix, expiration=day, noncurrent_version_expiration=day)


def make_bucket(scope: Construct, construct_id: str, name: str, **properties: Any) -> s3.Bucket:
    """Create a bucket with these settings. `properties` are additional properties."""
    return s3.Bucket(
        scope,
        construct_id,
        bucket_name=name,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=True,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        **properties,
    )
