"""The event bus, the publisher, which publishes an event for each history entry, and the courier, which sends events to
webhooks.

Operators and other systems add rules to the bus. The stack permits only the publisher to publish to it. Other users of
the account need permission from their own policies, as for every bus.
"""

import json
from typing import TYPE_CHECKING, Final

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.archive import delivery as archive
from infra.monitoring import notices
from infra.parts import functions, permissions, webhooks
from infra.parts.permissions import allow, queue_arn, reads_stream, table
from infra.settings import Settings
from lobby.deployment import NAMES
from lobby.ledger.activity.activity_rows import ActivityRow
from lobby.ledger.models import HistoryRow, LedgerRow

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack

BUS: Final = NAMES.prefix
WINDOW: Final = 5
"""Seconds for which Lambda collects entries. A device's steps follow within seconds, so this saves runs. It delays each
event by a few seconds."""
BATCH_SIZE: Final = 100


def make_events(scope: "LobbyStack", stream: str, undelivered: sqs.Queue) -> tuple[sqs.Queue, sns.Topic]:
    """Create the functions and their triggers. Return the webhooks' queue and the topic of notices."""
    settings, queue, bus = scope.settings, webhooks.make_queue(scope, undelivered), make_bus(scope)
    topic = notices.make_notices(scope, bus)
    publisher = scope.make_function(
        functions.PUBLISHER,
        _publisher(settings, stream),
        EVENT_BUS=BUS,
        LOBBY=settings.key,
        UNDELIVERED_QUEUE=undelivered.queue_url,
        WEBHOOKS_QUEUE=queue.queue_url,
    )
    publisher.node.add_dependency(bus)
    entries_to(scope, publisher, stream)
    environment = {"WEBHOOKS_QUEUE": queue.queue_url, **webhooks.environment(settings)}
    webhooks.events_to(scope, scope.make_function(functions.COURIER, webhooks.courier(settings), **environment), queue)
    archive.make_archive(scope, bus)
    return queue, topic


def make_bus(scope: Construct) -> events.CfnEventBus:
    return events.CfnEventBus(scope, "EventBus", name=BUS, description="Device Lobby: one event for each transition")


def entries_to(scope: Construct, function: lambda_.Function, stream: str) -> None:
    """Invoke the publisher for new entries. Failed entries are retried for as long as the stream has them (24 hours).
    After an hour of failures the publisher moves them to the on-failure queue."""
    lambda_.CfnEventSourceMapping(
        scope,
        "EntriesToPublisher",
        event_source_arn=stream,
        function_name=function.function_name,
        starting_position="TRIM_HORIZON",
        batch_size=BATCH_SIZE,
        maximum_batching_window_in_seconds=WINDOW,
        filter_criteria={"filters": [{"pattern": json.dumps({"eventName": ["INSERT"]})}]},
        bisect_batch_on_function_error=True,
        function_response_types=["ReportBatchItemFailures"],
    )


def _publisher(settings: Settings, stream: str) -> list[iam.PolicyStatement]:
    """Return the permissions of the publisher. It reads rows, entries and the rules of the bus, and writes only the
    activity log."""
    lobby = settings.lobby
    bus = f"arn:aws:events:{lobby.region}:{lobby.account}:event-bus/{BUS}"
    undelivered = queue_arn(permissions.UNDELIVERED, lobby)
    return [
        *reads_stream(stream),
        table(LedgerRow, lobby, "BatchGetItem"),
        table(HistoryRow, lobby, "GetItem"),
        table(ActivityRow, lobby, "BatchWriteItem"),
        allow("Publish", ["events:PutEvents"], bus),
        allow("FindReceivers", ["events:ListRules"], "*"),
        allow("HandOverFailures", ["sqs:SendMessage"], undelivered),
        *webhooks.publisher(lobby),
    ]
