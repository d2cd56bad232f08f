"""The permissions of the door `claim`: its hook, the template and the registrar.

They allow exact actions on exact resources, as in `permissions`.
"""

from aws_cdk import aws_iam as iam

from infra.parts.permissions import (
    CERTIFICATES,
    COUNTS,
    ENROLMENTS,
    HISTORY,
    LEDGER,
    ROUNDS,
    admission,
    allow,
    iot_arn,
    table,
)
from infra.parts.tables import table_arn
from infra.settings import Settings
from lobby.ledger.models import LedgerRow, NameRow
from lobby.names import Target


def provisioning(settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the hook. It admits devices and changes nothing in AWS IoT; the template's role
    does."""
    lobby = settings.lobby
    return [
        *admission(lobby),
        allow("Certificates", ["iot:DescribeCertificate"], iot_arn(lobby, "cert/*")),
    ]


def template(lobby: Target, policy: str) -> dict[str, iam.PolicyStatement]:
    """Return the calls that AWS IoT makes to provision a device: a part of its managed policy
    AWSIoTThingsRegistration."""
    certificate = ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:AttachPolicy"]
    return {
        "certificates": allow("Certificates", certificate, iot_arn(lobby, "cert/*")),
        "things": allow("Things", ["iot:DescribeThing", "iot:CreateThing"], iot_arn(lobby, "thing/*")),
        "attach": allow("Attach", ["iot:AttachThingPrincipal"], "*"),
        "policy": allow("Policy", ["iot:GetPolicy"], iot_arn(lobby, f"policy/{policy}")),
    }


def registrar(settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the registrar, which also admits devices that are accepted from another lobby."""
    lobby = settings.lobby
    own = ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:AttachPolicy", "iot:DeleteCertificate"]
    new = ["iot:CreateCertificateFromCsr", "iot:RegisterCertificateWithoutCA"]
    lists = ["iot:ListCertificates", "iot:ListAttachedPolicies"]
    return [
        table(ENROLMENTS, lobby, "GetItem", "PutItem", "UpdateItem", "Query"),
        table(LEDGER, lobby, "BatchGetItem", "GetItem", "PutItem", "UpdateItem"),
        allow("Accepted", ["dynamodb:Query"], table_arn(LEDGER, lobby, LedgerRow.by_transfer.Meta.index_name)),
        table(CERTIFICATES, lobby, "GetItem", "PutItem"),
        table(HISTORY, lobby, "PutItem", "Query"),
        table(COUNTS, lobby, "UpdateItem"),
        table(NameRow, lobby, "GetItem", "PutItem"),
        table(ROUNDS, lobby, "GetItem", "PutItem"),
        allow("Certificates", own, iot_arn(lobby, "cert/*")),
        allow("NewCertificates", [*new, *lists], "*"),
        allow("Things", ["iot:CreateThing"], iot_arn(lobby, "thing/*")),
        allow("Attach", ["iot:AttachThingPrincipal"], "*"),
    ]
