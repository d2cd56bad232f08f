"""Alarms on event source mappings that no longer invoke their Lambda, for example because a mapping was disabled.

A Lambda that is not invoked has neither errors nor an iterator age, so its own metrics do not show the failure. Other
alarms detect a stopped mapping of the lanes and campaigns (no progress) and of arrivals (their age).
"""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from infra.monitoring.alarms import Alarms
from infra.parts.functions import BELL, SWEEPER
from lobby.aws.metrics import NAMESPACE

_PERIOD: Final = Duration.minutes(5)
_LONG: Final = Duration.minutes(15)
_OLD_MINUTES: Final = 5
_TOLERATED: Final = 2
"""The number of lanes that the sweeper may start in half an hour without an alarm, because a killed worker leaves
one."""


def watch_stream(alarms: Alarms, table: dynamodb.ITable, function: lambda_.Function, name: str) -> None:
    """Add an alarm for a Lambda that every write of a table must invoke, for writes in both of the last two periods.
    Each minute CloudWatch moves the periods by a minute, so between a write and its run one period ends: the run is in
    the next one. A single period would then raise the alarm (CloudWatch user guide, "Alarm evaluation window")."""
    written = table.metric_consumed_write_capacity_units(period=_LONG, statistic="sum")
    runs = function.metric_invocations(period=_LONG, statistic="sum")
    expression = "IF(FILL(written, 0) > 0 AND FILL(runs, 0) == 0, 1, 0)"
    description = f"{name} was not invoked for 15 minutes: see its event source mapping"
    _add(alarms, name, expression, {"written": written, "runs": runs}, _LONG, description, periods=2)


def watch_progress(alarms: Alarms, queue: sqs.Queue, name: str) -> None:
    """Add an alarm for a queue whose oldest message waits while none is processed. A long backlog that shrinks does not
    raise it."""
    oldest = queue.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="max")
    processed = queue.metric_number_of_messages_deleted(period=_PERIOD, statistic="sum")
    expression = f"IF(oldest > {_OLD_MINUTES * 60} AND FILL(processed, 0) == 0, 1, 0)"
    description = f"{name} have waited for over {_OLD_MINUTES} minutes and none is processed"
    _add(alarms, name, expression, {"oldest": oldest, "processed": processed}, _PERIOD, description)


def watch_queue(alarms: Alarms, queue: sqs.Queue, function: lambda_.Function, name: str) -> None:
    """Add an alarm for a queue with visible messages for 15 minutes in which its Lambda does not run. Messages that
    the Lambda keeps for a later attempt are not visible."""
    visible = queue.metric_approximate_number_of_messages_visible(period=_LONG, statistic="min")
    runs = function.metric_invocations(period=_LONG, statistic="sum")
    expression = "IF(FILL(visible, 0) > 0 AND FILL(runs, 0) == 0, 1, 0)"
    description = f"messages have waited for {name} for 15 minutes and it was not invoked: see its event source mapping"
    _add(alarms, name, expression, {"visible": visible, "runs": runs}, _LONG, description)


def watch_bell(alarms: Alarms) -> None:
    """Add an alarm for claims that the bell does not see. Not every write of the ledger invokes the bell, so the alarm
    counts the lanes that the sweeper starts in its place."""
    started = cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name="LanesStarted",
        dimensions_map={"service": SWEEPER.name},
        period=Duration.minutes(30),
        statistic="sum",
    )
    description = f"the sweeper starts lanes that {BELL.name} should have started: see its event source mapping"
    alarms.add(f"{BELL.name}-stopped", started, _TOLERATED, description)


def _add(
    alarms: Alarms,
    name: str,
    expression: str,
    metrics: dict[str, cloudwatch.IMetric],
    period: Duration,
    description: str,
    *,
    periods: int = 1,
) -> None:
    """Add an alarm on metric math, which the emulator does not have."""
    if not alarms.local:
        stopped = cloudwatch.MathExpression(expression=expression, using_metrics=metrics, period=period)
        alarms.add(f"{name}-stopped", stopped, 0, description, periods=periods)
