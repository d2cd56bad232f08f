"""The webhooks' part of the stack: their queue, the permissions of their functions, and the courier's trigger.

The publisher sends to the queue, the courier receives. Only the local cloud can allow receivers on the same machine
(`webhookRoots`); a template for AWS with that setting is rejected.
"""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.parts.functions import COURIER
from infra.parts.permissions import allow, queue_arn, table
from infra.settings import Settings
from lobby.aws.webhook_secrets import PREFIX as SECRETS
from lobby.deployment import NAMES
from lobby.domain.events.webhook import WAITS
from lobby.ledger.webhooks.webhook_rows import WebhookRow
from lobby.names import Target

QUEUE: Final = NAMES.name("webhooks")
_KEPT: Final = Duration.days(14)
_MAX_RECEIVE: Final = 2 * len(WAITS)
"""More than the courier's own attempts, so this limit applies only to messages whose runs crash."""
_CONCURRENCY: Final = 10


def make_queue(scope: Construct, undelivered: sqs.Queue) -> sqs.Queue:
    """Create the queue. The courier keeps events that a receiver does not accept. Messages that crash the courier go to
    `undelivered`."""
    return sqs.Queue(
        scope,
        "WebhooksQueue",
        queue_name=QUEUE,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=_KEPT,
        visibility_timeout=Duration.seconds(6 * COURIER.timeout),
        dead_letter_queue=sqs.DeadLetterQueue(queue=undelivered, max_receive_count=_MAX_RECEIVE),
    )


def events_to(scope: Construct, courier: lambda_.Function, queue: sqs.Queue) -> None:
    """Send messages to the courier immediately, ten at a time. It sends each in its own thread."""
    mapping = lambda_.CfnEventSourceMapping
    mapping(
        scope,
        "EventsToWebhooks",
        event_source_arn=queue.queue_arn,
        function_name=courier.function_name,
        batch_size=10,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=mapping.ScalingConfigProperty(maximum_concurrency=_CONCURRENCY),
    )


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the functions that check URLs."""
    return {"WEBHOOK_ROOTS": settings.webhook_roots} if settings.webhook_roots else {}


def publisher(lobby: Target) -> list[iam.PolicyStatement]:
    return [table(WebhookRow, lobby, "Query"), allow("SendToWebhooks", ["sqs:SendMessage"], queue_arn(QUEUE, lobby))]


def courier(settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the courier. It can read secrets, and neither add nor remove webhooks."""
    lobby = settings.lobby
    queue = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
    return [
        table(WebhookRow, lobby, "GetItem", "PutItem"),
        allow("Webhooks", queue, queue_arn(QUEUE, lobby)),
        allow("Secrets", ["ssm:GetParameter"], secrets(lobby)),
    ]


def admin_api(settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the API. It writes secrets in each of the lobby's Regions and cannot read them."""
    lobby, stores = settings.lobby, map(secrets, settings.places)
    return [
        table(WebhookRow, lobby, "GetItem", "PutItem", "DeleteItem", "Query"),
        allow("SendToWebhooks", ["sqs:SendMessage"], queue_arn(QUEUE, lobby)),
        allow("Secrets", ["ssm:PutParameter", "ssm:DeleteParameter"], *stores),
    ]


def secrets(lobby: Target) -> str:
    return f"arn:aws:ssm:{lobby.region}:{lobby.account}:parameter{SECRETS}/*"
