"""The triggers of the commissioner's functions: the ledger's stream, the queues of the lanes, and the reports of
targets. Each function reports the failed items of a batch, so that the others are not repeated.
"""

import json
from typing import Final

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.parts.queues import Queues
from lobby.domain.lanes.lane import UNSORTED

_HOUR: Final = 3600
ROWS_BATCH: Final = 100
"""Rows in a batch of the bell. One batch of a shard at a time is enough, because the bell needs milliseconds."""
_LANE_WORKERS: Final = 100
"""Lanes that are processed at the same time. A worker ends after 40 s, so that another lane can start."""
_EXPRESS_WORKERS: Final = 50
_MARKS_WINDOW: Final = 2
"""Seconds for which marks are collected. A device that has fallen back returns to its target after 7.5 s or more."""

mapping = lambda_.CfnEventSourceMapping


def rows_to(scope: Construct, bell: lambda_.Function, stream: str, queues: Queues) -> None:
    """Filter the stream for rows with work for the commissioner, so that hellos do not invoke the bell. The prefix also
    matches the rows of earlier versions."""
    pattern = {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"turn": {"S": [{"prefix": UNSORTED}]}}},
    }
    mapping(
        scope,
        "ClaimsToCommissioner",
        event_source_arn=stream,
        function_name=bell.function_name,
        starting_position="TRIM_HORIZON",
        batch_size=ROWS_BATCH,
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=100,
        maximum_record_age_in_seconds=4 * _HOUR,
        function_response_types=["ReportBatchItemFailures"],
        filter_criteria=mapping.FilterCriteriaProperty(
            filters=[mapping.FilterProperty(pattern=json.dumps(pattern, separators=(",", ":")))]
        ),
        destination_config=mapping.DestinationConfigProperty(
            on_failure=mapping.OnFailureProperty(destination=queues.uncommissioned.queue_arn)
        ),
    )


def lanes_to(scope: Construct, commissioner: lambda_.Function, express: lambda_.Function, queues: Queues) -> None:
    """Start a worker for each message. The express queue has its own mapping and function, so that a single claim does
    not wait for busy workers of bulk claims, and needs no new environment while an express one is free."""
    for construct_id, queue, function, workers in (
        ("LanesToCommissioner", queues.lanes, commissioner, _LANE_WORKERS),
        ("ExpressToCommissioner", queues.express, express, _EXPRESS_WORKERS),
    ):
        mapping(
            scope,
            construct_id,
            event_source_arn=queue.queue_arn,
            function_name=function.function_name,
            batch_size=1,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=mapping.ScalingConfigProperty(maximum_concurrency=workers),
        )


def reports_to(scope: Construct, arrivals: lambda_.Function, queues: Queues) -> None:
    """Send the reports of targets, and the stored confirmations of their topics, to the arrivals function. Its
    concurrency is limited, because after an outage of a Region all its devices report, and the other functions also
    need concurrency."""
    for construct_id, queue, concurrency in (
        ("ArrivalsToFunction", queues.arrivals, 10),
        ("UnconfirmedToFunction", queues.unconfirmed, 2),
    ):
        mapping(
            scope,
            construct_id,
            event_source_arn=queue.queue_arn,
            function_name=arrivals.function_name,
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=mapping.ScalingConfigProperty(maximum_concurrency=concurrency),
        )


def marks_to(scope: Construct, marker: lambda_.Function, queues: Queues) -> None:
    """Send marks to the marker, few at a time."""
    mapping(
        scope,
        "MarksToMarker",
        event_source_arn=queues.marks.queue_arn,
        function_name=marker.function_name,
        batch_size=100,
        maximum_batching_window_in_seconds=_MARKS_WINDOW,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=mapping.ScalingConfigProperty(maximum_concurrency=2),
    )


def failures_to(scope: Construct, construct_id: str, function: lambda_.Function, queue: sqs.Queue) -> None:
    """Retry asynchronous events of the function twice, within six hours, then send them to the queue."""
    lambda_.CfnEventInvokeConfig(
        scope,
        construct_id,
        function_name=function.function_name,
        qualifier="$LATEST",
        maximum_retry_attempts=2,
        maximum_event_age_in_seconds=6 * _HOUR,
        destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
            on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=queue.queue_arn)
        ),
    )
