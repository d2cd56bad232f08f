"""The permissions of the vending door's Lambdas: exact actions on exact resources, as in `infra.parts.permissions`.

The door creates certificates, an action for which AWS defines no resource, and deletes certificates that it did not
return.
"""

from typing import Final

from aws_cdk import aws_iam as iam

from infra.doors import signing_keys
from infra.parts.permissions import (
    ENROLMENTS,
    admission,
    allow,
    iot_arn,
    table,
)
from infra.settings import Settings
from lobby.deployment import NAMES
from lobby.names import Target

VENDING_SETTINGS: Final = f"/{NAMES.prefix}/vending"
"""The parameter with the settings of the vending door."""


def vending(settings: Settings, *, reads_endpoint: bool) -> list[iam.PolicyStatement]:
    """`reads_endpoint`: the door reads the account's endpoint from AWS IoT, because its settings do not name one."""
    lobby, describe = settings.lobby, ["iot:DescribeEndpoint"] if reads_endpoint else []
    return [
        *admission(lobby),
        allow(
            "Certificates",
            ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:DeleteCertificate", "iot:AttachPolicy"],
            iot_arn(lobby, "cert/*"),
        ),
        allow("Things", ["iot:CreateThing", "iot:UpdateThing"], iot_arn(lobby, "thing/*")),
        allow(
            "IssueAndAttach",
            [
                "iot:CreateCertificateFromCsr",
                "iot:CreateKeysAndCertificate",
                "iot:AttachThingPrincipal",
                *describe,
            ],
            "*",
        ),
        allow("Settings", ["ssm:GetParameter"], _parameter_arn(VENDING_SETTINGS, lobby)),
        *signing_keys.issue(settings),
    ]


def vending_authorizer(settings: Settings) -> list[iam.PolicyStatement]:
    return [table(ENROLMENTS, settings.lobby, "GetItem", "BatchGetItem", "UpdateItem")]


def _parameter_arn(name: str, where: Target) -> str:
    return f"arn:aws:ssm:{where.region}:{where.account}:parameter{name}"
