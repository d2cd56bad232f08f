"""The permissions of the reconciler: it reads the ledger, the registered CAs and their revocation lists.

They allow exact actions on exact resources, as in `permissions`. The inspector calls the targets, not the reconciler.
"""

from aws_cdk import aws_iam as iam

from infra.parts.functions import INSPECTOR, function_arn
from infra.parts.permissions import (
    BY_TARGET,
    CERTIFICATES,
    COUNTS,
    ENROLMENTS,
    HISTORY,
    LEDGER,
    ROUNDS,
    TARGETS,
    allow,
    iot_arn,
    table,
)
from infra.parts.tables import table_arn
from infra.settings import Settings
from lobby.deployment import NAMES
from lobby.wire import CRL_PREFIX


def reconciler(settings: Settings) -> list[iam.PolicyStatement]:
    lobby = settings.lobby
    bucket = f"arn:aws:s3:::{NAMES.trust_bucket(lobby.account, lobby.region)}"
    return [
        table(LEDGER, lobby, "GetItem", "UpdateItem", "Scan"),
        table(CERTIFICATES, lobby, "BatchGetItem"),
        table(ENROLMENTS, lobby, "Query"),
        allow("ListManufacturers", ["iot:ListCACertificates"], "*"),
        allow("Manufacturers", ["iot:DescribeCACertificate"], iot_arn(lobby, "cacert/*")),
        allow("RevocationLists", ["s3:GetObject"], f"{bucket}/{CRL_PREFIX}*"),
        allow("ListAbsentObjects", ["s3:ListBucket"], bucket),
        allow("DevicesOfTarget", ["dynamodb:Query"], table_arn(LEDGER, lobby, BY_TARGET.Meta.index_name)),
        table(HISTORY, lobby, "PutItem", "Query"),
        table(COUNTS, lobby, "UpdateItem"),
        table(TARGETS, lobby, "Query"),
        table(ROUNDS, lobby, "GetItem", "BatchGetItem", "PutItem"),
        allow("InvokeTargetChecks", ["lambda:InvokeFunction"], function_arn(INSPECTOR, settings)),
    ]
