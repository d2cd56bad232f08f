"""The archive in the templates: off by default, its permissions, its retention, and its removal."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types

from infra.archive.registry_events import EVENTS
from infra.errors import BadContext
from lobby.domain.events.device_events import TYPES
from tests.infra.templates import Stack, Stacks, settings, synthesized

BUCKET: Final = "arn:aws:s3:::device-lobby-archive-100000000001-us-east-1"
KINDS: Final = ("AWS::KinesisFirehose::", "AWS::Glue::", "AWS::Athena::", "Custom::")
STREAMS: Final = {"transitions": "<TransitionsArchive.Arn>", "registry": "<RegistryArchive.Arn>"}


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory, nag: bool) -> Stacks:
    """The stacks with an archive and registry events, as deployed to AWS."""
    context = settings(archiveDays="400", registryEvents="true")
    return synthesized(context, tmp_path_factory.mktemp("archive"), nag=nag)


@pytest.fixture(scope="module")
def lobby(archived: Stacks) -> Stack:
    return archived.lobby


def test_without_the_setting_nothing_exists_that_costs(stacks: Stacks) -> None:
    for stack in stacks.all:
        kinds = {each["Type"] for each in stack.template["Resources"].values()}
        assert not [kind for kind in kinds if kind.startswith(KINDS)]
        assert "archive" not in json.dumps(stack.template).lower()


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"archiveDays": "0"}, "archiveDays: got '0', want 1 to 36500 days"),
        ({"archiveDays": "forever"}, "archiveDays: got 'forever', want 1 to 36500 days"),
        ({"archiveDays": "30", "local": "true"}, "archiveDays: got it with local=true, want it only in AWS"),
        ({"registryEvents": "yes"}, "registryEvents: got 'yes', want true or false"),
    ],
)
def test_invalid_settings_are_named_with_the_rule(context: dict[str, str], message: str) -> None:
    with pytest.raises(BadContext, match=message):
        settings(**context)


def test_the_bucket_is_private_encrypted_and_retained_and_its_objects_expire(lobby: Stack) -> None:
    bucket = lobby.the("AWS::S3::Bucket", BucketName=BUCKET.rpartition(":")[2])
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    made = lobby.template["Resources"][lobby.logical_id(bucket)]
    assert (made["DeletionPolicy"], made["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {each["Status"] for each in rules} == {"Enabled"}
    kept = {each["Prefix"]: each["ExpirationInDays"] for each in rules if "Prefix" in each}
    assert kept == {"transitions/": 400, "registry/": 400, "errors/": 30, "athena-results/": 1}
    assert {each["NoncurrentVersionExpiration"]["NoncurrentDays"] for each in rules if "Prefix" in each} == {1}
    assert [each["AbortIncompleteMultipartUpload"] for each in rules if "Prefix" not in each] == [
        {"DaysAfterInitiation": 1}
    ]


@pytest.mark.parametrize("table", STREAMS)
def test_a_stream_writes_a_line_for_each_event_to_the_partition_of_the_day(lobby: Stack, table: str) -> None:
    stream = lobby.the("AWS::KinesisFirehose::DeliveryStream", DeliveryStreamName=f"device-lobby-archive-{table}")
    assert stream["DeliveryStreamEncryptionConfigurationInput"] == {"KeyType": "AWS_OWNED_CMK"}
    destination = stream["ExtendedS3DestinationConfiguration"]
    assert destination["Prefix"] == f"{table}/day=!{{timestamp:yyyy-MM-dd}}/"
    assert destination["ErrorOutputPrefix"].startswith(f"errors/{table}/!{{firehose:error-output-type}}/")
    assert destination["CompressionFormat"] == "GZIP"
    assert destination["ProcessingConfiguration"] == {
        "Enabled": True,
        "Processors": [{"Type": "AppendDelimiterToRecord"}],
    }
    assert destination["CloudWatchLoggingOptions"]["Enabled"]
    assert "DynamicPartitioningConfiguration" not in destination


@pytest.mark.parametrize("table", STREAMS)
def test_a_stream_may_write_only_its_own_objects(lobby: Stack, table: str) -> None:
    grants = lobby.grants(f"device-lobby-archive-{table}-writer")
    logs = grants.pop("logs:PutLogEvents")
    assert len(logs) == 1
    objects = {f"{BUCKET}/{table}/*", f"{BUCKET}/errors/{table}/*"}
    assert grants == {
        "s3:GetBucketLocation": {BUCKET},
        "s3:ListBucket": {BUCKET},
        "s3:ListBucketMultipartUploads": {BUCKET},
        "s3:PutObject": objects,
        "s3:AbortMultipartUpload": objects,
    }


def test_the_rules_may_only_put_into_their_stream_and_report_failures(lobby: Stack) -> None:
    put = {"firehose:PutRecord", "firehose:PutRecordBatch"}
    events, rules = (lobby.grants(f"device-lobby-archive-{name}") for name in ("events", "rules"))
    assert set(events) == put
    assert set(rules) == {*put, "sqs:SendMessage"}
    for grants, stream in ((events, STREAMS["transitions"]), (rules, STREAMS["registry"])):
        assert {resource for action in put for resource in grants[action]} == {stream}
    assert rules["sqs:SendMessage"] == {f"<{queue(lobby)}.Arn>"}


def queue(lobby: Stack) -> str:
    return lobby.logical_id(lobby.the("AWS::SQS::Queue", QueueName="device-lobby-archive-failed"))


def test_every_transition_is_archived_without_an_envelope_and_what_fails_is_kept(lobby: Stack) -> None:
    rule = lobby.resolve(lobby.the("AWS::Events::Rule", Name="device-lobby-archive"))
    assert rule["EventBusName"] == "device-lobby"
    assert rule["EventPattern"] == {"source": ["device-lobby"], "detail-type": list(TYPES)}
    [target] = rule["Targets"]
    assert (target["Arn"], target["InputPath"]) == (STREAMS["transitions"], "$.detail")
    assert target["DeadLetterConfig"] == {"Arn": f"<{queue(lobby)}.Arn>"}
    [policy] = [each for each in lobby.of_type("AWS::SQS::QueuePolicy") if each["Queues"] == [{"Ref": queue(lobby)}]]
    [allowed] = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    arn = "arn:aws:events:us-east-1:100000000001:rule/device-lobby/device-lobby-archive"
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": arn}}
    role = lobby.the("AWS::IAM::Role", RoleName="device-lobby-archive-events")
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {"ArnEquals": {"aws:SourceArn": arn}}


def test_each_kind_of_registry_event_has_a_rule_and_no_connection_triggers_one(lobby: Stack) -> None:
    rules = [each for each in lobby.of_type("AWS::IoT::TopicRule") if "archive" in each["RuleName"]]
    topics = {each["TopicRulePayload"]["Sql"].removeprefix("SELECT * FROM ") for each in rules}
    kinds = ("thing", "thingGroup", "thingType", "thingGroupMembership", "thingGroupHierarchy", "thingTypeAssociation")
    assert topics == {f"'$aws/events/{kind}/#'" for kind in kinds}
    assert len(EVENTS) == len(rules)
    for rule in rules:
        [action] = rule["TopicRulePayload"]["Actions"]
        assert lobby.resolve(action["Firehose"]["DeliveryStreamName"]) == "<RegistryArchive>"
        assert rule["TopicRulePayload"]["ErrorAction"]["Sqs"]["QueueUrl"] == {"Ref": queue(lobby)}


def test_partitions_are_projected_from_the_days_that_the_streams_write(lobby: Stack) -> None:
    for table in lobby.of_type("AWS::Glue::Table"):
        content, name = table["TableInput"], table["TableInput"]["Name"]
        found = lobby.resolve(content)
        bucket = lobby.logical_id(lobby.the("AWS::S3::Bucket", BucketName=BUCKET.rpartition(":")[2]))
        assert found["StorageDescriptor"]["Location"] == f"s3://<{bucket}>/{name}/"
        parameters = found["Parameters"]
        assert parameters["storage.location.template"] == f"s3://<{bucket}>/{name}/day=${{day}}/"
        assert parameters["projection.enabled"] == "true"
        assert (parameters["projection.day.type"], parameters["projection.day.format"]) == ("date", "yyyy-MM-dd")
        assert parameters["projection.day.range"] == "2026-11-01,NOW"
        assert content["PartitionKeys"] == [{"Name": "day", "Type": "string"}]


def test_results_of_queries_are_encrypted_and_a_query_has_a_highest_price(lobby: Stack) -> None:
    group = lobby.the("AWS::Athena::WorkGroup", Name="device-lobby")
    configuration = lobby.resolve(group["WorkGroupConfiguration"])
    assert configuration["EnforceWorkGroupConfiguration"]
    assert configuration["BytesScannedCutoffPerQuery"] == 10_000_000_000
    result = configuration["ResultConfiguration"]
    assert result["OutputLocation"].endswith("/athena-results/")
    assert result["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert group["RecursiveDeleteOption"]
    assert {each["WorkGroup"] for each in lobby.of_type("AWS::Athena::NamedQuery")} == {"device-lobby"}


def test_an_archive_that_stops_raises_an_alarm(lobby: Stack) -> None:
    for table in STREAMS:
        late = lobby.the("AWS::CloudWatch::Alarm", AlarmName=f"device-lobby-archive-{table}-late")
        assert (late["MetricName"], late["Threshold"]) == ("DeliveryToS3.DataFreshness", 7200)
        assert late["Dimensions"] == [{"Name": "DeliveryStreamName", "Value": f"device-lobby-archive-{table}"}]
    failed = lobby.the("AWS::CloudWatch::Alarm", AlarmName="device-lobby-archive-failed-waiting")
    assert failed["Dimensions"] == [{"Name": "QueueName", "Value": "device-lobby-archive-failed"}]


def test_the_rule_packs_find_nothing_and_every_suppression_is_needed(archived: Stacks) -> None:
    report = json.loads((archived.folder / "validation-report.json").read_text())["pluginReports"][0]
    assert report["violations"] == []
    used = {(each["acknowledgedAt"], each["acknowledgedId"]) for each in report["suppressedViolations"]}
    assert acknowledged(archived.folder) == used
    for stack, region in zip(archived.all[:2], ("us-east-1", "eu-west-1"), strict=True):
        assert [str(each) for each in lint(json.dumps(stack.template), regions=[region])] == []


def acknowledged(folder: Path) -> set[tuple[str, str]]:
    metadata: list[dict[str, Any]] = [json.loads(path.read_text()) for path in folder.glob("*.metadata.json")]
    return {
        (construct.removeprefix("/"), rule)
        for each in metadata
        for construct, entries in each.items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for rule in entry["data"]
    }
