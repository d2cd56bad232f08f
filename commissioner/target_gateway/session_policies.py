"""IAM session policies: each narrows an assumed role to one target and to the actions that one task needs.

The role in the target may allow more. For actions that support no resources, the Region and the session's own account
are the limit (Service Authorization Reference, AWS IoT).
"""

from typing import Any, Final

from lobby.deployment import NAMES
from lobby.domain.targets.target import profile_policy
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
"""Only the target's role names the groups. A session policy has at most 2,048 characters, which is too short (IAM and
STS quotas)."""


_SHADOWS: Final = ["iot:GetThingShadow", "iot:UpdateThingShadow", "iot:DeleteThingShadow"]
_LIST_SHADOWS: Final = "iot:ListNamedShadowsForThing"
_REMOVING: Final = ("iot:DetachThingPrincipal", "iot:DeleteCertificate", "iot:DeleteThing")
"""The additional actions for removing the registration of a device that has left, in this order: actions without a
resource, on certificates, and on things."""


def commissioning_policy(target: Target, *, removal: bool = False) -> Policy:
    """Allow the calls of commissioning. With `removal`, also allow the removal of devices that have left."""
    detach, delete_certificate, delete_thing = ([action] if removal else [] for action in _REMOVING)
    list_things_of = ["iot:ListPrincipalThings"] if removal else []
    on_things = [*_SHADOWS, _LIST_SHADOWS, *delete_thing]
    return _allow(*_commissioning(target, detach, [*delete_certificate, *list_things_of], on_things))


def shadow_reading_policy(target: Target) -> Policy:
    """Allow reading shadows, and finding the endpoint for it."""
    shadows = {"Action": [_SHADOWS[0], _LIST_SHADOWS], "Resource": f"{_arn_prefix(target)}:thing/*"}
    return _allow(shadows, _in_target(target, ["iot:DescribeEndpoint"]))


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


def survey_policy(target: Target, *, removal: bool = False) -> Policy:
    """Allow everything that the role is for: commissioning, reading, and looking up the resources of profiles and of
    arrival reports."""
    arn = _arn_prefix(target)
    detach, delete_certificate, delete_thing = ([action] if removal else [] for action in _REMOVING)
    lookups = {
        "Action": ["iot:DescribeThing*", "iot:DescribeBillingGroup", "iot:GetTopicRule"],
        "Resource": [f"{arn}:thingtype/*", f"{arn}:thinggroup/*", f"{arn}:billinggroup/*", f"{arn}:rule/*"],
    }
    topics = f"arn:aws:sns:{target.region}:{target.account}:*"
    reports = {"Action": "sns:ListSubscriptionsByTopic", "Resource": topics}
    lists = ["iot:ListThings", "iot:ListCertificates"]
    commissioning = _commissioning(
        target,
        [*lists, *detach],
        ["iot:ListPrincipalThings", *delete_certificate],
        ["iot:*ThingShadow", _LIST_SHADOWS, *delete_thing],  # short, because of the limit of 2,048 characters
    )
    policies = {"Action": "iot:ListTargetsForPolicy", "Resource": f"{arn}:policy/{NAMES.policy('*')}"}
    return _allow(*commissioning, policies, lookups, reports)


def deactivation_policy(target: Target, certid: Fingerprint) -> Policy:
    """Allow changing the status of this certificate."""
    return _allow({"Action": "iot:UpdateCertificate", "Resource": f"{_arn_prefix(target)}:cert/{certid}"})


def marking_policy(target: Target) -> Policy:
    """Allow marking things as arrived."""
    return _allow({"Action": ["iot:DescribeThing", "iot:UpdateThing"], "Resource": f"{_arn_prefix(target)}:thing/*"})


def _commissioning(
    target: Target, more: list[str], on_certificates: list[str], on_things: list[str]
) -> tuple[Policy, ...]:
    """Return the statements of commissioning. The arguments are further actions: without resources, on certificates,
    and on things."""
    arn = _arn_prefix(target)
    without_resources = [
        "iot:RegisterCertificateWithoutCA",
        "iot:AttachThingPrincipal",
        "iot:ListAttachedPolicies",
        "iot:DescribeEndpoint",
    ]
    certificate_actions = ["iot:DescribeCertificate", "iot:UpdateCertificate", "iot:AttachPolicy", "iot:DetachPolicy"]
    groups = [f"{arn}:thing/*", f"{arn}:thinggroup/*", f"{arn}:billinggroup/*"]
    return (
        _in_target(target, [*without_resources, *more]),
        {"Action": [*certificate_actions, *on_certificates], "Resource": f"{arn}:cert/*"},
        {"Action": [*_ON_THINGS, *on_things], "Resource": groups},
        {"Action": "iot:GetPolicy", "Resource": f"{arn}:policy/{NAMES.policy('*')}"},
        {"Action": "iot:Publish", "Resource": f"{arn}:topic/lobby/*"},
        {"Action": "iot:DeleteConnection", "Resource": f"{arn}:client/*"},
    )


def _arn_prefix(target: Target) -> str:
    return f"arn:aws:iot:{target.region}:{target.account}"


def _in_target(target: Target, actions: list[str]) -> Policy:
    """Limit actions that support no resources to the target."""
    condition = {"aws:RequestedRegion": target.region, "aws:PrincipalAccount": target.account}
    return {"Action": actions, "Resource": "*", "Condition": {"StringEquals": condition}}


def _allow(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
