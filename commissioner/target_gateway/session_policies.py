"""IAM session policies: each narrows an assumed role to one target and to the actions that one task needs.

The role in the target may allow more. For actions that support no resources, the Region and the session's own account
are the limit (Service Authorization Reference, AWS IoT).
"""

from typing import Any

from lobby.names import Fingerprint, Target

Policy = dict[str, Any]


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
        {"Action": ["iot:CreateThing", "iot:DescribeThing"], "Resource": f"{arn}:thing/*"},
        {"Action": "iot:GetPolicy", "Resource": f"{arn}:policy/device-lobby-*"},
        {"Action": "iot:Publish", "Resource": f"{arn}:topic/lobby/*"},
    )


def reading_policy(target: Target) -> Policy:
    """Allow reading only."""
    arn = _arn_prefix(target)
    certificate_actions = ["iot:DescribeCertificate", "iot:ListPrincipalThings"]
    return _allow(
        {"Action": certificate_actions, "Resource": f"{arn}:cert/*"},
        {"Action": "iot:DescribeThing", "Resource": f"{arn}:thing/*"},
        _in_target(target, ["iot:ListAttachedPolicies", "iot:ListThings"]),
    )


def survey_policy(target: Target) -> Policy:
    """Allow what commissioning and reading need together: everything that the role is for."""
    return _allow(*commissioning_policy(target)["Statement"], *reading_policy(target)["Statement"])


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
