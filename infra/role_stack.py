"""The stack of the commissioner's role in a target account. An account has one, because IAM is global.

It is separate from the targets' stacks, so that deleting the target in one Region keeps the role for the others. The
role trusts the lobby's account root under two conditions: the caller is the commissioner's role, and it sends this
account's ExternalId. A role as principal would be stored by its unique id, so the trust would end if the lobby were
deleted and created again (IAM user guide, "AWS JSON policy elements: Principal", IAM role principals).
"""

from typing import cast

from aws_cdk import CfnOutput, Environment, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import stack_names
from infra.nag_suppressions import suppress_role_findings
from infra.parts import functions
from infra.parts.permissions import allow
from infra.regions import region_parts as regions
from infra.settings import Settings, TargetSettings
from lobby.deployment import NAMES
from lobby.domain.targets import target_rules
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target import TARGET_ROLE
from lobby.names import Target


def commissioner_roles(settings: Settings) -> list[str]:
    """Return the names of the commissioner's role in each Region of the lobby."""
    return regions.role_names(functions.COMMISSIONER.name, settings)


class RoleStack(Stack):
    """The role of one target account, in the Region of the target that is set up first."""

    def __init__(self, scope: Construct, settings: Settings, target: TargetSettings) -> None:
        where, lobby = target.target, settings.lobby
        super().__init__(
            scope,
            stack_names.role_id(where.account),
            stack_name=stack_names.ROLE,
            env=Environment(account=where.account, region=where.region),
            description=f"Device Lobby: allows the lobby in account {lobby.account} to register devices here",
        )
        self.settings, self.account_id, self.profiles = settings, where.account, settings.profiles
        trusted = [f"arn:aws:iam::{lobby.account}:role/{name}" for name in commissioner_roles(settings)]
        commissioner = iam.AccountPrincipal(lobby.account).with_conditions(
            {
                "ArnEquals": {"aws:PrincipalArn": trusted if settings.regions else trusted[0]},
                "StringEquals": {"sts:ExternalId": target.external_id},
            }
        )
        role = iam.Role(
            self,
            "CommissionerRole",
            role_name=TARGET_ROLE,
            description="Allows the lobby's commissioner to register devices in this account",
            assumed_by=commissioner,
            inline_policies={"register-devices": iam.PolicyDocument(statements=commissioning(where, settings))},
        )
        if settings.adopt_role:
            # CloudFormation adopts only resources that are retained. It ignores an update that changes only the
            # deletion policy.
            role.apply_removal_policy(RemovalPolicy.RETAIN)
            cast(iam.CfnRole, role.node.default_child).add_metadata("adopted", "true")
        CfnOutput(self, "RoleArn", value=f"arn:aws:iam::{where.account}:role/{TARGET_ROLE}")
        suppress_role_findings(self)


def _on_things(arn: str, profiles: Profiles) -> list[iam.PolicyStatement]:
    """Return the commissioner's permissions on things, and on the types and groups that the profiles name. AWS checks
    the permission to add a thing to a group on both (Service Authorization Reference)."""
    things = ["iot:CreateThing", "iot:DescribeThing", "iot:UpdateThing"]
    groups = [f"{arn}:thinggroup/{name}" for name in profiles.thing_groups()]
    billing = [f"{arn}:billinggroup/{name}" for name in profiles.billing_groups()]
    types = [f"{arn}:thingtype/{name}" for name in profiles.thing_types()]
    shadows = ["GetThingShadow", "UpdateThingShadow", "DeleteThingShadow", "ListNamedShadowsForThing"]
    found = [
        allow("Things", things, f"{arn}:thing/*"),
        allow("Shadows", [f"iot:{action}" for action in shadows], f"{arn}:thing/*"),
    ]
    if types:
        found.append(allow("ThingTypes", ["iot:DescribeThingType"], *types))
    if groups:
        membership = ["iot:AddThingToThingGroup", "iot:RemoveThingFromThingGroup"]
        found.append(allow("ThingGroups", membership, f"{arn}:thing/*", *groups))
        found.append(allow("FindThingGroups", ["iot:DescribeThingGroup"], *groups))
        found.append(allow("GroupsOfThings", ["iot:ListThingGroupsForThing"], f"{arn}:thing/*"))
    if billing:
        membership = ["iot:AddThingToBillingGroup", "iot:RemoveThingFromBillingGroup"]
        found.append(allow("BillingGroups", membership, f"{arn}:thing/*", *billing))
        found.append(allow("FindBillingGroups", ["iot:DescribeBillingGroup"], *billing))
    return found


def commissioning(target: Target, settings: Settings) -> list[iam.PolicyStatement]:
    """Return the permissions of the commissioner and the inspector in this account, in all its Regions. They cover all
    profiles of the lobby, because the Regions share the role and may deploy different profiles."""
    arn = f"arn:aws:iot:*:{target.account}"
    topic = f"arn:aws:sns:*:{target.account}:{NAMES.name(target_rules.ARRIVALS)}"
    rules = [f"{arn}:rule/{NAMES.rule(rule)}" for rule in (target_rules.CONNECTED, target_rules.DUPLICATES)]
    return [
        allow(
            "Certificates",
            [
                "iot:DescribeCertificate",
                "iot:UpdateCertificate",
                "iot:AttachPolicy",
                "iot:DetachPolicy",
                "iot:ListPrincipalThings",
            ],
            f"{arn}:cert/*",
        ),
        *_on_things(arn, settings.profiles),
        *(_removal(arn) if settings.removes_left else ()),
        allow("Policies", ["iot:GetPolicy", "iot:ListTargetsForPolicy"], f"{arn}:policy/{NAMES.policy('*')}"),
        allow("CheckRules", ["iot:GetTopicRule"], *rules),
        allow("CheckReports", ["sns:ListSubscriptionsByTopic"], topic),
        allow("PublishToDevices", ["iot:Publish"], f"{arn}:topic/lobby/*"),
        allow("EndSessions", ["iot:DeleteConnection"], f"{arn}:client/*"),
        allow(
            "NoResourceLevel",
            [
                "iot:ListAttachedPolicies",
                "iot:RegisterCertificateWithoutCA",
                "iot:AttachThingPrincipal",
                "iot:DescribeEndpoint",
                "iot:ListThings",
                "iot:ListCertificates",
            ],
            "*",
        ),
    ]


def _removal(arn: str) -> list[iam.PolicyStatement]:
    """Return the commissioner's permissions to remove the registration of a device that has left."""
    return [
        allow("RemoveThings", ["iot:DeleteThing"], f"{arn}:thing/*"),
        allow("RemoveCertificates", ["iot:DeleteCertificate"], f"{arn}:cert/*"),
        allow("DetachThings", ["iot:DetachThingPrincipal"], "*"),
    ]
