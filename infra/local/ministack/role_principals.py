"""Identifies the roles in trust policies and conditions as IAM does.

Differences from AWS:
- A role as principal of a trust policy is stored by its unique id. When that role is deleted, the policy shows the id,
  and a new role of the same name is not trusted (IAM user guide, "AWS JSON policy elements: Principal", IAM role
  principals). MiniStack compares names, so it also trusts the new role.
- For a session of a role, `aws:PrincipalArn` is the role's ARN (IAM user guide, "AWS global condition context
  keys"). MiniStack returns the session's ARN.

The patch replaces a deleted role's ARN by its id in all trust policies, and returns the role's ARN.

Unnecessary when: MiniStack stores the unique ids of principals, and resolves `aws:PrincipalArn` to the role.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

ROLES: Final = PatchPoint("ministack.services.iam", "_roles")
ACTIONS: Final = PatchPoint("ministack.services.iam", "_IAM_HANDLERS")
DELETE: Final = PatchPoint("ministack.services.iam", "_delete_role", ("p",))
HANDLERS: Final = PatchPoint("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
DELETE_BY_STACK: Final = PatchPoint(
    "ministack.services.cloudformation.provisioners", "_iam_role_delete", ("physical_id", "props")
)
RESOLVE: Final = PatchPoint("ministack.core.iam_evaluator", "_resolve_condition_key", ("key", "ctx"))
PATCH_POINTS: Final = (ROLES, ACTIONS, DELETE, HANDLERS, DELETE_BY_STACK, RESOLVE)
_SESSION: Final = re.compile(r"arn:aws:sts::([0-9]{12}):assumed-role/([^/]+)/.+")


def with_id(trust: str, arn: str, role_id: str) -> str:
    """Return a trust policy in which the principal `arn` is replaced by `role_id`. Conditions are not changed."""
    try:
        document = json.loads(trust)
        statements = document["Statement"]
    except (ValueError, KeyError, TypeError):
        return trust
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal")
        if isinstance(principal, dict) and "AWS" in principal:
            named = principal["AWS"]
            replaced = [role_id if each == arn else each for each in ([named] if isinstance(named, str) else named)]
            principal["AWS"] = replaced[0] if isinstance(named, str) else replaced
    return json.dumps(document)


def role_arn(principal: str) -> str:
    """Return the ARN of a session's role, or any other principal unchanged. Roles with a path are not supported."""
    session = _SESSION.fullmatch(principal)
    return f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else principal


def apply() -> None:
    """Replace deleted roles in trust policies, and resolve `aws:PrincipalArn` to roles."""
    roles = ROLES.resolve()

    def replacing_trust(delete: Callable[..., Any], name_of: Callable[..., str]) -> Callable[..., Any]:
        def deleting(*arguments: Any) -> Any:
            name = name_of(*arguments)
            role = roles.get(name)
            answer = delete(*arguments)
            if role is not None and roles.get(name) is None:
                _replace_by_id(roles, role)
            return answer

        return deleting

    ACTIONS.resolve()["DeleteRole"] = replacing_trust(DELETE.resolve(), _role_name)
    by_stack = replacing_trust(DELETE_BY_STACK.resolve(), lambda physical_id, _props: physical_id)
    HANDLERS.resolve()["AWS::IAM::Role"]["delete"] = by_stack
    RESOLVE.wrap(_resolving)


def _role_name(parameters: dict[str, Any]) -> str:
    name = parameters.get("RoleName", "")
    return str(name[0] if isinstance(name, list) else name)


def _replace_by_id(roles: Any, deleted: dict[str, Any]) -> None:
    for role in list(roles._data.values()):
        trust = role.get("AssumeRolePolicyDocument", "")
        if isinstance(trust, str) and deleted["Arn"] in trust:
            role["AssumeRolePolicyDocument"] = with_id(trust, deleted["Arn"], deleted["RoleId"])


def _resolving(original: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def resolve(key: str, context: Any) -> Any:
        value = original(key, context)
        return role_arn(value) if key.lower() == "aws:principalarn" and isinstance(value, str) else value

    return resolve
