"""IAM session policies: each narrows an assumed role to one target and to the actions that one task needs.

The role in the target may allow more. For actions that support no resources, the Region and the session's own account
are the limit (Service Authorization Reference, AWS IoT).
"""

from typing import Any, Final

from lobby.domain.target import profile_policy
from lobby.names import Fingerprint, Target

Policy = dict[str, Any]
_ON_THINGS: Final = [
    "iot:CreateThing",
    "iot:DescribeThing",
    "iot:UpdateThing",
    "iot:ListThingGroupsForThing",
    "iot:AddThingToThingGroup",
    "iot:RemoveThingFromThingGroup",
    "iot:AddThingToBillingGroup",
    "iot:RemoveThingFromBillingGroup",
]
"""The target's role names the groups. A session policy, of 2,048 characters at most, cannot (IAM and STS quotas)."""


def commissioning_policy(target: Target) -> Policy:
    """Allow what commissioning needs."""
    arn = _arn_prefix(target)
    without_resources = [
        "iot:RegisterCertificateWithoutCA",
        "iot:AttachThingPrincipal",
        "iot:ListAttachedPolicies",
        "iot:DescribeEndpoint",
    ]
    certificate_actions = ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:AttachPolicy", "iot:DetachPolicy"]
    return _allow(
        _in_target(target, without_resources),
        {"Action": certificate_actions, "Resource": f"{arn}:cert/*"},
        {"Action": _ON_THINGS, "Resource": [f"{arn}:thing/*", f"{arn}:thinggroup/*", f"{arn}:billinggroup/*"]},
        {"Action": "iot:GetPolicy", "Resource": f"{arn}:policy/device-lobby-*"},
        {"Action": "iot:Publish", "Resource": f"{arn}:topic/lobby/*"},
        {"Action": "iot:DeleteConnection", "Resource": f"{arn}:client/*"},
    )


def reading_policy(target: Target) -> Policy:
    """Allow reading only."""
    arn = _arn_prefix(target)
    certificate_actions = ["iot:DescribeCertificate", "iot:ListPrincipalThings"]
    return _allow(
        {"Action": certificate_actions, "Resource": f"{arn}:cert/*"},
        {"Action": ["iot:DescribeThing", "iot:ListThingGroupsForThing"], "Resource": f"{arn}:thing/*"},
        {"Action": "iot:ListTargetsForPolicy", "Resource": f"{arn}:policy/{profile_policy('*')}"},
        _in_target(target, ["iot:ListAttachedPolicies", "iot:ListThings", "iot:ListCertificates"]),
    )


def survey_policy(target: Target) -> Policy:
    """Allow what commissioning and reading need together, and looking up what profiles name: everything that the role
    is for."""
    arn = _arn_prefix(target)
    lookups = {
        "Action": ["iot:DescribeThingType", "iot:DescribeThingGroup", "iot:DescribeBillingGroup"],
        "Resource": [f"{arn}:thingtype/*", f"{arn}:thinggroup/*", f"{arn}:billinggroup/*"],
    }
    only_reading = {
        "Action": ["iot:ListPrincipalThings", "iot:ListTargetsForPolicy"],
        "Resource": [f"{arn}:cert/*", f"{arn}:policy/{profile_policy('*')}"],
    }
    lists = _in_target(target, ["iot:ListThings", "iot:ListCertificates"])
    return _allow(*commissioning_policy(target)["Statement"], only_reading, lists, lookups)


def deactivation_policy(target: Target, certid: Fingerprint) -> Policy:
    """Allow changing the status of this certificate."""
    return _allow({"Action": "iot:UpdateCertificate", "Resource": f"{_arn_prefix(target)}:cert/{certid}"})


def _arn_prefix(target: Target) -> str:
    return f"arn:aws:iot:{target.region}:{target.account}"


def _in_target(target: Target, actions: list[str]) -> Policy:
    """Limit actions that support no resources to the target."""
    condition = {"aws:RequestedRegion": target.region, "aws:PrincipalAccount": target.account}
    return {"Action": actions, "Resource": "*", "Condition": {"StringEquals": condition}}


def _allow(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
