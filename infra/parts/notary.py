"""The notary's part of the stack: the append-only bucket of anchors, and the trigger of the notary Lambda.

The bucket uses Object Lock in compliance mode: until a version's retention ends, no one can delete it or shorten the
retention, not even the account's root user (S3 user guide, "Using S3 Object Lock"). The bucket policy denies all
deletions and lifecycle rules; a user who removes the policy can only add delete markers, which are visible. The bucket
is retained when the stack is deleted, and cannot be deleted before the retention of its last version ends.
"""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.parts import buckets
from infra.settings import Settings
from lobby.deployment import NAMES

ON_OBJECTS: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion")
ON_BUCKET: Final = ("s3:DeleteBucket", "s3:PutLifecycleConfiguration")
"""Denied to everyone. Object Lock and versioning need no denial, because they cannot be disabled."""
WINDOW: Final = 60
"""Seconds for which Lambda collects records. A device's steps follow within seconds, and every run writes one object
for each device. An entry may be without an anchor for 15 minutes (`history_audit.ANCHORED_WITHIN`)."""
BATCH_SIZE: Final = 500


def make_bucket(scope: Construct, settings: Settings) -> s3.Bucket:
    lobby = settings.lobby
    bucket = buckets.make_bucket(
        scope,
        "Anchors",
        NAMES.notary_bucket(lobby.account, lobby.region),
        object_lock_enabled=True,
        object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(settings.anchor_retention)),
    )
    for sid, actions, resource in (
        ("DenyDeletionOfAnchors", ON_OBJECTS, bucket.arn_for_objects("*")),
        ("DenyChangesOfBucket", ON_BUCKET, bucket.bucket_arn),
    ):
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid=sid,
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=list(actions),
                resources=[resource],
            )
        )
    return bucket


def entries_to(scope: Construct, function: lambda_.Function, stream: str) -> None:
    """Invoke the notary for every change of the history, up to `WINDOW` later, so that several entries are anchored
    together. One mapping reads new, changed and removed entries: a shard supports two readers, and the publisher is the
    other one. A failed entry is retried for as long as the stream has it (24 hours). An alarm reports each failure."""
    lambda_.CfnEventSourceMapping(
        scope,
        "EntriesToNotary",
        event_source_arn=stream,
        function_name=function.function_name,
        starting_position="TRIM_HORIZON",
        batch_size=BATCH_SIZE,
        maximum_batching_window_in_seconds=WINDOW,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
    )
