"""The lobby's queues: registrations, arrivals from the targets, the messages of lanes and campaigns, and an on-failure
queue for each type of failed work.

All are encrypted with SQS's keys and reject plain HTTP. Arrivals come from topics of accounts and Regions that are
registered later, so the queue accepts any topic with the fixed name; the arrivals Lambda confirms and processes only
those of registered targets.
"""

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.parts import functions, permissions
from infra.settings import Settings
from lobby.contracts.campaign_tokens import QUEUE as CAMPAIGNS
from lobby.contracts.lane_tokens import EXPRESS, TOKENS

_KEPT = Duration.days(14)
_TOKEN_VALID = Duration.days(3)
"""The validity of the token in a confirmation (SNS API reference, ConfirmSubscription)."""
_UNCONFIRMED_RETRY = Duration.minutes(10)
_MARK_VALID = Duration.hours(1)
"""Short, because a lost mark is sent again at the device's next connection."""
_MAX_RECEIVE = 5
_REGISTRATIONS_MAX_RECEIVE = 12
"""More than the bouncer's own attempts, after which the bouncer moves the message and adds the reason. So this limit
applies only to messages whose runs crashed."""
_MOST = 1000
"""The maximum that SQS permits. In a lobby with several Regions, messages are tried again while no Region may write,
which can take hours."""


@dataclass(frozen=True)
class Queues:
    registrations: sqs.Queue
    """Events of just-in-time registration for the bouncer."""
    undelivered: sqs.Queue
    """Rule errors, registrations that the bouncer failed to process, and events that another Lambda of the device side
    failed to process three times."""
    uncommissioned: sqs.Queue
    """Rows that the commissioner cannot process, and positions in the ledger's stream where the bell failed after all
    retries."""
    lanes: sqs.Queue
    """One token in progress for each lane in which rows wait. Without a dead-letter queue: a token is delivered again
    until its lane is empty."""
    express: sqs.Queue
    """Announcements of single claims. Also without a dead-letter queue."""
    campaigns: sqs.Queue
    """One token in progress for each campaign. Without a dead-letter queue: a token is delivered again until its
    campaign is complete."""
    arrivals: sqs.Queue
    arrivals_dead: sqs.Queue
    unconfirmed: sqs.Queue
    """Subscription confirmations of topics that no registered target has. They are retried until they expire."""
    marks: sqs.Queue
    """Things in targets to mark as arrived or as awaited."""

    @property
    def of_failures(self) -> tuple[sqs.Queue, ...]:
        return self.undelivered, self.uncommissioned, self.arrivals_dead


def make_queues(scope: Construct, settings: Settings) -> Queues:
    several = bool(settings.regions)
    dead = _queue(scope, "ArrivalsDead", permissions.ARRIVALS_DEAD)
    arrivals = _arrivals_queue(scope, dead, _MOST if several else _MAX_RECEIVE)
    undelivered = _queue(scope, "Undelivered", permissions.UNDELIVERED)
    return Queues(
        registrations=_registrations_queue(scope, undelivered, _MOST if several else _REGISTRATIONS_MAX_RECEIVE),
        undelivered=undelivered,
        uncommissioned=_queue(scope, "Uncommissioned", permissions.UNCOMMISSIONED),
        lanes=_lane_queue(scope, "Lanes", TOKENS),
        express=_lane_queue(scope, "Express", EXPRESS),
        campaigns=_lane_queue(scope, "Campaigns", CAMPAIGNS, functions.CAMPAIGNS.timeout),
        arrivals=arrivals,
        arrivals_dead=dead,
        unconfirmed=_queue(
            scope,
            "Unconfirmed",
            permissions.UNCONFIRMED,
            retention_period=_TOKEN_VALID,
            visibility_timeout=_UNCONFIRMED_RETRY,
        ),
        marks=_queue(
            scope,
            "Marks",
            permissions.MARKS,
            retention_period=_MARK_VALID,
            visibility_timeout=Duration.seconds(6 * functions.MARKER.timeout),
        ),
    )


def _arrivals_queue(scope: Construct, dead: sqs.Queue, max_receive_count: int) -> sqs.Queue:
    """Create the queue for reports of targets. Any topic with the fixed name may send to it."""
    arrivals = _queue(
        scope,
        "Arrivals",
        permissions.ARRIVALS,
        retention_period=Duration.days(4),
        visibility_timeout=Duration.seconds(6 * functions.ARRIVALS.timeout),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=max_receive_count),
    )
    arrivals.add_to_resource_policy(
        iam.PolicyStatement(
            sid="TopicsOfTargets",
            # In opt-in Regions SNS uses a regional service principal; only AWS services set a source ARN.
            principals=[iam.AnyPrincipal()],
            actions=["sqs:SendMessage"],
            resources=[arrivals.queue_arn],
            conditions={"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:*:{permissions.ARRIVALS}"}},
        )
    )
    return arrivals


def _registrations_queue(scope: Construct, undelivered: sqs.Queue, max_receive_count: int) -> sqs.Queue:
    """Create the bouncer's queue. Messages whose runs crash too often go to `undelivered`."""
    return _queue(
        scope,
        "Registrations",
        permissions.REGISTRATIONS,
        visibility_timeout=Duration.seconds(6 * functions.BOUNCER.timeout),
        dead_letter_queue=sqs.DeadLetterQueue(queue=undelivered, max_receive_count=max_receive_count),
    )


def _lane_queue(
    scope: Construct, construct_id: str, name: str, timeout: int = functions.COMMISSIONER.timeout
) -> sqs.Queue:
    """Create a FIFO queue of lanes or campaigns, whose function has this timeout. Groups are independent, so a lane
    that waits delays no other (SQS developer guide, "High throughput for FIFO queues")."""
    return _queue(
        scope,
        construct_id,
        name,
        visibility_timeout=Duration.seconds(timeout),
        fifo=True,
        deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP,
        fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    )


def _queue(
    scope: Construct,
    construct_id: str,
    name: str,
    *,
    retention_period: Duration = _KEPT,
    visibility_timeout: Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
    **fifo: Any,
) -> sqs.Queue:
    return sqs.Queue(
        scope,
        f"{construct_id}Queue",
        queue_name=name,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=retention_period,
        visibility_timeout=visibility_timeout,
        dead_letter_queue=dead_letter_queue,
        **fifo,
    )
