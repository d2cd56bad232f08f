"""Moves the commissioner's role from the target's stack of an earlier version to its own stack, without a gap.

The lobby can use the role all the time. Before the target's stack is deployed, the role in it gets its new properties
and is marked as retained, so the deployment removes it from the stack and not from the account. Then the role's stack
adopts it. An interrupted upgrade continues with the next deployment.
"""

import json
from typing import TYPE_CHECKING, Any, Final

from infra import stack_names
from infra.teardown.stacks import ROLE, Stack
from lobby.domain.target import TARGET_ROLE

if TYPE_CHECKING:
    from pathlib import Path

_KEPT: Final = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def retain_role(target: Stack, assembly: "Path", role_stack: str) -> bool:
    """If the target's stack contains the role, give it the properties of the stack `role_stack` in `assembly`, and
    retain it when it is removed. Return whether it did. Raise `StackNotDeleted`."""
    if TARGET_ROLE not in target.resources(ROLE):
        return False
    template = target.template()
    [name] = [key for key, each in template["Resources"].items() if _is_role(each)]
    new = json.loads((assembly / f"{role_stack}.template.json").read_text())["Resources"]
    [properties] = [each["Properties"] for each in new.values() if _is_role(each)]
    # CloudFormation does not apply a change of these attributes alone, so the metadata changes, too.
    template["Resources"][name] = {"Type": ROLE, "Properties": properties, "Metadata": {"moved": role_stack}, **_KEPT}
    target.update(template)
    return True


def is_adoptable(session: Any, role: Stack) -> bool:
    """Return whether the account has the role, but no stack has it."""
    if role.status() not in (None, "REVIEW_IN_PROGRESS"):
        return False
    iam = session.client("iam")
    try:
        iam.get_role(RoleName=TARGET_ROLE)
    except iam.exceptions.NoSuchEntityException:
        return False
    return TARGET_ROLE not in Stack(role.cloudformation, stack_names.TARGET, role.sleep, role.poll).resources(ROLE)


def _is_role(resource: dict[str, Any]) -> bool:
    return bool(resource["Type"] == ROLE and resource.get("Properties", {}).get("RoleName") == TARGET_ROLE)
