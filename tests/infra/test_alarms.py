"""The lobby's alarms and their topic."""

from commissioner.lambdas.sweeper import SweepResult
from commissioner.reconciliation.daily_round import ReconcileResult
from commissioner.reconciliation.renewal_round import RenewalCounts
from infra.parts.functions import FUNCTIONS
from lobby.aws import metrics
from lobby.aws.metrics import NAMESPACE
from tests.infra.templates import Stacks


def test_metrics_of_scheduled_functions_have_alarms_with_their_names(stacks: Stacks) -> None:
    renewals = {**RenewalCounts().numbers(), "AuthoritiesExpiring": 0}
    reported = {"sweeper": SweepResult().numbers(), "reconciler": {**ReconcileResult().numbers(), **renewals}}
    ours = [each for each in stacks.lobby.of_type("AWS::CloudWatch::Alarm") if each.get("Namespace") == NAMESPACE]
    watched = [(each["MetricName"], each["Dimensions"]) for each in ours if each["Dimensions"][0]["Name"] == "service"]
    found = {(metric, dimension["Value"]) for metric, [dimension] in watched}
    of_timers = {(metric, service) for metric, service in found if service in reported}
    assert of_timers == {
        *((f"Devices{what}", "sweeper") for what in ("Failed", "Refused", "Late")),
        ("LanesStuck", "sweeper"),
        ("LanesStarted", "sweeper"),
        ("CampaignsStuck", "sweeper"),
        ("DifferencesFound", "reconciler"),
        ("TargetsNotCompared", "reconciler"),
        ("RenewalsOverdue", "reconciler"),
        ("AuthoritiesExpiring", "reconciler"),
        ("CertificatesExpiring", "reconciler"),
    }
    assert all(metric in reported[service] for metric, service in of_timers)


def test_failed_throttled_and_delayed_work_has_alarms(stacks: Stacks) -> None:
    alarms = {
        each["AlarmName"].removeprefix("device-lobby-") for each in stacks.lobby.of_type("AWS::CloudWatch::Alarm")
    }
    each_function = {f"{each.name}-{what}" for each in FUNCTIONS for what in ("errors", "throttles")}
    waiting = {f"{each}-waiting" for each in ("undelivered", "uncommissioned", "arrivals-dead")}
    devices = {f"devices-{what}" for what in ("failed", "refused", "late")} | {"lanes-stuck", "campaigns-stuck"}
    targets = {"targets-differ", "targets-not-compared", "events-undelivered", "webhooks-disabled"}
    assert alarms == each_function | waiting | devices | targets | {
        "renewals-overdue",
        "authorities-expiring",
        "certificates-expiring",
        "bell-behind",
        "bell-stopped",
        "marker-stopped",
        "courier-stopped",
        "arrivals-old",
        "registrations-stopped",
        "notary-stopped",
        "publisher-stopped",
        "sweeper-stopped",
        "reconciler-stopped",
        "registrar-stopped",
        "claim-certificates-expiring",
        "arrivals-rejected",
        "claims-limited",
        "tokens-refused",
        "api-errors",
        "history-tampered",
        "notary-behind",
        "publisher-behind",
    }
    for alarm in stacks.lobby.resolve(stacks.lobby.of_type("AWS::CloudWatch::Alarm")):
        assert alarm["AlarmActions"][0].startswith("<AlarmsTopic")
        assert (alarm["TreatMissingData"] == "breaching") is (alarm.get("Namespace") == "AWS/Events")


def test_a_schedule_that_no_longer_runs_raises_an_alarm(stacks: Stacks) -> None:
    for name, schedule, minutes in (("sweeper", "rate(5 minutes)", 15), ("reconciler", "rate(15 minutes)", 60)):
        alarm = stacks.lobby.the("AWS::CloudWatch::Alarm", AlarmName=f"device-lobby-{name}-stopped")
        rule = stacks.lobby.the("AWS::Events::Rule", Name=f"device-lobby-{name}")
        assert rule["ScheduleExpression"] == schedule
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Period"]) == ("AWS/Events", "Invocations", minutes * 60)
        assert alarm["Dimensions"] == [{"Name": "RuleName", "Value": rule["Name"]}]
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "LessThanThreshold")


def test_a_queue_or_a_stream_that_is_no_longer_processed_raises_an_alarm(stacks: Stacks) -> None:
    expressions = {}
    for name in ("registrations", "notary", "publisher", "marker", "courier"):
        alarm = stacks.lobby.the("AWS::CloudWatch::Alarm", AlarmName=f"device-lobby-{name}-stopped")
        metrics_of = {each["Id"]: each for each in alarm["Metrics"] if "MetricStat" in each}
        [result] = [each for each in alarm["Metrics"] if "Expression" in each]
        expressions[name] = (
            result["Expression"],
            {key: each["MetricStat"]["Metric"]["MetricName"] for key, each in metrics_of.items()},
        )
    assert expressions == {
        "registrations": (
            "IF(oldest > 300 AND FILL(processed, 0) == 0, 1, 0)",
            {"oldest": "ApproximateAgeOfOldestMessage", "processed": "NumberOfMessagesDeleted"},
        ),
        **dict.fromkeys(
            ("notary", "publisher"),
            (
                "IF(FILL(written, 0) > 0 AND FILL(runs, 0) == 0, 1, 0)",
                {"written": "ConsumedWriteCapacityUnits", "runs": "Invocations"},
            ),
        ),
        **dict.fromkeys(
            ("marker", "courier"),
            (
                "IF(FILL(visible, 0) > 0 AND FILL(runs, 0) == 0, 1, 0)",
                {"visible": "ApproximateNumberOfMessagesVisible", "runs": "Invocations"},
            ),
        ),
    }


def test_a_run_that_follows_its_write_in_the_next_period_raises_no_alarm(stacks: Stacks) -> None:
    """A healthy Lambda runs in the period of a write or in the next one, so two periods in a row are never without a
    run."""
    for name in ("notary", "publisher"):
        alarm = stacks.lobby.the("AWS::CloudWatch::Alarm", AlarmName=f"device-lobby-{name}-stopped")
        assert (alarm["EvaluationPeriods"], alarm.get("DatapointsToAlarm", 2)) == (2, 2)
        assert [each["MetricStat"]["Period"] for each in alarm["Metrics"] if "MetricStat" in each] == [900, 900]


def test_lanes_that_the_sweeper_must_start_repeatedly_raise_an_alarm(stacks: Stacks) -> None:
    alarm = stacks.lobby.the("AWS::CloudWatch::Alarm", AlarmName="device-lobby-bell-stopped")
    assert (alarm["MetricName"], alarm["Period"], alarm["Threshold"]) == ("LanesStarted", 1800, 2)


def test_alarms_on_metric_math_are_left_out_of_the_emulator(local_stacks: Stacks) -> None:
    assert not [each for each in local_stacks.lobby.of_type("AWS::CloudWatch::Alarm") if "Metrics" in each]


def test_one_tampering_metric_raises_an_alarm_in_its_minute(stacks: Stacks) -> None:
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
    key = stacks.lobby.the("AWS::KMS::Key", Description="Device Lobby: encrypts alarm notifications")
    of_key = key["KeyPolicy"]["Statement"]
    policies = stacks.lobby.of_type("AWS::SNS::TopicPolicy")
    of_topics = [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]
    allowed = [each for each in (*of_key, *of_topics) if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert [each["Condition"] for each in allowed] == [ours, ours]
