"""The notary's side of the stack: the bucket that nobody can take anything out of, and what calls the Lambda that fills
it.

The bucket's Object Lock is in compliance mode: until a version's time is over nobody deletes it or shortens that time,
no administrator and not the account's root (S3 user guide, "Using S3 Object Lock"). Its policy denies everyone to
delete at all and to have S3 delete by rule; whoever lifts the policy can put markers over versions, which show. The
bucket stays when the stack goes, and cannot be deleted before its last version may be.
"""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra import buckets
from infra.settings import Settings
from lobby.wire import notary_bucket

ON_OBJECTS: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion")
ON_BUCKET: Final = ("s3:DeleteBucket", "s3:PutLifecycleConfiguration")
"""What nobody may do to the anchors. Object Lock itself cannot be turned off again, nor versioning under it."""


def make_bucket(scope: Construct, settings: Settings) -> s3.Bucket:
    lobby = settings.lobby
    bucket = buckets.make_bucket(
        scope,
        "Anchors",
        notary_bucket(lobby.account, lobby.region),
        object_lock_enabled=True,
        object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(settings.anchors_kept)),
    )
    for sid, actions, resource in (
        ("NobodyDeletesAnchors", ON_OBJECTS, bucket.arn_for_objects("*")),
        ("NorTheBucket", ON_BUCKET, bucket.bucket_arn),
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
    """Every change of the history wakes it, at once. What cannot be anchored is tried again for as long as the stream
    has it (24 hours); each failure is one that an alarm tells of."""
    lambda_.CfnEventSourceMapping(
        scope,
        "EntriesToNotary",
        event_source_arn=stream,
        function_name=function.function_name,
        starting_position="TRIM_HORIZON",
        batch_size=100,
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
    )
