"""The lobby's stack, by what it does."""

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from commissioner.daily_reconciliation import ReconcileResult
from commissioner.lambdas.reconciler import ROUND
from commissioner.lambdas.sweeper import SweepResult
from infra.functions import FUNCTIONS
from infra.notary import make_bucket
from lobby import wire
from lobby.aws import metrics
from lobby.aws.metrics import NAMESPACE
from lobby.ledger.models import MODELS
from tests.infra.templates import Stack, Stacks, settings

TABLES = "AWS::DynamoDB::GlobalTable"


@pytest.mark.parametrize("model", MODELS)
def test_a_table_has_the_keys_and_indexes_of_its_model(stacks: Stacks, model: Any) -> None:
    table = stacks.lobby.the(TABLES, TableName=model.Meta.table_name)
    assert _keys(table["KeySchema"]) == _model_keys(model.get_attributes())
    indexes = {each["IndexName"]: each for each in table.get("GlobalSecondaryIndexes", [])}
    assert indexes.keys() == model._indexes.keys()
    for name, index in model._indexes.items():
        attributes = {key: getattr(type(index), key) for key in vars(type(index)) if key not in ("Meta", "_model")}
        keys = {key: each for key, each in attributes.items() if hasattr(each, "is_hash_key")}
        assert _keys(indexes[name]["KeySchema"]) == _model_keys(keys)
        projection = indexes[name]["Projection"]
        assert projection["ProjectionType"] == "INCLUDE"
        assert sorted(projection["NonKeyAttributes"]) == sorted(index.Meta.projection.non_key_attributes)


def _keys(schema: list[dict[str, str]]) -> dict[str, str]:
    return {each["KeyType"]: each["AttributeName"] for each in schema}


def _model_keys(attributes: Any) -> dict[str, str]:
    kinds = (("HASH", "is_hash_key"), ("RANGE", "is_range_key"))
    return {kind: each.attr_name for each in attributes.values() for kind, flag in kinds if getattr(each, flag)}


def test_tables_are_encrypted_restorable_guarded_and_outlive_the_stack(stacks: Stacks) -> None:
    tables = [each for each in stacks.lobby.template["Resources"].values() if each["Type"] == TABLES]
    assert len(tables) == len(MODELS)
    for table in tables:
        [replica] = table["Properties"]["Replicas"]
        assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
        assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
        assert table["Properties"]["SSESpecification"]["SSEEnabled"]
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert replica["DeletionProtectionEnabled"]


def test_the_ledger_streams_what_it_became_and_the_history_also_what_it_was(stacks: Stacks) -> None:
    streams = {each["TableName"]: each.get("StreamSpecification") for each in stacks.lobby.of_type(TABLES)}
    assert streams.pop("device-lobby-ledger") == {"StreamViewType": "NEW_IMAGE"}
    assert streams.pop("device-lobby-history") == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert set(streams.values()) == {None}


def _mapping(stack: Stack, function: str) -> dict[str, Any]:
    """What reads a stream for a function."""
    found = stack.of_type("AWS::Lambda::EventSourceMapping")
    [mapping] = [each for each in found if stack.resolve(each["FunctionName"]).startswith(f"<{function}")]
    return mapping


def test_the_commissioner_wakes_only_when_it_is_its_turn(stacks: Stacks) -> None:
    mapping = _mapping(stacks.lobby, "Commissioner")
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert stacks.lobby.resolve(mapping["EventSourceArn"]).startswith("<LedgerTable")
    [filtered] = mapping["FilterCriteria"]["Filters"]
    assert json.loads(filtered["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"turn": {"S": ["commissioner"]}}},
    }


def test_a_claim_that_fails_is_tried_alone_for_hours_and_then_handed_over(stacks: Stacks) -> None:
    mapping = _mapping(stacks.lobby, "Commissioner")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"]
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (100, 4 * 3600)
    assert (mapping["ParallelizationFactor"], mapping["BatchSize"]) == (4, 10)
    failures = stacks.lobby.resolve(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    assert failures.startswith("<Uncommissioned")


def test_every_change_of_the_history_wakes_the_notary_for_as_long_as_the_stream_has_it(stacks: Stacks) -> None:
    mapping = _mapping(stacks.lobby, "Notary")
    assert stacks.lobby.resolve(mapping["EventSourceArn"]).startswith("<HistoryTable")
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    given_up = {"FilterCriteria", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "MaximumBatchingWindowInSeconds"}
    assert not given_up & mapping.keys()


def test_an_arrival_that_fails_five_times_goes_to_the_dead_letters(stacks: Stacks) -> None:
    queue = stacks.lobby.the("AWS::SQS::Queue", QueueName="device-lobby-arrivals")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    [timeout] = [each.timeout for each in FUNCTIONS if each.name == "arrivals"]
    assert queue["VisibilityTimeout"] >= 6 * timeout
    mapping = stacks.lobby.the(
        "AWS::Lambda::EventSourceMapping",
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        EventSourceArn={"Fn::GetAtt": [_logical_id(stacks.lobby, queue), "Arn"]},
    )
    assert mapping


def _logical_id(stack: Stack, properties: dict[str, Any]) -> str:
    found: list[str] = [
        key for key, each in stack.template["Resources"].items() if each.get("Properties") is properties
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("name", "sql", "function"),
    [("lobby", wire.HELLO_SQL, "Receptionist"), ("device_lobby_registered", wire.REGISTERED_SQL, "Bouncer")],
)
def test_a_rule_s_sql_is_the_wire_s(stacks: Stacks, name: str, sql: str, function: str) -> None:
    payload = stacks.lobby.the("AWS::IoT::TopicRule", RuleName=name)["TopicRulePayload"]
    assert (payload["Sql"], payload["AwsIotSqlVersion"], payload["RuleDisabled"]) == (sql, "2016-03-23", False)
    [action] = stacks.lobby.resolve(payload["Actions"])
    assert action["Lambda"]["FunctionArn"].startswith(f"<{function}")
    assert stacks.lobby.resolve(payload["ErrorAction"])["Sqs"]["QueueUrl"].startswith("<Undelivered")


def test_what_a_rule_s_lambda_fails_at_is_tried_thrice_and_handed_over(stacks: Stacks) -> None:
    configs = stacks.lobby.resolve(stacks.lobby.of_type("AWS::Lambda::EventInvokeConfig"))
    handed_over = [each for each in configs if each["FunctionName"][1:7] in ("Bounce", "Recept")]
    assert len(handed_over) == 2
    for each in handed_over:
        assert each["MaximumRetryAttempts"] == 2
        assert each["DestinationConfig"]["OnFailure"]["Destination"].startswith("<Undelivered")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_every_lambda_logs_json_to_a_group_that_forgets(stacks: Stacks, function: Any) -> None:
    made = stacks.lobby.the("AWS::Lambda::Function", FunctionName=function.full_name)
    group = stacks.lobby.the("AWS::Logs::LogGroup", LogGroupName=f"/aws/lambda/{function.full_name}")
    assert group["RetentionInDays"] == 30
    assert made["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": _logical_id(stacks.lobby, group)}}
    assert made["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == function.name
    assert made["Handler"] == function.handler
    assert "TracingConfig" not in made


def test_lambdas_are_told_what_they_need_and_no_more(stacks: Stacks) -> None:
    told = {
        each["FunctionName"].removeprefix("device-lobby-"): each["Environment"]["Variables"].keys()
        - {"POWERTOOLS_SERVICE_NAME"}
        for each in stacks.lobby.of_type("AWS::Lambda::Function")
    }
    assert told == {
        "bouncer": {"LOBBY_POLICY", "TRUST_BUCKET"},
        "receptionist": set(),
        "commissioner": {"UNCOMMISSIONED_QUEUE"},
        "surveyor": set(),
        "inspector": set(),
        "sweeper": {"TRUST_BUCKET"},
        "reconciler": {"INSPECTOR_FUNCTION"},
        "arrivals": set(),
        "notary": {"NOTARY_BUCKET"},
        "admin-api": {
            "USER_POOL_ID",
            "USER_POOL_CLIENT_ID",
            "SURVEYOR_FUNCTION",
            "COMMISSIONER_ROLE_ARN",
            "ARRIVALS_QUEUE_ARN",
            "LOGIN_URL",
            "RECONCILER_FUNCTION",
        },
    }


def test_surveyor_and_inspector_look_at_targets_with_the_commissioner_s_role(stacks: Stacks) -> None:
    functions = {each["FunctionName"]: each["Role"] for each in stacks.lobby.of_type("AWS::Lambda::Function")}
    for name in ("surveyor", "inspector"):
        assert functions[f"device-lobby-{name}"] == functions["device-lobby-commissioner"]
    assert len({str(role) for role in functions.values()}) == len(functions) - 2


@pytest.mark.parametrize(
    ("name", "schedule", "event"),
    [
        ("sweeper", "rate(5 minutes)", {"sweep": "all"}),
        ("reconciler", "rate(1 hour)", ROUND),
    ],
)
def test_a_timer_wakes_its_lambda_and_a_run_that_fails_waits_for_the_next(
    stacks: Stacks, name: str, schedule: str, event: dict[str, str]
) -> None:
    rule = stacks.lobby.resolve(stacks.lobby.the("AWS::Events::Rule", Name=f"device-lobby-{name}"))
    assert (rule["ScheduleExpression"], rule["State"]) == (schedule, "ENABLED")
    [target] = rule["Targets"]
    assert target["Arn"].startswith(f"<{name.title()}")
    assert json.loads(target["Input"]) == event
    [once] = [
        each
        for each in stacks.lobby.resolve(stacks.lobby.of_type("AWS::Lambda::EventInvokeConfig"))
        if each["FunctionName"].startswith(f"<{name.title()}")
    ]
    assert once["MaximumRetryAttempts"] == 0


def test_what_the_timers_report_has_alarms_by_the_names_that_it_has(stacks: Stacks) -> None:
    reported = {"sweeper": SweepResult().numbers(), "reconciler": ReconcileResult().numbers()}
    ours = [each for each in stacks.lobby.of_type("AWS::CloudWatch::Alarm") if each.get("Namespace") == NAMESPACE]
    watched = [(each["MetricName"], each["Dimensions"]) for each in ours if each["Dimensions"][0]["Name"] == "service"]
    found = {(metric, dimension["Value"]) for metric, [dimension] in watched}
    of_timers = {(metric, service) for metric, service in found if service in reported}
    assert of_timers == {
        *((f"Devices{what}", "sweeper") for what in ("Failed", "Refused", "Stuck", "Late")),
        ("DifferencesFound", "reconciler"),
        ("TargetsNotCompared", "reconciler"),
    }
    assert all(metric in reported[service] for metric, service in of_timers)


def test_lambdas_run_on_arm_in_aws_and_on_this_python_locally(stacks: Stacks, local_stacks: Stacks) -> None:
    def seen(found: Stacks) -> set[tuple[str, str]]:
        made = found.lobby.of_type("AWS::Lambda::Function")
        return {(each["Runtime"], each["Architectures"][0]) for each in made}

    assert seen(stacks) == {("python3.13", "arm64")}
    [(runtime, _)] = seen(local_stacks)
    assert runtime.startswith("python3.")


def test_no_custom_resource_comes_along(stacks: Stacks) -> None:
    for stack in stacks.all:
        kinds = {each["Type"] for each in stack.template["Resources"].values()}
        assert not {kind for kind in kinds if kind.startswith("Custom::") or "CustomResource" in kind}
    assert len(stacks.lobby.of_type("AWS::Lambda::Function")) == len(FUNCTIONS)


def test_a_waiting_device_may_say_hello_and_hear_of_itself(stacks: Stacks) -> None:
    policy = stacks.lobby.the("AWS::IoT::Policy", PolicyName="device-lobby-waiting")["PolicyDocument"]
    arn, thing = "arn:aws:iot:us-east-1:100000000001", "${iot:Connection.Thing.ThingName}"
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "iot:Connect",
            "Resource": f"{arn}:client/{thing}",
            "Condition": {"Bool": {"iot:Connection.Thing.IsAttached": "true"}},
        },
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": [f"{arn}:topic/$aws/rules/lobby"]},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": [f"{arn}:topicfilter/lobby/{thing}"]},
        {"Effect": "Allow", "Action": "iot:Receive", "Resource": [f"{arn}:topic/lobby/{thing}"]},
    ]


def test_the_trust_bucket_is_private_versioned_and_stays(stacks: Stacks) -> None:
    bucket = stacks.lobby.the("AWS::S3::Bucket", BucketName="device-lobby-trust-100000000001-us-east-1")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    assert _resource(stacks.lobby, bucket)["DeletionPolicy"] == "Retain"


def _resource(stack: Stack, properties: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = stack.template["Resources"][_logical_id(stack, properties)]
    return found


def test_nobody_can_take_an_anchor_out_of_the_notary_s_bucket_which_stays(stacks: Stacks) -> None:
    lobby = stacks.lobby
    bucket = lobby.the("AWS::S3::Bucket", BucketName="device-lobby-notary-100000000001-us-east-1")
    assert bucket["ObjectLockEnabled"]
    assert _retention(bucket) == {"Mode": "COMPLIANCE", "Days": 3650}
    assert bucket["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert "LifecycleConfiguration" not in bucket
    made = _resource(lobby, bucket)
    assert made["DeletionPolicy"] == made["UpdateReplacePolicy"] == "Retain"


def _retention(bucket: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    return found


def test_for_a_trial_the_anchors_are_kept_for_a_day() -> None:
    alone = cdk.Stack()
    make_bucket(alone, settings(anchorDays=1))
    [bucket] = Template.from_stack(alone).find_resources("AWS::S3::Bucket").values()
    assert _retention(bucket["Properties"]) == {"Mode": "COMPLIANCE", "Days": 1}


def test_queues_are_encrypted(stacks: Stacks) -> None:
    queues = {each["QueueName"]: each["SqsManagedSseEnabled"] for each in stacks.lobby.of_type("AWS::SQS::Queue")}
    assert queues == dict.fromkeys(
        (f"device-lobby-{each}" for each in ("undelivered", "uncommissioned", "arrivals", "arrivals-dead")), True
    )


def test_an_operator_is_told_of_failed_throttled_and_old_work(stacks: Stacks) -> None:
    alarms = {
        each["AlarmName"].removeprefix("device-lobby-") for each in stacks.lobby.of_type("AWS::CloudWatch::Alarm")
    }
    each_function = {f"{each.name}-{what}" for each in FUNCTIONS for what in ("errors", "throttles")}
    waiting = {f"{each}-waiting" for each in ("undelivered", "uncommissioned", "arrivals-dead")}
    devices = {f"devices-{what}" for what in ("failed", "refused", "stuck", "late")}
    targets = {"targets-differ", "targets-not-compared"}
    assert alarms == each_function | waiting | devices | targets | {
        "commissioner-behind",
        "arrivals-old",
        "api-errors",
        "history-tampered",
        "notary-behind",
    }
    for alarm in stacks.lobby.resolve(stacks.lobby.of_type("AWS::CloudWatch::Alarm")):
        assert alarm["AlarmActions"][0].startswith("<AlarmsTopic")
        assert alarm["TreatMissingData"] == "notBreaching"


def test_one_record_of_tampering_is_an_alarm_within_a_minute(stacks: Stacks) -> None:
    alarm = stacks.lobby.the("AWS::CloudWatch::Alarm", AlarmName="device-lobby-history-tampered")
    assert (alarm["Namespace"], alarm["MetricName"]) == (metrics.NAMESPACE, metrics.HISTORY_TAMPERED)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "notary"}]
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (0, 60, 1, "Sum")
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


def test_alarms_can_be_published_to_their_encrypted_topic(stacks: Stacks) -> None:
    topic = stacks.lobby.the("AWS::SNS::Topic", TopicName="device-lobby-alarms")
    assert stacks.lobby.resolve(topic["KmsMasterKeyId"]).startswith("<AlarmsKey")
    ours = {"StringEquals": {"aws:SourceAccount": "100000000001"}}
    of_key = stacks.lobby.of_type("AWS::KMS::Key")[0]["KeyPolicy"]["Statement"]
    of_topic = stacks.lobby.of_type("AWS::SNS::TopicPolicy")[0]["PolicyDocument"]["Statement"]
    allowed = [each for each in (*of_key, *of_topic) if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert [each["Condition"] for each in allowed] == [ours, ours]


def test_the_outputs_are_what_scripts_rely_on(stacks: Stacks, local_stacks: Stacks) -> None:
    wanted = {
        "GraphqlUrl",
        "UserPoolId",
        "UserPoolClientId",
        "ConsoleUrl",
        "CommissionerRoleArn",
        "ArrivalsQueueArn",
        "TrustBucket",
        "NotaryBucket",
        "ApiId",
    }
    assert local_stacks.lobby.template["Outputs"].keys() == wanted
    assert stacks.lobby.template["Outputs"].keys() == wanted | {"LoginUrl"}
