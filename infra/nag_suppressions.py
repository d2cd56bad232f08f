"""Every rule of AWS Solutions (cdk-nag) and of cfn-lint that a stack breaks on purpose, with the reason, in one place.

A finding that is not here fails the synthesis, and so does a wildcard: each is named with the role that holds it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

from lobby.domain.target import TARGET_ROLE
from lobby.ledger.anchors import PREFIX as ANCHORS
from lobby.wire import notary_bucket, trust_bucket

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack
    from infra.target_stack import TargetStack

_CERTIFICATES: Final = "a device's certificate has an id of its own, unknown before it comes"
_THINGS: Final = "a device's thing has the name in its certificate, unknown before it comes"
_TOPICS: Final = "each device is told on a topic of its own"
_NO_RESOURCE: Final = "AWS defines no resource for these actions (Service Authorization Reference)"
_DEAD_LETTERS: Final = "it is where failed work ends: the rules', the Lambdas' and the stream mapping's"
_PAGE: Final = "the console's page is for everyone, and asks for a sign-in; what it shows comes from /graphql"
_LINT: Final = {"W3005": "CDK says with DependsOn what GetAtt says already"}


def acknowledge_lobby(stack: "LobbyStack") -> None:
    """Exceptions of the lobby's stack."""
    lobby = stack.settings.lobby
    iot = f"arn:aws:iot:{lobby.region}:{lobby.account}"
    bucket = trust_bucket(lobby.account, lobby.region)
    _wildcards(
        stack,
        "BouncerRole",
        {
            f"{iot}:cert/*": _CERTIFICATES,
            f"{iot}:cacert/*": "manufacturers' CAs are registered later",
            f"{iot}:thing/*": _THINGS,
            f"arn:aws:s3:::{bucket}/crl/*": "one revocation list per manufacturer's CA, which are registered later",
            "*": f"AttachThingPrincipal: {_NO_RESOURCE}",
        },
    )
    _wildcards(stack, "ReceptionistRole", {f"{iot}:topic/lobby/*": _TOPICS})
    _wildcards(
        stack,
        "CommissionerRole",
        {
            f"{iot}:cert/*": _CERTIFICATES,
            f"{iot}:topic/lobby/*": _TOPICS,
            f"arn:aws:iam::*:role/{TARGET_ROLE}": "targets are registered later, and their roles must trust the lobby",
            "*": f"ListStreams, DetachThingPrincipal: {_NO_RESOURCE}",
        },
    )
    _wildcards(
        stack,
        "NotaryRole",
        {
            f"arn:aws:s3:::{notary_bucket(lobby.account, lobby.region)}/{ANCHORS}*": "one anchor per history entry",
            "*": f"ListStreams: {_NO_RESOURCE}",
        },
    )
    _wildcards(stack, "SweeperRole", {f"{iot}:cert/*": _CERTIFICATES, f"{iot}:topic/lobby/*": _TOPICS})
    for function in stack.functions.values():
        _acknowledge(function, {"L1": "the newest Python that the handlers were started on, see decision 3"})
    for queue in (stack.queues.undelivered, stack.queues.uncommissioned):
        _acknowledge(queue, {"SQS3": _DEAD_LETTERS})
    _acknowledge(stack.bucket, {"S1": "it holds public revocation lists; CloudTrail's data events tell who read them"})
    _acknowledge(stack.notary_bucket, {"S1": "its objects are empty, and who put one is told by CloudTrail"})
    _acknowledge(stack.api, {"APIG4": _PAGE})
    _acknowledge(
        stack.sign_in.pool,
        {
            "COG2": "a phone's authenticator app is offered, not forced on technicians with a shared, bare handset",
            "COG8": "the Plus tier is paid per user; an operator who wants threat protection turns it on",
        },
    )
    _lint(stack)


def acknowledge_target(stack: "TargetStack") -> None:
    """Exceptions of a target's stack."""
    iot = f"arn:aws:iot:*:{stack.target.target.account}"
    if stack.target.create_role:
        _wildcards(
            stack,
            "CommissionerRole",
            {
                f"{iot}:cert/*": _CERTIFICATES,
                f"{iot}:thing/*": _THINGS,
                f"{iot}:topic/lobby/*": _TOPICS,
                f"{iot}:policy/device-lobby-*": "one policy per profile, deployed by this stack",
                "*": _NO_RESOURCE,
            },
        )
    _lint(stack)


def _wildcards(stack: Stack, role: str, reasons: Mapping[str, str]) -> None:
    _acknowledge(
        stack.node.find_child(role), {f"IAM5[Resource::{resource}]": reason for resource, reason in reasons.items()}
    )


def _acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    for rule, reason in reasons.items():
        acknowledged = Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
        Validations.of(construct).acknowledge(acknowledged)


def _lint(stack: Stack) -> None:
    """In the template itself, so that cfn-lint finds it wherever it is run."""
    stack.add_metadata("cfn-lint", {"config": {"ignore_checks": list(_LINT)}})
