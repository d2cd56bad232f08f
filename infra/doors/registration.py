"""Just-in-time registration: a topic rule, a queue, and the bouncer that consumes the queue.

Each connection attempt of a device publishes the event again, so many devices cause several times as many events. They
wait in the queue. A few processes consume the queue, each with a share of AWS IoT's quota. SQS's rule action has no
message group, so the queue is a standard queue.
"""

from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import stack_names
from infra.parts import functions, topic_rules
from infra.parts.queues import Queues
from infra.settings import Settings
from lobby import wire

WORKERS: Final = 4
"""The number of processes that share the rate. A batch ends with its slowest device, so two processes would not use the
whole rate if AWS IoT took longer than 50 ms for a call."""
BATCH_SIZE: Final = 10
"""The largest batch without a batching window, which would delay a single device."""
_BATCH_SECONDS: Final = functions.BOUNCER.timeout / 2
"""How long the devices of a batch wait for their share of the rate: the run must end before its timeout."""


def environment(settings: Settings, queues: Queues) -> dict[str, str]:
    """Return the bouncer's settings for its queue: each process has an equal share of the rate."""
    return {
        "REGISTRATIONS_QUEUE": queues.registrations.queue_url,
        "UNDELIVERED_QUEUE": queues.undelivered.queue_url,
        "REGISTRATIONS_PER_SECOND": f"{settings.registration_rate / WORKERS:g}",
    }


def batch_size(rate: int) -> int:
    """Return the size of a batch at `rate` registrations per second: at a low rate, a full batch would take longer than
    the bouncer's timeout."""
    return min(BATCH_SIZE, 1 + int(_BATCH_SECONDS * rate / WORKERS))


def make_registration(
    scope: Construct, settings: Settings, bouncer: lambda_.Function, queues: Queues, role: iam.Role
) -> None:
    """Send events to the queue, and the queue's messages to the bouncer. `role` may send to the queues."""
    topic_rules.make_rule(
        scope,
        "RegisteredRule",
        stack_names.REGISTERED_RULE,
        wire.REGISTERED_SQL,
        "Sends the event of each registered certificate to the bouncer's queue",
        topic_rules.to_queue(queues.registrations, role),
        topic_rules.to_queue(queues.undelivered, role),
    )
    lambda_.CfnEventSourceMapping(
        scope,
        "RegistrationsToBouncer",
        event_source_arn=queues.registrations.queue_arn,
        function_name=bouncer.function_name,
        batch_size=batch_size(settings.registration_rate),
        maximum_batching_window_in_seconds=0,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=WORKERS),
    )
