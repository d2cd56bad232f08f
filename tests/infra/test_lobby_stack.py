"""The lobby's stack: functions, triggers, rules, queues and outputs."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from commissioner.lambdas.reconciler import ROUND
from infra.functions import BOUNCER, FUNCTIONS
from infra.notary import WINDOW
from lobby import wire
from lobby.domain.history_audit import ANCHORED_WITHIN
from lobby.doors.registration_messages import ATTEMPTS
from lobby.ledger.leases import KEPT, LEASE
from tests.infra.templates import Stack, Stacks, settings, synthesized


def _mapping(stack: Stack, function: str) -> dict[str, Any]:
    """Return the event source mapping of a function."""
    found = stack.of_type("AWS::Lambda::EventSourceMapping")
    [mapping] = [each for each in found if stack.resolve(each["FunctionName"]).startswith(f"<{function}")]
    return mapping


def test_only_rows_with_work_for_the_commissioner_invoke_it(stacks: Stacks) -> None:
    mapping = _mapping(stacks.lobby, "Bell")
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert stacks.lobby.resolve(mapping["EventSourceArn"]).startswith("<LedgerTable")
    [filtered] = mapping["FilterCriteria"]["Filters"]
    assert json.loads(filtered["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"turn": {"S": [{"prefix": "commissioner"}]}}},
    }


def test_a_failed_claim_is_retried_alone_for_hours_and_then_sent_to_the_queue(stacks: Stacks) -> None:
    mapping = _mapping(stacks.lobby, "Bell")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"]
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (100, 4 * 3600)
    assert (mapping.get("ParallelizationFactor", 1), mapping["BatchSize"]) == (1, 100)
    failures = stacks.lobby.resolve(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    assert failures.startswith("<Uncommissioned")


@pytest.mark.parametrize("name", ["lanes", "express"])
def test_each_lane_has_one_message_in_flight_and_no_message_is_given_up(stacks: Stacks, name: str) -> None:
    queue = stacks.lobby.the("AWS::SQS::Queue", QueueName=f"device-lobby-{name}.fifo")
    assert (queue["FifoQueue"], queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == (
        True,
        "messageGroup",
        "perMessageGroupId",
    )
    assert "RedrivePolicy" not in queue
    [timeout] = [each.timeout for each in FUNCTIONS if each.name == "commissioner"]
    assert queue["VisibilityTimeout"] >= timeout
    mapping = stacks.lobby.the(
        "AWS::Lambda::EventSourceMapping",
        BatchSize=1,
        EventSourceArn={"Fn::GetAtt": [stacks.lobby.logical_id(queue), "Arn"]},
    )
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 50


def test_every_change_of_the_history_invokes_the_notary_until_it_succeeds(stacks: Stacks) -> None:
    """Tampering at once, and new entries together."""
    seen: dict[str, int] = {}
    for mapping in stacks.lobby.of_type("AWS::Lambda::EventSourceMapping"):
        if not stacks.lobby.resolve(mapping["EventSourceArn"]).startswith("<HistoryTable"):
            continue
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert not {"MaximumRetryAttempts", "MaximumRecordAgeInSeconds"} & mapping.keys()
        [pattern] = mapping["FilterCriteria"]["Filters"]
        events = json.loads(pattern["Pattern"])
        assert events.keys() == {"eventName"}
        seen |= dict.fromkeys(events["eventName"], mapping["MaximumBatchingWindowInSeconds"])
    assert seen == {"INSERT": WINDOW, "MODIFY": 0, "REMOVE": 0}
    assert timedelta(seconds=5 * WINDOW) < ANCHORED_WITHIN


def test_an_arrival_that_fails_five_times_goes_to_the_dead_letter_queue(stacks: Stacks) -> None:
    queue = stacks.lobby.the("AWS::SQS::Queue", QueueName="device-lobby-arrivals")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5
    [timeout] = [each.timeout for each in FUNCTIONS if each.name == "arrivals"]
    assert queue["VisibilityTimeout"] >= 6 * timeout
    mapping = stacks.lobby.the(
        "AWS::Lambda::EventSourceMapping",
        BatchSize=10,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        EventSourceArn={"Fn::GetAtt": [stacks.lobby.logical_id(queue), "Arn"]},
    )
    assert mapping


def test_a_confirmation_of_an_unknown_topic_is_tried_again_until_its_token_expires(stacks: Stacks) -> None:
    queue = stacks.lobby.the("AWS::SQS::Queue", QueueName="device-lobby-unconfirmed")
    assert (queue["MessageRetentionPeriod"], queue["VisibilityTimeout"]) == (3 * 86_400, 600)
    assert "RedrivePolicy" not in queue
    mapping = stacks.lobby.the(
        "AWS::Lambda::EventSourceMapping",
        EventSourceArn={"Fn::GetAtt": [stacks.lobby.logical_id(queue), "Arn"]},
    )
    assert stacks.lobby.resolve(mapping["FunctionName"]).startswith("<Arrivals")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 2}


@pytest.mark.parametrize(
    ("name", "sql", "destination"),
    [
        ("lobby", wire.HELLO_SQL, "<Receptionist"),
        ("device_lobby_registered", wire.REGISTERED_SQL, "<Registrations"),
        ("device_lobby_connections", wire.CONNECTIONS_SQL, "<Connections"),
    ],
)
def test_a_rule_has_the_sql_of_wire(stacks: Stacks, name: str, sql: str, destination: str) -> None:
    payload = stacks.lobby.the("AWS::IoT::TopicRule", RuleName=name)["TopicRulePayload"]
    assert (payload["Sql"], payload["AwsIotSqlVersion"], payload["RuleDisabled"]) == (sql, "2016-03-23", False)
    [action] = stacks.lobby.resolve(payload["Actions"])
    [sent_to] = [parts.get("FunctionArn") or parts["QueueUrl"] for parts in action.values()]
    assert sent_to.startswith(destination)
    assert stacks.lobby.resolve(payload["ErrorAction"])["Sqs"]["QueueUrl"].startswith("<Undelivered")


def test_a_burst_of_registrations_is_processed_by_few_processes_that_share_the_quota(stacks: Stacks) -> None:
    mapping = _mapping(stacks.lobby, "Bouncer")
    assert stacks.lobby.resolve(mapping["EventSourceArn"]).startswith("<Registrations")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (10, 0)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 4}
    bouncer = stacks.lobby.the("AWS::Lambda::Function", FunctionName="device-lobby-bouncer")
    assert float(bouncer["Environment"]["Variables"]["REGISTRATIONS_PER_SECOND"]) * 4 == 10


def test_a_registration_outlives_its_runs_and_then_goes_to_the_on_failure_queue(stacks: Stacks) -> None:
    queue = stacks.lobby.the("AWS::SQS::Queue", QueueName="device-lobby-registrations")
    assert queue["VisibilityTimeout"] == 6 * BOUNCER.timeout
    assert BOUNCER.timeout < LEASE.total_seconds() < queue["VisibilityTimeout"]
    assert queue["MessageRetentionPeriod"] < KEPT.total_seconds()
    redrive = stacks.lobby.resolve(queue["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].startswith("<Undelivered")
    assert redrive["maxReceiveCount"] > ATTEMPTS


def test_a_failed_rule_invocation_is_tried_three_times_and_sent_to_the_queue(stacks: Stacks) -> None:
    configs = stacks.lobby.resolve(stacks.lobby.of_type("AWS::Lambda::EventInvokeConfig"))
    handed_over = [each for each in configs if each["FunctionName"][1:7] in ("Recept", "Connec")]
    assert len(handed_over) == 2
    for each in handed_over:
        assert each["MaximumRetryAttempts"] == 2
        assert each["DestinationConfig"]["OnFailure"]["Destination"].startswith("<Undelivered")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda each: each.name)
def test_every_lambda_logs_json_to_a_group_with_retention(stacks: Stacks, function: Any) -> None:
    made = stacks.lobby.the("AWS::Lambda::Function", FunctionName=function.full_name)
    group = stacks.lobby.the("AWS::Logs::LogGroup", LogGroupName=f"/aws/lambda/{function.full_name}")
    assert group["RetentionInDays"] == 30
    logging = {"LogFormat": "JSON", "SystemLogLevel": "WARN", "LogGroup": {"Ref": stacks.lobby.logical_id(group)}}
    assert made["LoggingConfig"] == logging
    assert made["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == function.name
    assert made["Handler"] == function.handler
    assert "TracingConfig" not in made


def test_lambdas_have_only_the_settings_that_they_need(stacks: Stacks) -> None:
    reported = {
        each["FunctionName"].removeprefix("device-lobby-"): each["Environment"]["Variables"].keys()
        - {"POWERTOOLS_SERVICE_NAME"}
        for each in stacks.lobby.of_type("AWS::Lambda::Function")
    }
    assert reported == {
        "bouncer": {
            "LOBBY_POLICY",
            "TRUST_BUCKET",
            "REGISTRATIONS_QUEUE",
            "UNDELIVERED_QUEUE",
            "REGISTRATIONS_PER_SECOND",
        },
        "receptionist": set(),
        "connections": set(),
        "bell": {"LANES_QUEUE", "EXPRESS_QUEUE"},
        "commissioner": {"UNCOMMISSIONED_QUEUE", "LANES_QUEUE", "EXPRESS_QUEUE", "LOBBY", "LEFT_THINGS"},
        "express": {"UNCOMMISSIONED_QUEUE", "LANES_QUEUE", "EXPRESS_QUEUE", "LOBBY", "LEFT_THINGS"},
        "surveyor": {"LOBBY", "ARRIVALS_QUEUE", "LEFT_THINGS"},
        "marker": {"LOBBY"},
        "inspector": set(),
        "sweeper": {"TRUST_BUCKET", "LANES_QUEUE"},
        "reconciler": {"INSPECTOR_FUNCTION"},
        "arrivals": {"UNCONFIRMED_QUEUE", "MARKS_QUEUE"},
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
        "pages": {"USER_POOL_ID", "USER_POOL_CLIENT_ID", "LOGIN_URL"},
    }


def test_functions_that_enter_targets_use_the_role_of_the_commissioner(stacks: Stacks) -> None:
    functions = {each["FunctionName"]: each["Role"] for each in stacks.lobby.of_type("AWS::Lambda::Function")}
    for name in ("express", "surveyor", "inspector", "marker"):
        assert functions[f"device-lobby-{name}"] == functions["device-lobby-commissioner"]
    assert len({str(role) for role in functions.values()}) == len(functions) - 4


@pytest.mark.parametrize(
    ("name", "schedule", "event"),
    [
        ("sweeper", "rate(5 minutes)", {"sweep": "all"}),
        ("reconciler", "rate(15 minutes)", ROUND),
    ],
)
def test_a_schedule_invokes_its_lambda_and_a_failed_run_is_not_retried(
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


def test_lambdas_run_on_arm_in_aws_and_on_this_python_locally(stacks: Stacks, local_stacks: Stacks) -> None:
    def seen(found: Stacks) -> set[tuple[str, str]]:
        made = found.lobby.of_type("AWS::Lambda::Function")
        return {(each["Runtime"], each["Architectures"][0]) for each in made}

    assert seen(stacks) == {("python3.13", "arm64")}
    [(runtime, _)] = seen(local_stacks)
    assert runtime.startswith("python3.")


def test_no_function_runs_before_its_tables_and_indexes_exist(stacks: Stacks) -> None:
    resources = stacks.lobby.template["Resources"]
    tables = {name for name, each in resources.items() if each["Type"] == "AWS::DynamoDB::GlobalTable"}
    waits = [set(each["DependsOn"]) for each in resources.values() if each["Type"] == "AWS::Lambda::Function"]
    assert len(waits) == len(FUNCTIONS)
    assert [tables - each for each in waits] == [set()] * len(waits)


def test_there_are_no_custom_resources(stacks: Stacks) -> None:
    for stack in stacks.all:
        kinds = {each["Type"] for each in stack.template["Resources"].values()}
        assert not {kind for kind in kinds if kind.startswith("Custom::") or "CustomResource" in kind}
    assert len(stacks.lobby.of_type("AWS::Lambda::Function")) == len(FUNCTIONS)


def test_a_waiting_device_can_publish_hellos_and_subscribe_to_its_topic(stacks: Stacks) -> None:
    policy = stacks.lobby.the("AWS::IoT::Policy", PolicyName="device-lobby-waiting")["PolicyDocument"]
    arn, thing = "arn:aws:iot:us-east-1:100000000001", "${iot:Connection.Thing.ThingName}"
    attached = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    assert {each["Action"]: (each["Resource"], each.get("Condition")) for each in policy["Statement"]} == {
        "iot:Connect": (f"{arn}:client/{thing}", attached),
        "iot:Publish": (f"{arn}:topic/$aws/rules/lobby", None),
        "iot:Subscribe": (f"{arn}:topicfilter/lobby/{thing}", None),
        "iot:Receive": (f"{arn}:topic/lobby/{thing}", None),
    }
    assert {each["Effect"] for each in policy["Statement"]} == {"Allow"}


def test_queues_are_encrypted(stacks: Stacks) -> None:
    queues = {each["QueueName"]: each["SqsManagedSseEnabled"] for each in stacks.lobby.of_type("AWS::SQS::Queue")}
    plain = ("registrations", "undelivered", "uncommissioned", "arrivals", "arrivals-dead", "unconfirmed", "marks")
    names = (*plain, "lanes.fifo", "express.fifo")
    assert queues == dict.fromkeys((f"device-lobby-{each}" for each in names), True)


def test_lambdas_publish_to_the_endpoint_of_the_account_and_a_domain_is_in_front_of_it(tmp_path: Path) -> None:
    certificate = "arn:aws:acm:us-east-1:100000000001:certificate/12345678-1234-1234-1234-123456789012"
    own = {"dataEndpoint": "abc-ats.iot.us-east-1.amazonaws.com"}
    domain = {"domain": "lobby.example.com", "domainCertificate": certificate}
    stack = synthesized(settings(targets=[], **own, **domain), tmp_path, nag=True).lobby
    endpoints = {
        each["FunctionName"].removeprefix("device-lobby-"): each["Environment"]["Variables"].get("IOT_DATA_ENDPOINT")
        for each in stack.of_type("AWS::Lambda::Function")
    }
    publishing = {"receptionist", "commissioner", "express", "sweeper"}
    assert {name for name, endpoint in endpoints.items() if endpoint == own["dataEndpoint"]} == publishing
    configured = stack.the("AWS::IoT::DomainConfiguration")
    assert (configured["DomainName"], configured["ServerCertificateArns"]) == ("lobby.example.com", [certificate])
    assert stack.template["Outputs"]["LobbyEndpoint"]["Value"] == "lobby.example.com"


def test_the_stack_has_the_outputs_that_scripts_use(stacks: Stacks, local_stacks: Stacks) -> None:
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


def test_aws_iot_logs_its_errors_with_the_retention_of_all_logs(stacks: Stacks) -> None:
    logging = stacks.lobby.the("AWS::IoT::Logging")
    assert (logging["AccountId"], logging["DefaultLogLevel"]) == ("100000000001", "ERROR")
    assert stacks.lobby.the("AWS::Logs::LogGroup", LogGroupName="AWSIotLogsV2")["RetentionInDays"] == 30


def test_the_local_cloud_has_no_aws_iot_logs(tmp_path: Path) -> None:
    local = synthesized(settings(local=True, targets=[]), tmp_path).lobby
    assert local.of_type("AWS::IoT::Logging") == []
    assert not [each for each in local.of_type("AWS::Logs::LogGroup") if each["LogGroupName"] == "AWSIotLogsV2"]
