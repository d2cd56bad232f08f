"""The triggers of the lobby's functions (streams, queues, rules, schedules), their retries, and their on-failure
queues."""

import json
from datetime import timedelta
from typing import Any

import pytest

from commissioner.lambdas.reconciler import ROUND
from infra.parts.functions import BOUNCER, FUNCTIONS
from infra.parts.notary import WINDOW
from lobby import wire
from lobby.domain.history.history_audit import ANCHORED_WITHIN
from lobby.doors.registration_messages import ATTEMPTS
from lobby.ledger.leases import KEPT, LEASE
from tests.infra.templates import Stack, Stacks


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


@pytest.mark.parametrize(
    ("name", "function", "most"),
    [("lanes", "commissioner", 50), ("express", "express", 50), ("campaigns", "campaigns", 10)],
)
def test_each_lane_and_campaign_has_one_message_in_flight_and_no_message_is_discarded(
    stacks: Stacks, name: str, function: str, most: int
) -> None:
    queue = stacks.lobby.the("AWS::SQS::Queue", QueueName=f"device-lobby-{name}.fifo")
    assert (queue["FifoQueue"], queue["DeduplicationScope"], queue["FifoThroughputLimit"]) == (
        True,
        "messageGroup",
        "perMessageGroupId",
    )
    assert "RedrivePolicy" not in queue
    [timeout] = [each.timeout for each in FUNCTIONS if each.name == function]
    assert queue["VisibilityTimeout"] >= timeout
    mapping = stacks.lobby.the(
        "AWS::Lambda::EventSourceMapping",
        BatchSize=1,
        EventSourceArn={"Fn::GetAtt": [stacks.lobby.logical_id(queue), "Arn"]},
    )
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= most


def test_the_history_has_two_readers_that_are_invoked_until_they_succeed(stacks: Stacks) -> None:
    """A shard of a stream supports two readers (Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB")."""
    mappings = stacks.lobby.of_type("AWS::Lambda::EventSourceMapping")
    readers = [each for each in mappings if stacks.lobby.resolve(each["EventSourceArn"]).startswith("<HistoryTable")]
    assert len(readers) == 2
    for mapping in readers:
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BisectBatchOnFunctionError"]
        assert not {"MaximumRetryAttempts", "MaximumRecordAgeInSeconds"} & mapping.keys()


def test_every_change_of_the_history_invokes_the_notary(stacks: Stacks) -> None:
    mapping = _mapping(stacks.lobby, "Notary")
    assert "FilterCriteria" not in mapping
    assert mapping["MaximumBatchingWindowInSeconds"] == WINDOW
    assert timedelta(seconds=5 * WINDOW) < ANCHORED_WITHIN


def test_every_new_entry_invokes_the_publisher_within_seconds(stacks: Stacks) -> None:
    mapping = _mapping(stacks.lobby, "Publisher")
    [pattern] = mapping["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {"eventName": ["INSERT"]}
    assert mapping["MaximumBatchingWindowInSeconds"] <= 5
    assert stacks.lobby.the("AWS::Events::EventBus")["Name"] == "device-lobby"


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
        ("lobby_renewal", wire.RENEWAL_SQL, "<Renewer"),
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


def test_a_registration_is_repeated_and_then_goes_to_the_on_failure_queue(stacks: Stacks) -> None:
    queue = stacks.lobby.the("AWS::SQS::Queue", QueueName="device-lobby-registrations")
    assert queue["VisibilityTimeout"] == 6 * BOUNCER.timeout
    assert BOUNCER.timeout < LEASE.total_seconds() < queue["VisibilityTimeout"]
    assert queue["MessageRetentionPeriod"] < KEPT.total_seconds()
    redrive = stacks.lobby.resolve(queue["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].startswith("<Undelivered")
    assert redrive["maxReceiveCount"] > ATTEMPTS


def test_a_failed_rule_invocation_is_tried_three_times_and_sent_to_the_queue(stacks: Stacks) -> None:
    configs = stacks.lobby.resolve(stacks.lobby.of_type("AWS::Lambda::EventInvokeConfig"))
    handed_over = [each for each in configs if each["FunctionName"][1:7] in ("Recept", "Renewe", "Connec", "Publis")]
    assert len(handed_over) == 4
    for each in handed_over:
        assert each["MaximumRetryAttempts"] == 2
        assert each["DestinationConfig"]["OnFailure"]["Destination"].startswith("<Undelivered")


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


@pytest.mark.parametrize(
    ("notice", "pattern"),
    [
        ("waiting", {"detail-type": ["device.hello"], "detail": {"after": ["inlobby"]}}),
        ("failed", {"detail-type": ["device.fail"]}),
        ("refused", {"detail-type": ["device.refuse"]}),
    ],
)
def test_a_rule_of_the_bus_sends_a_sentence_to_the_topic_of_notices(
    stacks: Stacks, notice: str, pattern: dict[str, Any]
) -> None:
    rule = stacks.lobby.resolve(stacks.lobby.the("AWS::Events::Rule", Name=f"device-lobby-notice-{notice}"))
    assert (rule["EventBusName"], rule["EventPattern"]) == ("device-lobby", {"source": ["device-lobby"], **pattern})
    [target] = rule["Targets"]
    assert target["Arn"].startswith("<NoticesTopic")
    paths = target["InputTransformer"]["InputPathsMap"]
    filled = target["InputTransformer"]["InputTemplate"]
    for name in paths:
        filled = filled.replace(f"<{name}>", "value")
    assert json.loads(filled)["notice"] == notice
    assert "<" not in filled


def test_eventbridge_may_publish_notices_without_a_condition_which_it_does_not_support(stacks: Stacks) -> None:
    policies = stacks.lobby.resolve(stacks.lobby.of_type("AWS::SNS::TopicPolicy"))
    allowed = [
        each
        for policy in policies
        for each in policy["PolicyDocument"]["Statement"]
        if each["Principal"] == {"Service": "events.amazonaws.com"}
    ]
    [statement] = allowed
    assert statement["Action"] == "sns:Publish"
    assert statement["Resource"].startswith("<NoticesTopic")
    assert "Condition" not in statement


def test_the_api_subscribes_only_addresses_to_notices(stacks: Stacks) -> None:
    [statement] = [each for each in stacks.lobby.statements if "sns:Subscribe" in each.actions]
    assert statement.role == "device-lobby-admin-api"
    assert statement.condition == {"StringEquals": {"sns:Protocol": "email"}}
