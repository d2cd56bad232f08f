"""The ledger's tables, with the key schemas of the PynamoDB models.

All are on demand, encrypted, with point-in-time recovery for 35 days, deletion protection, and retained when the stack
is deleted. A resource policy of the history denies changes and deletions of entries to everyone in the account. The
policy does not protect itself: a user with DeleteResourcePolicy can remove it, and CloudTrail records this.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct
from pynamodb.models import Model

from infra.parts.earlier_indexes import RETIRED
from infra.settings import Settings
from lobby.ledger.activity.activity_rows import ActivityRow
from lobby.ledger.connections.connection_rows import ConnectionRow
from lobby.ledger.enrolments.enrolment_rows import EnrolmentRow
from lobby.ledger.models import MODELS, HistoryRow, LedgerRow
from lobby.ledger.registration_rows import RegistrationRow
from lobby.ledger.webhooks.webhook_rows import WebhookRow
from lobby.names import Target

IMMUTABLE: Final = (
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
)
"""Denied to everyone on the history. PutItem is allowed; the writer's condition prevents it from overwriting an entry.
"""
_REPLICATION_ROLE: Final = "aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"
_STREAMED: Final = (LedgerRow, HistoryRow)
"""The tables whose streams are read, with new and old images. The commissioner needs the new image, the notary both, to
detect changed and removed entries. Replicas in other Regions also need both (DynamoDB developer guide, "Global
tables"). The view type of a table in use can only be changed by disabling its stream; the new stream has another
ARN."""
_EXPIRY: Final[dict[type[Model], str]] = {
    RegistrationRow: "expires",
    ConnectionRow: "expires",
    EnrolmentRow: "deleteat",
    WebhookRow: "expires",
    ActivityRow: "expires",
}
"""The attribute with the time after which DynamoDB deletes an item."""
_IMAGES: Final = dynamodb.StreamViewType.NEW_AND_OLD_IMAGES
_TYPES: Final = {"S": dynamodb.AttributeType.STRING, "N": dynamodb.AttributeType.NUMBER}


def table_name(model: type[Model]) -> str:
    return str(model.Meta.table_name)


def table_arn(model: type[Model], lobby: Target, index: str = "") -> str:
    """Return the ARN of a model's table, or of one of its indexes."""
    arn = f"arn:aws:dynamodb:{lobby.region}:{lobby.account}:table/{table_name(model)}"
    return f"{arn}/index/{index}" if index else arn


def index_names(model: type[Model]) -> list[str]:
    return sorted(index["index_name"] for index in model._get_schema()["global_secondary_indexes"])


def ledger_indexes(settings: Settings) -> list[str]:
    """Return the names of the ledger's indexes in this deployment: the indexes of this version, except during an
    upgrade."""
    return sorted(settings.ledger_indexes or index_names(LedgerRow))


def make_tables(scope: Construct, settings: Settings) -> dict[type[Model], dynamodb.ITableV2]:
    """Create all tables and return them by model. The stack of the first Region also creates the replicas in the other
    Regions; the stacks there only refer to them."""
    if settings.is_first:
        return {model: _table(scope, model, settings) for model in MODELS}
    return {model: _replica(scope, model, settings) for model in MODELS}


def _replica(scope: Construct, model: type[Model], settings: Settings) -> dynamodb.ITableV2:
    stream = dict(zip(_STREAMED, settings.replica_streams, strict=True)).get(model)
    return dynamodb.TableV2.from_table_attributes(
        scope, _construct_id(model), table_arn=table_arn(model, settings.lobby), table_stream_arn=stream
    )


def _construct_id(model: type[Model]) -> str:
    return model.__name__.replace("Row", "Table")


def _table(scope: Construct, model: type[Model], settings: Settings) -> dynamodb.TableV2:
    schema = model._get_schema()
    types = {each["AttributeName"]: _TYPES[each["AttributeType"]] for each in schema["attribute_definitions"]}
    partition, sort = _keys(schema["key_schema"], types)
    indexes: list[Any] = list(schema["global_secondary_indexes"])
    if model is LedgerRow:
        types |= {"kind": dynamodb.AttributeType.STRING}
        indexes = [each for each in (*indexes, *RETIRED) if each["index_name"] in ledger_indexes(settings)]
    return dynamodb.TableV2(
        scope,
        _construct_id(model),
        table_name=table_name(model),
        partition_key=partition,
        sort_key=sort,
        billing=dynamodb.Billing.on_demand(),
        encryption=dynamodb.TableEncryptionV2.aws_managed_key(),
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        deletion_protection=settings.protect,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        # Replicas need a stream, and CloudFormation cannot enable it in the update that adds the first one. A stream
        # that nobody reads costs nothing. The emulator would keep its records.
        dynamo_stream=_IMAGES if model in _STREAMED or not settings.local else None,
        time_to_live_attribute=_EXPIRY.get(model),
        global_secondary_indexes=[_index(index, types) for index in indexes] or None,
        resource_policy=_policy(model, settings.lobby, settings),
        replicas=[
            dynamodb.ReplicaTableProps(region=place.region, resource_policy=_policy(model, place, settings))
            for place in settings.places[1:]
        ]
        or None,
    )


def _policy(model: type[Model], place: Target, settings: Settings) -> iam.PolicyDocument | None:
    """Return the policy of a table in `place`. CloudFormation cannot create a replica in another Region with a policy;
    the next update adds the policy (DynamoDB developer guide, "Resource-based policy considerations")."""
    return _append_only(place) if model is HistoryRow and place.region not in settings.new_regions else None


def history_policy(place: Target) -> dict[str, Any]:
    """Return the policy of the history in `place` as JSON."""
    return dict(_append_only(place).to_json())


def _append_only(place: Target) -> iam.PolicyDocument:
    """Return the policy of the history in `place`. DynamoDB's own role for replication, which nobody else can use, is
    exempt: if a policy denied it anything, no replica could be added, and a replica would stop replicating and be
    removed after 20 hours (DynamoDB developer guide, "DynamoDB global tables security")."""
    exempt = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{place.account}:role/{_REPLICATION_ROLE}"}}
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="DenyChangesOfHistory",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=list(IMMUTABLE),
                resources=[table_arn(HistoryRow, place)],
                conditions=exempt,
            )
        ]
    )


def _index(schema: Any, types: dict[str, dynamodb.AttributeType]) -> dynamodb.GlobalSecondaryIndexPropsV2:
    partition, sort = _keys(schema["key_schema"], types)
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=schema["index_name"],
        partition_key=partition,
        sort_key=sort,
        projection_type=dynamodb.ProjectionType(schema["projection"]["ProjectionType"]),
        non_key_attributes=schema["projection"].get("NonKeyAttributes"),
    )


def _keys(
    schema: Sequence[Mapping[str, Any]], types: dict[str, dynamodb.AttributeType]
) -> tuple[dynamodb.Attribute, dynamodb.Attribute | None]:
    names = {key["KeyType"]: key["AttributeName"] for key in schema}
    keys = {kind: dynamodb.Attribute(name=name, type=types[name]) for kind, name in names.items()}
    return keys["HASH"], keys.get("RANGE")
