"""The renewal of certificates in the lobby: the topic rule for devices' certificate requests, and its function.

The rule passes the certificate and the client id that AWS IoT has authenticated, and the request. A device without an
answer repeats its request, so the on-failure queue only gets failures of the function.
"""

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from infra.doors import signing_keys
from infra.parts import device_policies, functions, topic_rules
from infra.parts.permissions import (
    CERTIFICATES,
    COUNTS,
    ENROLMENTS,
    HISTORY,
    LEDGER,
    UNDELIVERED,
    allow,
    iot_arn,
    queue_arn,
    table,
)
from infra.settings import Settings
from lobby.wire import RENEWAL_RULE, RENEWAL_SQL

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack


def make_renewal(stack: "LobbyStack") -> None:
    """Create the function and its rule."""
    lobby = stack.settings.lobby
    renewer = stack.make_function(
        functions.RENEWER,
        renewer_permissions(stack.settings),
        LOBBY_POLICY=device_policies.WAITING,
        IOT_ARN=iot_arn(lobby, "").rstrip(":"),
    )
    topic_rules.allow_rule_to_invoke(renewer, RENEWAL_RULE, lobby)
    topic_rules.make_rule(
        stack,
        "RenewalRule",
        RENEWAL_RULE,
        RENEWAL_SQL,
        "Invokes the renewer for each certificate request of a device",
        topic_rules.to_lambda(renewer),
        topic_rules.to_queue(stack.queues.undelivered, stack.rules_role),
    )
    stack.send_failures_to_queue("RenewalFailures", renewer)


def renewer_permissions(settings: Settings) -> list[iam.PolicyStatement]:
    """The renewer creates inactive certificates, and activates certificates that a row names. With several Regions, it
    also registers certificates that the door of another Region has issued."""
    lobby = settings.lobby
    register = ["iot:RegisterCertificateWithoutCA"] if settings.regions else []
    return [
        table(LEDGER, lobby, "GetItem", "UpdateItem"),
        table(CERTIFICATES, lobby, "GetItem", "UpdateItem"),
        table(ENROLMENTS, lobby, "GetItem", "UpdateItem"),
        table(HISTORY, lobby, "PutItem"),
        table(COUNTS, lobby, "UpdateItem"),
        allow("Certificates", ["iot:UpdateCertificate", "iot:AttachPolicy"], iot_arn(lobby, "cert/*")),
        allow("Things", ["iot:CreateThing"], iot_arn(lobby, "thing/*")),
        allow("IssueCertificates", ["iot:CreateCertificateFromCsr", "iot:AttachThingPrincipal", *register], "*"),
        allow("PublishToDevices", ["iot:Publish"], iot_arn(lobby, "topic/lobby/*")),
        allow("SendFailures", ["sqs:SendMessage"], queue_arn(UNDELIVERED, lobby)),
        *signing_keys.issue(settings),
    ]
