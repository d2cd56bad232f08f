"""The archive (opt-in, `archiveDays`): transitions of devices and events of the AWS IoT registry, as JSON in S3.

A rule of the event bus and topic rules pass each event to a stream of Amazon Data Firehose, which writes compressed
objects to a prefix for each day. Events that Firehose does not accept are in a queue with an alarm. `tables` describes
the objects for Athena. Without the setting none of this is deployed or charged.
"""

from typing import TYPE_CHECKING, Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.archive import registry_events
from infra.archive import tables as archive_tables
from infra.archive.registry_events import QUERIES
from infra.archive.tables import REGISTRY, TRANSITIONS, Table
from infra.monitoring.alarms import Alarms
from infra.nag_suppressions import suppress
from infra.parts import functions, topic_rules
from infra.parts.buckets import make_bucket, short_lived
from infra.parts.permissions import allow, queue_arn
from infra.regions import region_parts as regions
from infra.settings import Settings
from lobby.deployment import NAMES
from lobby.domain.events.device_events import SOURCE, TYPES

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack

FAILED: Final = NAMES.name("archive-failed")
"""The queue of events that Firehose did not accept."""
ERRORS: Final = "errors/"
"""The prefix of records that Firehose could not write to their partition."""
_BUFFER: Final = firehose.CfnDeliveryStream.BufferingHintsProperty(interval_in_seconds=900, size_in_m_bs=64)
"""The longest time before an object is written: a day has at most 96 objects, even with few events."""
_LATE: Final = Duration.hours(2)
_PERIOD: Final = Duration.minutes(5)


def make_archive(scope: "LobbyStack", bus: events.CfnEventBus) -> None:
    """Create the archive of the lobby's events and the registry events, if the settings enable them."""
    lobby = scope.settings.lobby
    if scope.settings.registry_events or scope.settings.archive_days:
        registry_events.enable(scope, scope.settings, lobby)
    if not scope.settings.archive_days:
        return
    bucket = make_archive_bucket(scope)
    failed = _failures(scope)
    _transitions(scope, bus, _stream(scope, bucket, TRANSITIONS), failed)
    _registry(scope, _stream(scope, bucket, REGISTRY), failed)
    archive_tables.make_tables(scope, bucket, lobby)
    failed.add_to_resource_policy(
        iam.PolicyStatement(
            sid="RulesMaySend",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue_arn(FAILED, lobby)],
            conditions={"ArnEquals": {"aws:SourceArn": _rule_arn(scope)}},
        )
    )


def make_archive_bucket(scope: "LobbyStack") -> s3.Bucket:
    """Create the bucket. Events are deleted after `archiveDays`, errors after 30 days, results of queries after one."""
    settings = scope.settings
    day = Duration.days(1)
    kept = [(f"{table.name}/", settings.archive_days or 1) for table in (TRANSITIONS, REGISTRY)]
    rules = [
        s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days), noncurrent_version_expiration=day)
        for prefix, days in (*kept, (ERRORS, 30))
    ]
    incomplete = s3.LifecycleRule(abort_incomplete_multipart_upload_after=day)
    name = NAMES.archive_bucket(settings.lobby.account, settings.lobby.region)
    rules += [short_lived(archive_tables.RESULTS), incomplete]
    bucket = make_bucket(scope, "Archive", name, lifecycle_rules=rules)
    suppress(bucket, {"S1": "it contains the events of the bus; CloudTrail data events record who reads them"})
    return bucket


def watch(alarms: Alarms, settings: Settings) -> None:
    """Add the alarms of the archive, if there is one."""
    if not settings.archive_days:
        return
    waiting = cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name="ApproximateNumberOfMessagesVisible",
        dimensions_map={"QueueName": FAILED},
        period=_PERIOD,
        statistic="max",
    )
    alarms.add("archive-failed-waiting", waiting, 0, "Firehose has not accepted events for the archive: inspect them")
    for table in (TRANSITIONS, REGISTRY):
        late = cloudwatch.Metric(
            namespace="AWS/Firehose",
            metric_name="DeliveryToS3.DataFreshness",
            dimensions_map={"DeliveryStreamName": table.stream},
            period=_PERIOD,
            statistic="max",
        )
        description = f"events of {table.name} have not been written to the archive for two hours: see Firehose's log"
        alarms.add(f"archive-{table.name}-late", late, _LATE.to_seconds(), description)


def _stream(scope: "LobbyStack", bucket: s3.Bucket, table: Table) -> firehose.CfnDeliveryStream:
    """Create the stream that writes the events of a table, one line each."""
    construct_id = table.construct_id
    log = functions.log_group(
        scope, f"{construct_id}ArchiveLog", f"/aws/kinesisfirehose/{table.stream}", scope.settings
    )
    log_stream = logs.CfnLogStream(
        scope, f"{construct_id}ArchiveLogStream", log_group_name=log.log_group_name, log_stream_name="delivery"
    )
    role = _writer_role(scope, table, log)
    cfn = firehose.CfnDeliveryStream
    return cfn(
        scope,
        f"{construct_id}Archive",
        delivery_stream_name=table.stream,
        delivery_stream_type="DirectPut",
        delivery_stream_encryption_configuration_input=cfn.DeliveryStreamEncryptionConfigurationInputProperty(
            key_type="AWS_OWNED_CMK"
        ),
        extended_s3_destination_configuration=_destination(bucket, table, role, log_stream),
    )


def _writer_role(scope: "LobbyStack", table: Table, log: logs.LogGroup) -> iam.Role:
    """Create the role with which Firehose writes the objects of a table, and its errors to `log`."""
    settings = scope.settings
    arn = f"arn:aws:s3:::{NAMES.archive_bucket(settings.lobby.account, settings.lobby.region)}"
    objects = [f"{arn}/{prefix}*" for prefix in (f"{table.name}/", f"{ERRORS}{table.name}/")]
    statements = [
        allow("Find", ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], arn),
        allow("Write", ["s3:PutObject", "s3:AbortMultipartUpload"], *objects),
        allow("LogErrors", ["logs:PutLogEvents"], log.log_group_arn),
    ]
    role = iam.Role(
        scope,
        f"{table.construct_id}ArchiveRole",
        role_name=regions.suffixed(f"{table.stream}-writer", settings.lobby, settings),
        assumed_by=iam.ServicePrincipal(
            "firehose.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": settings.lobby.account}}
        ),
        inline_policies={"write-events": iam.PolicyDocument(statements=statements)},
    )
    suppress(role, {f"IAM5[Resource::{each}]": "Firehose names the objects that it writes" for each in objects})
    return role


def _destination(
    bucket: s3.Bucket, table: Table, role: iam.Role, log_stream: logs.CfnLogStream
) -> firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty:
    """Return where and how a table's objects are written. Their partitions are UTC days, by the time at which Firehose
    received an object's oldest event (Firehose developer guide, "Understand custom prefixes")."""
    cfn = firehose.CfnDeliveryStream
    return cfn.ExtendedS3DestinationConfigurationProperty(
        bucket_arn=bucket.bucket_arn,
        role_arn=role.role_arn,
        prefix=f"{table.name}/{archive_tables.DAY}=!{{timestamp:yyyy-MM-dd}}/",
        error_output_prefix=f"{ERRORS}{table.name}/!{{firehose:error-output-type}}/!{{timestamp:yyyy-MM-dd}}/",
        buffering_hints=_BUFFER,
        compression_format="GZIP",
        cloud_watch_logging_options=cfn.CloudWatchLoggingOptionsProperty(
            enabled=True, log_group_name=log_stream.log_group_name, log_stream_name=log_stream.ref
        ),
        # Events have no line break at their end. Without parameters the processor adds one (API reference, Processor).
        processing_configuration=cfn.ProcessingConfigurationProperty(
            enabled=True, processors=[cfn.ProcessorProperty(type="AppendDelimiterToRecord")]
        ),
    )


def _failures(scope: "LobbyStack") -> sqs.Queue:
    queue = sqs.Queue(
        scope,
        "ArchiveFailedQueue",
        queue_name=FAILED,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    suppress(queue, {"SQS3": "it is the dead-letter queue of rules, which CloudFormation does not know as such"})
    return queue


def _rule_arn(scope: "LobbyStack") -> str:
    lobby = scope.settings.lobby
    return f"arn:aws:events:{lobby.region}:{lobby.account}:rule/{NAMES.prefix}/{NAMES.name('archive')}"


def _transitions(
    scope: "LobbyStack", bus: events.CfnEventBus, stream: firehose.CfnDeliveryStream, failed: sqs.Queue
) -> None:
    """Pass each event of the bus to the stream, without EventBridge's envelope."""
    role = iam.Role(
        scope,
        "ArchiveEventsRole",
        role_name=regions.role_name("archive-events", scope.settings),
        assumed_by=iam.ServicePrincipal(
            "events.amazonaws.com", conditions={"ArnEquals": {"aws:SourceArn": _rule_arn(scope)}}
        ),
        inline_policies={"archive": iam.PolicyDocument(statements=[_put(stream)])},
    )
    target = events.CfnRule.TargetProperty(
        id="archive",
        arn=stream.attr_arn,
        role_arn=role.role_arn,
        input_path="$.detail",
        dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=failed.queue_arn),
    )
    rule = events.CfnRule(
        scope,
        "ArchiveTransitions",
        name=NAMES.name("archive"),
        description="Archives each transition of a device",
        event_bus_name=bus.name,
        event_pattern={"source": [SOURCE], "detail-type": list(TYPES)},
        state="ENABLED",
        targets=[target],
    )
    rule.node.add_dependency(bus)


def _registry(scope: "LobbyStack", stream: firehose.CfnDeliveryStream, failed: sqs.Queue) -> None:
    """Pass each event of the registry to the stream."""
    lobby = scope.settings.lobby
    statements = {
        "archive": _put(stream),
        "report-failures": allow("ReportFailures", ["sqs:SendMessage"], failed.queue_arn),
    }
    name = regions.role_name("archive-rules", scope.settings)
    role = topic_rules.rule_role(scope, "ArchiveRegistryRole", lobby, statements, name)
    action = iot.CfnTopicRule.ActionProperty(
        firehose=iot.CfnTopicRule.FirehoseActionProperty(delivery_stream_name=stream.ref, role_arn=role.role_arn)
    )
    for kind, sql in QUERIES.items():
        topic_rules.make_rule(
            scope,
            f"Archive{kind}Rule",
            NAMES.rule(f"archive-{kind.lower()}"),
            sql,
            f"Archives AWS IoT's registry events of the kind {kind}",
            action,
            topic_rules.to_queue(failed, role),
        )


def _put(stream: firehose.CfnDeliveryStream) -> iam.PolicyStatement:
    return allow("Put", ["firehose:PutRecord", "firehose:PutRecordBatch"], stream.attr_arn)
