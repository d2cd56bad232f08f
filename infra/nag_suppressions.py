"""Suppressions of AWS Solutions (cdk-nag) and cfn-lint rules, each with its reason.

Any other finding fails the synthesis. Each wildcard is listed with its role.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

from infra.parts.permissions import allocation_hooks, every_index
from infra.parts.webhooks import secrets
from infra.regions import region_parts as regions
from lobby.deployment import NAMES
from lobby.domain.targets import target_rules
from lobby.domain.targets.target import TARGET_ROLE
from lobby.ledger.campaigns.manifests import PREFIX as MANIFESTS
from lobby.ledger.histories.anchors import PREFIX as ANCHORS
from lobby.wire import CRL_PREFIX

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack
    from infra.role_stack import RoleStack
    from infra.target_stack import TargetStack

_CERTIFICATES: Final = "certificate ids are unknown before devices connect"
_THINGS: Final = "thing names are in the devices' certificates, unknown before devices connect"
_TOPICS: Final = "each device has its own topic"
_NO_RESOURCE: Final = "AWS defines no resource for these actions (Service Authorization Reference)"
_CLIENTS: Final = "one client per device; devices are added later"
_DEAD_LETTERS: Final = "this queue receives the failed work of the stream mapping"
_LANES: Final = "a message is repeated until its lane is empty; an alarm reports a lane without progress"
_MANUFACTURERS: Final = "manufacturers' CAs are registered later"
_LISTS: Final = "one revocation list per manufacturer's CA; CAs are registered later"
_HOOKS: Final = "functions of the operator that choose targets, created later"
_PAGE: Final = "the console's pages are public and contain no data; they sign in and load data from /graphql"
_SECRETS: Final = "one parameter for each secret of a webhook; webhooks are added later"
_LINT: Final = {"W3005": "CDK adds DependsOn where GetAtt already implies it"}


def suppress_lobby_findings(stack: "LobbyStack") -> None:
    """Suppress the findings of the lobby's stack."""
    lobby = stack.settings.lobby
    iot, bucket = f"arn:aws:iot:{lobby.region}:{lobby.account}", NAMES.trust_bucket(lobby.account, lobby.region)
    _suppress_door_roles(stack, iot, bucket)
    _suppress_other_roles(stack, iot, bucket)
    _suppress_resources(stack)
    _lint(stack)


def _suppress_door_roles(stack: "LobbyStack", iot: str, bucket: str) -> None:
    hooks = allocation_hooks(stack.settings.lobby)
    _wildcards(
        stack,
        "BouncerRole",
        {
            f"{iot}:cert/*": _CERTIFICATES,
            f"{iot}:cacert/*": _MANUFACTURERS,
            f"{iot}:thing/*": _THINGS,
            hooks: _HOOKS,
            f"arn:aws:s3:::{bucket}/{CRL_PREFIX}*": _LISTS,
            "*": f"AttachThingPrincipal: {_NO_RESOURCE}",
        },
    )
    _wildcards(stack, "ProvisioningRole", {f"{iot}:cert/*": _CERTIFICATES, hooks: _HOOKS})
    attach = f"AttachThingPrincipal: {_NO_RESOURCE}"
    _wildcards(stack, "TemplateRole", {f"{iot}:cert/*": _CERTIFICATES, f"{iot}:thing/*": _THINGS, "*": attach})
    new = "creating, listing and attaching certificates, ListAttachedPolicies"
    registrar = {f"{iot}:cert/*": _CERTIFICATES, f"{iot}:thing/*": _THINGS, "*": f"{new}: {_NO_RESOURCE}"}
    if stack.settings.regions:
        lists = f"{new}, ListCACertificates: {_NO_RESOURCE}"
        registrar |= {f"{iot}:cacert/*": _MANUFACTURERS, "*": lists}
    _wildcards(stack, "RegistrarRole", registrar)
    _wildcards(
        stack,
        "VendingRole",
        {
            f"{iot}:cert/*": "certificate ids are unknown before the door issues them",
            f"{iot}:thing/*": "thing names are in the devices' requests",
            hooks: _HOOKS,
            "*": f"creating and attaching certificates, DescribeEndpoint: {_NO_RESOURCE}",
        },
    )


def _suppress_other_roles(stack: "LobbyStack", iot: str, bucket: str) -> None:
    lobby = stack.settings.lobby
    templates = f"arn:aws:s3:::{bucket}/templates/*"
    per_target = "one template per target; targets are registered later"
    manifests = {f"arn:aws:s3:::{bucket}/{MANIFESTS}*": "one object per page of a campaign, created later"}
    stores = {secrets(place): _SECRETS for place in stack.settings.places}
    indexes = {every_index(lobby): "the API queries every index of the ledger"}
    _wildcards(stack, "AdminApiRole", {templates: per_target, **stores, **indexes, **manifests})
    _wildcards(stack, "CampaignsRole", manifests)
    _wildcards(stack, "ReceptionistRole", {f"{iot}:topic/lobby/*": _TOPICS})
    _wildcards(
        stack,
        "CommissionerRole",
        {
            f"{iot}:cert/*": _CERTIFICATES,
            f"{iot}:topic/lobby/*": _TOPICS,
            f"{iot}:client/*": _CLIENTS,
            f"arn:aws:iam::*:role/{TARGET_ROLE}": "targets are registered later; their roles must trust the lobby",
            "*": f"DetachThingPrincipal: {_NO_RESOURCE}",
        },
    )
    _wildcards(stack, "BellRole", {"*": f"ListStreams: {_NO_RESOURCE}"})
    anchors = f"arn:aws:s3:::{NAMES.notary_bucket(lobby.account, lobby.region)}/{ANCHORS}*"
    _wildcards(stack, "NotaryRole", {anchors: "one anchor per history entry", "*": f"ListStreams: {_NO_RESOURCE}"})
    _wildcards(stack, "PublisherRole", {"*": f"ListStreams, ListRules: {_NO_RESOURCE}"})
    _wildcards(stack, "CourierRole", {secrets(lobby): _SECRETS})
    endpoints = {"*": f"DescribeEndpoint: {_NO_RESOURCE}"} if stack.settings.regions else {}
    _wildcards(stack, "SweeperRole", {f"{iot}:cert/*": _CERTIFICATES, f"{iot}:topic/lobby/*": _TOPICS, **endpoints})
    _wildcards(
        stack,
        "RenewerRole",
        {
            f"{iot}:cert/*": _CERTIFICATES,
            f"{iot}:thing/*": _THINGS,
            f"{iot}:topic/lobby/*": _TOPICS,
            "*": f"CreateCertificateFromCsr, AttachThingPrincipal: {_NO_RESOURCE}",
        },
    )
    _wildcards(
        stack,
        "ReconcilerRole",
        {
            f"{iot}:cacert/*": _MANUFACTURERS,
            f"arn:aws:s3:::{bucket}/{CRL_PREFIX}*": _LISTS,
            "*": f"ListCACertificates: {_NO_RESOURCE}",
        },
    )


def _suppress_resources(stack: "LobbyStack") -> None:
    for function in stack.functions.values():
        suppress(function, {"L1": "the newest Python version that the handlers are tested with, see decision 3"})
    suppress(stack.queues.uncommissioned, {"SQS3": _DEAD_LETTERS})
    suppress(stack.queues.unconfirmed, {"SQS3": "a confirmation expires together with its token"})
    suppress(stack.queues.marks, {"SQS3": "a failed mark is sent again at the next connection"})
    for queue in (stack.queues.lanes, stack.queues.express):
        suppress(queue, {"SQS3": _LANES})
    suppress(
        stack.queues.campaigns,
        {"SQS3": "a token is delivered again until its campaign ends; an alarm reports a campaign without progress"},
    )
    contents = "it contains revocation lists, templates of targets and manifests of campaigns"
    suppress(stack.bucket, {"S1": f"{contents}; CloudTrail data events record who reads them"})
    suppress(stack.notary_bucket, {"S1": "its objects are empty; CloudTrail records who writes them"})
    suppress(stack.api, {"APIG4": _PAGE})
    if stack.settings.user_pool_id is None:
        suppress(
            stack.sign_in.pool,
            {
                "COG2": "MFA by authenticator app is optional: technicians may share a phone that has none",
                "COG8": "threat protection needs the Plus tier, which is charged per user; operators can enable it",
            },
        )


def suppress_role_findings(stack: "RoleStack") -> None:
    """Suppress the findings of the stack of the commissioner's role."""
    iot = f"arn:aws:iot:*:{stack.account_id}"
    named = [f"thinggroup/{name}" for name in stack.profiles.thing_groups()]
    named += [f"billinggroup/{name}" for name in stack.profiles.billing_groups()]
    named += [f"thingtype/{name}" for name in stack.profiles.thing_types()]
    named += [f"rule/{NAMES.rule(name)}" for name in (target_rules.CONNECTED, target_rules.DUPLICATES)]
    topic = f"arn:aws:sns:*:{stack.account_id}:{NAMES.name(target_rules.ARRIVALS)}"
    _wildcards(
        stack,
        "CommissionerRole",
        {
            **{f"{iot}:{name}": "this name only, in all Regions of the account" for name in named},
            topic: "this name only, in all Regions of the account",
            f"{iot}:cert/*": _CERTIFICATES,
            f"{iot}:thing/*": _THINGS,
            f"{iot}:topic/lobby/*": _TOPICS,
            f"{iot}:client/*": _CLIENTS,
            f"{iot}:policy/{NAMES.policy('*')}": "one policy per profile, deployed by the targets' stacks",
            "*": _NO_RESOURCE,
        },
    )
    _lint(stack)


def suppress_target_findings(stack: "TargetStack") -> None:
    """Suppress the findings of a target's stack."""
    where = stack.target.target
    _wildcards(stack, "RuleRole", {f"arn:aws:iot:{where.region}:{where.account}:thing/*": _THINGS})
    _lint(stack)


def _wildcards(stack: "LobbyStack | RoleStack | TargetStack", role: str, reasons: Mapping[str, str]) -> None:
    everywhere = regions.with_elsewhere(reasons, stack.settings)
    suppress(
        stack.node.find_child(role), {f"IAM5[Resource::{resource}]": reason for resource, reason in everywhere.items()}
    )


def suppress(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    for rule, reason in reasons.items():
        acknowledgment = Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason)
        Validations.of(construct).acknowledge(acknowledgment)


def _lint(stack: Stack) -> None:
    """Write the suppressions to the template, where cfn-lint reads them."""
    stack.add_metadata("cfn-lint", {"config": {"ignore_checks": list(_LINT)}})
