"""The permissions of each Lambda: exact actions on exact resources. The history can only be read and extended.

Wildcards are used only for resources that are unknown before devices connect (certificates, things, topics), and for
actions without resource types (Service Authorization Reference); `infra/nag_suppressions.py` has the reason for each.
"""

from typing import Any, Final

from aws_cdk import aws_iam as iam
from pynamodb.models import Model

from infra.parts.functions import RECONCILER, REGISTRAR, SURVEYOR, function_arn
from infra.parts.tables import ledger_indexes, table_arn
from infra.settings import Settings
from lobby.contracts.campaign_tokens import QUEUE as CAMPAIGN_TOKENS
from lobby.contracts.lane_tokens import EXPRESS, TOKENS
from lobby.deployment import NAMES
from lobby.domain.enrolments.allocation import HOOK_PREFIX
from lobby.domain.targets.target import TARGET_ROLE
from lobby.ledger.activity.activity_rows import ActivityRow
from lobby.ledger.campaigns.campaign_rows import CampaignRow
from lobby.ledger.campaigns.manifests import PREFIX as MANIFESTS
from lobby.ledger.connections.connection_rows import ConnectionRow
from lobby.ledger.enrolments.enrolment_rows import EnrolmentRow
from lobby.ledger.histories.anchors import PREFIX as ANCHORS
from lobby.ledger.models import CertificateRow, CountRow, HistoryRow, LaneRow, LedgerRow, NameRow, TargetRow
from lobby.ledger.registration_rows import RegistrationRow
from lobby.ledger.round_rows import RoundRow
from lobby.names import Target
from lobby.wire import CRL_PREFIX

UNDELIVERED: Final = NAMES.name("undelivered")
UNCOMMISSIONED: Final = NAMES.name("uncommissioned")
REGISTRATIONS: Final = NAMES.name("registrations")
ARRIVALS: Final = NAMES.name("arrivals")
ARRIVALS_DEAD: Final = NAMES.name("arrivals-dead")
UNCONFIRMED: Final = NAMES.name("unconfirmed")
MARKS: Final = NAMES.name("marks")
LEDGER, HISTORY, TARGETS, COUNTS, ROUNDS = LedgerRow, HistoryRow, TargetRow, CountRow, RoundRow
LANES: Final = LaneRow
CONNECTIONS: Final = ConnectionRow
CERTIFICATES: Final = CertificateRow
ENROLMENTS: Final = EnrolmentRow
CAMPAIGNS: Final = CampaignRow
BY_TURN, BY_STATE, BY_TARGET = (LedgerRow.by_turn, LedgerRow.by_state, LedgerRow.by_target)


def queue_arn(name: str, where: Target) -> str:
    return f"arn:aws:sqs:{where.region}:{where.account}:{name}"


def iot_arn(where: Target, resource: str) -> str:
    return f"arn:aws:iot:{where.region}:{where.account}:{resource}"


def every_index(lobby: Target) -> str:
    """Return all indexes of the ledger in one ARN. A role that may query all of them does not name each one, because
    its policy would be too large in a lobby with several Regions."""
    return table_arn(LEDGER, lobby, "*")


def allocation_hooks(where: Target) -> str:
    """Return the functions of the operator that may choose targets (`lobby.domain.enrolments.allocation`)."""
    return f"arn:aws:lambda:{where.region}:{where.account}:function:{HOOK_PREFIX}*"


def allow(sid: str, actions: list[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=list(resources))


def table(model: type[Model], lobby: Target, *actions: str) -> iam.PolicyStatement:
    sid = model.__name__.replace("Row", "Table")
    return allow(sid, [f"dynamodb:{action}" for action in actions], table_arn(model, lobby))


def admission(lobby: Target) -> list[iam.PolicyStatement]:
    """Return the permissions on the ledger for a door that knows the enrolment: to admit a device and to choose its
    target."""
    return [
        table(LEDGER, lobby, "GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
        table(HISTORY, lobby, "PutItem", "Query"),
        table(CERTIFICATES, lobby, "BatchGetItem", "PutItem"),
        table(NameRow, lobby, "PutItem", "GetItem"),
        table(COUNTS, lobby, "UpdateItem"),
        table(ENROLMENTS, lobby, "GetItem", "UpdateItem", "DeleteItem"),
        table(TARGETS, lobby, "Query"),
        allow("Allocate", ["lambda:InvokeFunction"], allocation_hooks(lobby)),
    ]


def bouncer(settings: Settings) -> list[iam.PolicyStatement]:
    lobby = settings.lobby
    bucket = _trust(lobby)
    listing = allow("ListAbsentObjects", ["s3:ListBucket"], bucket)
    return [
        table(LEDGER, lobby, "GetItem", "PutItem", "UpdateItem"),
        table(HISTORY, lobby, "PutItem", "Query"),
        table(CERTIFICATES, lobby, "PutItem"),
        table(NameRow, lobby, "PutItem", "GetItem"),
        table(COUNTS, lobby, "UpdateItem"),
        table(RegistrationRow, lobby, "GetItem", "BatchGetItem", "PutItem", "UpdateItem"),
        table(ENROLMENTS, lobby, "GetItem", "Query", "UpdateItem", "DeleteItem"),
        table(TARGETS, lobby, "Query"),
        allow("Allocate", ["lambda:InvokeFunction"], allocation_hooks(lobby)),
        _consumes("Registrations", REGISTRATIONS, lobby, "sqs:ChangeMessageVisibility"),
        allow(
            "Certificates",
            ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:AttachPolicy"],
            iot_arn(lobby, "cert/*"),
        ),
        allow("Manufacturers", ["iot:DescribeCACertificate"], iot_arn(lobby, "cacert/*")),
        allow("Things", ["iot:CreateThing"], iot_arn(lobby, "thing/*")),
        allow("Attach", ["iot:AttachThingPrincipal"], "*"),
        allow("RevocationLists", ["s3:GetObject"], f"{bucket}/{CRL_PREFIX}*"),
        listing,
        _on_failure(settings, UNDELIVERED),
    ]


def _consumes(sid: str, queue: str, lobby: Target, *more: str) -> iam.PolicyStatement:
    """Return the permissions of a queue's event source mapping, which uses its function's role."""
    return allow(
        sid, ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", *more], queue_arn(queue, lobby)
    )


def receptionist(settings: Settings) -> list[iam.PolicyStatement]:
    lobby = settings.lobby
    return [
        table(LEDGER, lobby, "GetItem", "UpdateItem"),
        table(CERTIFICATES, lobby, "GetItem"),
        table(HISTORY, lobby, "PutItem"),
        table(COUNTS, lobby, "UpdateItem"),
        table(TARGETS, lobby, "GetItem"),
        allow("PublishToDevices", ["iot:Publish"], iot_arn(lobby, "topic/lobby/*")),
        allow("RequestMarks", ["sqs:SendMessage"], queue_arn(MARKS, lobby)),
        _on_failure(settings, UNDELIVERED),
    ]


def connections(settings: Settings) -> list[iam.PolicyStatement]:
    lobby = settings.lobby
    return [
        table(LEDGER, lobby, "GetItem", "UpdateItem"),
        table(CERTIFICATES, lobby, "GetItem"),
        table(HISTORY, lobby, "PutItem"),
        table(COUNTS, lobby, "UpdateItem"),
        table(TARGETS, lobby, "GetItem"),
        table(CONNECTIONS, lobby, "GetItem", "PutItem"),
        _on_failure(settings, UNDELIVERED),
    ]


def reads_stream(stream_arn: str) -> list[iam.PolicyStatement]:
    """Return the permissions of an event source mapping, which uses its function's role."""
    actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    return [allow("Stream", actions, stream_arn), allow("FindStream", ["dynamodb:ListStreams"], "*")]


def notary(settings: Settings, stream_arn: str) -> list[iam.PolicyStatement]:
    """Return the permissions of the notary. It can only add anchors, and cannot read tables or anchors."""
    lobby = settings.lobby
    bucket = f"arn:aws:s3:::{NAMES.notary_bucket(lobby.account, lobby.region)}"
    return [*reads_stream(stream_arn), allow("Anchor", ["s3:PutObject"], f"{bucket}/{ANCHORS}*")]


def bell(settings: Settings, stream_arn: str) -> list[iam.PolicyStatement]:
    """Return the permissions of the bell. It reads the stream and no table."""
    lobby = settings.lobby
    return [
        *reads_stream(stream_arn),
        allow("StartLanes", ["sqs:SendMessage"], queue_arn(TOKENS, lobby), queue_arn(EXPRESS, lobby)),
        _on_failure(settings, UNCOMMISSIONED),
    ]


def commissioner(settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the commissioner, the surveyor, the inspector and the marker."""
    lobby = settings.lobby
    work = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
    return [
        table(LEDGER, lobby, "GetItem", "BatchGetItem", "UpdateItem"),
        table(CERTIFICATES, lobby, "BatchGetItem"),
        allow("Queue", ["dynamodb:Query"], _index(BY_TURN, lobby), _index(BY_TARGET, lobby)),
        table(LANES, lobby, "GetItem", "UpdateItem"),
        allow("Lanes", work, queue_arn(TOKENS, lobby), queue_arn(EXPRESS, lobby)),
        _consumes("Marks", MARKS, lobby),
        allow("ContinueLane", ["sqs:SendMessage"], queue_arn(TOKENS, lobby)),
        table(HISTORY, lobby, "PutItem"),
        table(COUNTS, lobby, "UpdateItem"),
        table(TARGETS, lobby, "GetItem"),
        allow("AssumeTargetRoles", ["sts:AssumeRole"], f"arn:aws:iam::*:role/{TARGET_ROLE}"),
        allow("PublishToDevices", ["iot:Publish"], iot_arn(lobby, "topic/lobby/*")),
        allow("EndSessions", ["iot:DeleteConnection"], iot_arn(lobby, "client/*")),
        allow(
            "Certificates",
            ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:DeleteCertificate"],
            iot_arn(lobby, "cert/*"),
        ),
        allow("Detach", ["iot:DetachThingPrincipal"], "*"),
        _on_failure(settings, UNCOMMISSIONED),
    ]


def campaigns(settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the feeder. It changes devices in the ledger, and calls neither targets nor devices."""
    lobby = settings.lobby
    indexes = set(ledger_indexes(settings)) - {BY_TURN.Meta.index_name, LedgerRow.by_transfer.Meta.index_name}
    return [
        table(LEDGER, lobby, "BatchGetItem", "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
        allow("Filters", ["dynamodb:Query"], *(table_arn(LEDGER, lobby, index) for index in sorted(indexes))),
        table(HISTORY, lobby, "PutItem", "Query"),
        table(COUNTS, lobby, "UpdateItem", "Query"),
        table(TARGETS, lobby, "GetItem", "Query"),
        table(CAMPAIGNS, lobby, "GetItem", "PutItem", "UpdateItem", "DeleteItem"),
        table(ENROLMENTS, lobby, "GetItem"),  # which users are blocked
        _consumes("Campaigns", CAMPAIGN_TOKENS, lobby, "sqs:ChangeMessageVisibility", "sqs:SendMessage"),
        allow("Manifests", ["s3:GetObject", "s3:PutObject"], f"{_trust(lobby)}/{MANIFESTS}*"),
    ]


def _trust(lobby: Target) -> str:
    return f"arn:aws:s3:::{NAMES.trust_bucket(lobby.account, lobby.region)}"


def arrivals(settings: Settings) -> list[iam.PolicyStatement]:
    lobby = settings.lobby
    return [
        table(LEDGER, lobby, "GetItem", "UpdateItem"),
        table(CERTIFICATES, lobby, "GetItem"),
        table(HISTORY, lobby, "PutItem"),
        table(COUNTS, lobby, "UpdateItem"),
        table(TARGETS, lobby, "GetItem"),
        table(CONNECTIONS, lobby, "GetItem", "PutItem"),
        _consumes("Arrivals", ARRIVALS, lobby),
        _consumes("Unconfirmed", UNCONFIRMED, lobby, "sqs:SendMessage"),
        allow("RequestMarks", ["sqs:SendMessage"], queue_arn(MARKS, lobby)),
    ]


def admin_api(settings: Settings) -> list[iam.PolicyStatement]:
    lobby = settings.lobby
    anchors = f"arn:aws:s3:::{NAMES.notary_bucket(lobby.account, lobby.region)}"
    trust = _trust(lobby)
    return [
        table(LEDGER, lobby, "GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"),
        allow("Lists", ["dynamodb:Query"], every_index(lobby)),
        table(CERTIFICATES, lobby, "GetItem"),
        table(LANES, lobby, "Query", "UpdateItem"),
        table(HISTORY, lobby, "PutItem", "Query"),
        table(COUNTS, lobby, "UpdateItem", "Query"),
        table(CONNECTIONS, lobby, "BatchGetItem", "Query"),
        allow("Problems", ["dynamodb:Query"], table_arn(CONNECTIONS, lobby, ConnectionRow.by_problem.Meta.index_name)),
        table(TARGETS, lobby, "GetItem", "BatchGetItem", "PutItem", "DeleteItem", "ConditionCheckItem", "Query"),
        table(ROUNDS, lobby, "BatchGetItem"),
        table(ENROLMENTS, lobby, "GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"),
        table(NameRow, lobby, "GetItem", "PutItem", "DeleteItem"),
        table(CAMPAIGNS, lobby, "GetItem", "BatchGetItem", "PutItem", "UpdateItem", "Query"),
        allow("StartCampaigns", ["sqs:SendMessage"], queue_arn(CAMPAIGN_TOKENS, lobby)),
        allow("Manifests", ["s3:PutObject", "s3:GetObject"], f"{trust}/{MANIFESTS}*"),
        table(ActivityRow, lobby, "Query", "PutItem"),
        allow("Anchors", ["s3:ListBucketVersions"], anchors),
        allow("Templates", ["s3:PutObject", "s3:GetObject"], f"{trust}/templates/*"),
        allow(
            "InvokeTargetChecks",
            ["lambda:InvokeFunction"],
            function_arn(SURVEYOR, settings),
            function_arn(RECONCILER, settings),
        ),
        allow("ClaimCertificates", ["lambda:InvokeFunction"], function_arn(REGISTRAR, settings)),
    ]


def sweeper(settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the sweeper. It does not change a device's state, but the first write to a row of an
    older version also counts the row."""
    lobby = settings.lobby
    return [
        table(LEDGER, lobby, "GetItem", "UpdateItem"),
        allow("Overdue", ["dynamodb:Query"], _index(BY_TURN, lobby), _index(BY_STATE, lobby)),
        table(HISTORY, lobby, "PutItem", "Query"),
        table(COUNTS, lobby, "UpdateItem", "Query"),
        table(TARGETS, lobby, "GetItem", "PutItem", "Query"),
        table(LANES, lobby, "Query"),
        table(CAMPAIGNS, lobby, "GetItem", "PutItem", "Query"),
        table(ROUNDS, lobby, "GetItem", "PutItem"),
        allow("StartWork", ["sqs:SendMessage"], queue_arn(TOKENS, lobby), queue_arn(CAMPAIGN_TOKENS, lobby)),
        allow("RequestMarks", ["sqs:SendMessage"], queue_arn(MARKS, lobby)),
        allow("PublishToDevices", ["iot:Publish"], iot_arn(lobby, "topic/lobby/*")),
        allow("Issuers", ["iot:DescribeCertificate"], iot_arn(lobby, "cert/*")),
        allow("Published", ["s3:ListBucket"], _trust(lobby)),
    ]


def _index(index: Any, lobby: Target) -> str:
    return table_arn(LEDGER, lobby, index.Meta.index_name)


def _on_failure(settings: Settings, queue: str) -> iam.PolicyStatement:
    return allow("SendFailures", ["sqs:SendMessage"], queue_arn(queue, settings.lobby))
