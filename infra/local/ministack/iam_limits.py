"""Enforces the sizes of the policies of IAM roles.

Difference from AWS: all inline policies of a role have at most 10,240 characters together, and its trust policy 2,048,
without white space (IAM user guide, "IAM and AWS STS quotas"). IAM answers LimitExceeded, so CloudFormation cannot
create the role or change its policies. MiniStack accepts policies of any size.

Unnecessary when: MiniStack enforces these sizes.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

PUT: Final = PatchPoint("ministack.services.iam", "_put_role_policy", ("p",))
PARAMETER: Final = PatchPoint("ministack.services.iam", "_p", ("params", "key", "default"))
ERROR: Final = PatchPoint("ministack.services.iam", "_error", ("status", "code", "message", "ns"))
ACTIONS: Final = PatchPoint("ministack.services.iam", "_IAM_HANDLERS")
ROLES: Final = PatchPoint("ministack.services.iam", "_roles")
HANDLERS: Final = PatchPoint("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
PATCH_POINTS: Final = (PUT, PARAMETER, ERROR, ACTIONS, ROLES, HANDLERS)
ROLE: Final = "AWS::IAM::Role"
MAX_INLINE: Final = 10_240
MAX_TRUST: Final = 2_048


def size_of(document: Any) -> int:
    """Return the characters of a policy document without white space."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return len(re.sub(r"\s", "", text))


def inline_problem(role: str, policies: Mapping[str, Any]) -> str | None:
    """Return IAM's message if the inline policies of a role, by name, are too large."""
    if sum(map(size_of, policies.values())) <= MAX_INLINE:
        return None
    return f"Maximum policy size of {MAX_INLINE} bytes exceeded for role {role}"


def role_problem(name: str, properties: Mapping[str, Any], others: Mapping[str, Any]) -> str | None:
    """Return IAM's message if a role of a stack is too large. `others` are its inline policies of other resources."""
    own = {each["PolicyName"]: each["PolicyDocument"] for each in properties.get("Policies", [])}
    if size_of(properties.get("AssumeRolePolicyDocument", {})) > MAX_TRUST:
        return f"Cannot exceed quota for ACLSizePerRole: {MAX_TRUST}"
    return inline_problem(name, {**others, **own})


def apply() -> None:
    """Check the sizes when a policy is put, and when a stack creates or updates a role."""
    PUT.wrap(_putting)
    ACTIONS.resolve()["PutRolePolicy"] = PUT.resolve()
    handler = HANDLERS.resolve()[ROLE]
    handler["create"] = _provisioning(handler["create"], properties=1)
    handler["update"] = _provisioning(handler["update"], properties=2)


def _putting(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def put(p: Any) -> Any:
        parameter = PARAMETER.resolve()
        name = parameter(p, "RoleName")
        role = ROLES.resolve().get(name)
        changed = {parameter(p, "PolicyName"): parameter(p, "PolicyDocument")}
        problem = inline_problem(name, role["InlinePolicies"] | changed) if role else None
        return original(p) if problem is None else ERROR.resolve()(409, "LimitExceeded", problem, "iam")

    return put


def _provisioning(provision: Callable[..., Any], *, properties: int) -> Callable[..., Any]:
    """Check a role before it is created or updated. `properties` is the position of the new properties."""

    def provisioning(*arguments: Any, **more: Any) -> Any:
        wanted = arguments[properties]
        name = str(wanted.get("RoleName") or arguments[0])
        role = ROLES.resolve().get(arguments[0]) if properties > 1 else None
        before = {each["PolicyName"] for each in arguments[1].get("Policies", [])} if role else set()
        others = {key: value for key, value in role["InlinePolicies"].items() if key not in before} if role else {}
        problem = role_problem(name, wanted, others)
        if problem is not None:
            raise ValueError(problem)
        return provision(*arguments, **more)

    return provisioning
