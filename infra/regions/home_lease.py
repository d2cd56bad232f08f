"""The lease renewal of a lobby with several Regions: a timer in each Region that extends the lease of the home Region.

Only the Region with the lease writes the ledger. The lease is a vote of each Region, in its replica of the table of
targets (`lobby.ledger.regions.home_votes`). A lobby with one Region has no lease and no renewal.
"""

from typing import TYPE_CHECKING, Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.monitoring.alarms import Alarms
from infra.parts import functions, timers
from infra.parts.permissions import TARGETS, table
from infra.parts.tables import table_name
from infra.settings import Settings
from lobby.aws.metrics import HOME_ENDING, LEASE_NOT_EXTENDED, NAMESPACE
from lobby.ledger.models import LedgerRow
from lobby.ledger.regions.home_votes import KIND

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack

_STOPPED_MINUTES: Final = 5
_PERIOD: Final = Duration.minutes(5)
_REPORTED: Final = (
    (
        LEASE_NOT_EXTENDED,
        "lease-not-extended",
        0,
        "the home Region cannot extend its lease, and stops within minutes: run lobbyctl regions list",
    ),
    (
        HOME_ENDING,
        "promotion-incomplete",
        3,  # during a promotion, the old home fails two or three runs
        "no Region is home, because a promotion was started and not completed: run lobbyctl regions promote again",
    ),
)
_LATE: Final = Duration.minutes(1)
"""Replication usually takes about a second (DynamoDB developer guide, "Monitoring global tables")."""


def make_home_lease(stack: "LobbyStack") -> None:
    """Create the function and its timer, if the lobby has several Regions."""
    settings = stack.settings
    if not settings.regions:
        return
    vote = table(TARGETS, settings.lobby, "PutItem")
    vote.add_condition("ForAllValues:StringEquals", {"dynamodb:LeadingKeys": [KIND]})
    vote.sid = "Votes"
    renewal = stack.make_function(functions.HOME_LEASE, [table(TARGETS, settings.lobby, "GetItem"), vote])
    timers.make_timer(stack, functions.HOME_LEASE, renewal, "rate(1 minute)", {})


def watch(alarms: Alarms, settings: Settings) -> None:
    """Add the alarms of a lobby with several Regions: on the lease, its timer, and the replication from this Region."""
    if not settings.regions:
        return
    alarms.watch_timer(functions.HOME_LEASE, _STOPPED_MINUTES)
    for metric_name, name, most, description in _REPORTED:
        metric = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric_name,
            dimensions_map={"service": functions.HOME_LEASE.name},
            period=_PERIOD,
            statistic="sum",
        )
        alarms.add(name, metric, most, description)
    for place in settings.places:
        if place != settings.lobby:
            late = cloudwatch.Metric(
                namespace="AWS/DynamoDB",
                metric_name="ReplicationLatency",
                dimensions_map={"TableName": table_name(LedgerRow), "ReceivingRegion": place.region},
                period=_PERIOD,
                statistic="max",
            )
            description = f"changes of the ledger reach {place.region} late: a promotion there would lose them"
            alarms.add(f"replication-late-{place.region}", late, _LATE.to_milliseconds(), description)
