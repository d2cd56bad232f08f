"""The lobby's alarms and their topic."""

from commissioner.daily_reconciliation import ReconcileResult
from commissioner.lambdas.sweeper import SweepResult
from infra.functions import FUNCTIONS
from lobby.aws import metrics
from lobby.aws.metrics import NAMESPACE
from tests.infra.templates import Stacks


def test_metrics_of_scheduled_functions_have_alarms_with_their_names(stacks: Stacks) -> None:
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


def test_failed_throttled_and_delayed_work_has_alarms(stacks: Stacks) -> None:
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
        "registrations-stopped",
        "arrivals-rejected",
        "api-errors",
        "history-tampered",
        "notary-behind",
    }
    for alarm in stacks.lobby.resolve(stacks.lobby.of_type("AWS::CloudWatch::Alarm")):
        assert alarm["AlarmActions"][0].startswith("<AlarmsTopic")
        assert alarm["TreatMissingData"] == "notBreaching"


def test_one_tampering_metric_raises_an_alarm_within_a_minute(stacks: Stacks) -> None:
    alarm = stacks.lobby.the("AWS::CloudWatch::Alarm", AlarmName="device-lobby-history-tampered")
    assert (alarm["Namespace"], alarm["MetricName"]) == (metrics.NAMESPACE, metrics.HISTORY_TAMPERED)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "notary"}]
    assert (alarm["Threshold"], alarm["Period"], alarm["EvaluationPeriods"], alarm["Statistic"]) == (0, 60, 1, "Sum")
    assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


def test_a_forged_message_in_the_arrivals_queue_raises_an_alarm(stacks: Stacks) -> None:
    alarm = stacks.lobby.the("AWS::CloudWatch::Alarm", AlarmName="device-lobby-arrivals-rejected")
    assert (alarm["Namespace"], alarm["MetricName"]) == (metrics.NAMESPACE, metrics.ARRIVALS_REJECTED)
    assert alarm["Dimensions"] == [{"Name": "service", "Value": "arrivals"}]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_alarms_can_be_published_to_their_encrypted_topic(stacks: Stacks) -> None:
    topic = stacks.lobby.the("AWS::SNS::Topic", TopicName="device-lobby-alarms")
    assert stacks.lobby.resolve(topic["KmsMasterKeyId"]).startswith("<AlarmsKey")
    ours = {"StringEquals": {"aws:SourceAccount": "100000000001"}}
    of_key = stacks.lobby.of_type("AWS::KMS::Key")[0]["KeyPolicy"]["Statement"]
    of_topic = stacks.lobby.of_type("AWS::SNS::TopicPolicy")[0]["PolicyDocument"]["Statement"]
    allowed = [each for each in (*of_key, *of_topic) if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert [each["Condition"] for each in allowed] == [ours, ours]
