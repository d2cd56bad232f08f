"""Moves the commissioner's role from the target's stack of an earlier version to its own stack. The lobby can use the
role during the whole upgrade. First the role in the target's stack gets its new properties and is marked as retained.
Then the deployment of the target's stack removes the role from the stack but not from the account. Then the role's
stack adopts it. An interrupted upgrade continues with the next deployment.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from infra import stack_names
from infra.errors import InfraError
from infra.teardown.regions import regions_with
from infra.teardown.stacks import ROLE, Stack
from lobby import strict_json
from lobby.domain.targets.target import TARGET_ROLE
from lobby.names import Region

if TYPE_CHECKING:
    from pathlib import Path

_KEPT: Final = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


class RoleUnknown(InfraError):
    """It is not known which Region's stack has the account's role: ROLE_UNKNOWN."""


def retain_role(target: Stack, assembly: "Path", role_stack: str) -> bool:
    """If the target's stack contains the role, give it the properties of the stack `role_stack` in `assembly`, and
    retain it when it is removed. Return whether it did. Raise `StackNotDeleted`."""
    if TARGET_ROLE not in target.resources(ROLE):
        return False
    template = target.template()
    [name] = [key for key, each in template["Resources"].items() if _is_role(each)]
    new = strict_json.loads((assembly / f"{role_stack}.template.json").read_text())["Resources"]
    [properties] = [each["Properties"] for each in new.values() if _is_role(each)]
    # CloudFormation ignores an update that changes only these attributes, so the metadata is also changed.
    template["Resources"][name] = {"Type": ROLE, "Properties": properties, "Metadata": {"moved": role_stack}, **_KEPT}
    target.update(template)
    return True


def role_elsewhere(session: Any, here: Region, regions: Sequence[str] | None = None) -> str | None:
    """Return the other Region whose stacks have the account's role, or None. Raise `RoleUnknown` if the role exists, no
    stack with it is found, and a Region does not answer. `regions` are by default all Regions that have AWS IoT."""
    if not _exists(session) or _has_role(session, here):
        return None
    found = regions_with(session, [stack_names.ROLE, stack_names.TARGET], regions)
    candidates = dict.fromkeys((*found.regions[stack_names.ROLE], *found.regions[stack_names.TARGET]))
    for region in candidates:
        if region != here and _has_role(session, region):
            return region
    if found.unknown:
        message = f"got a role {TARGET_ROLE}, and no answer from {', '.join(found.unknown)}, which may have its stack"
        raise RoleUnknown("ROLE_UNKNOWN", f"{message}; use --without-role if one of them has it")
    return None


def is_adoptable(session: Any, here: Region) -> bool:
    """Return whether the account has the role, but no stack `here` has it. Call `role_elsewhere` first."""
    return _exists(session) and not _has_role(session, here)


def _has_role(session: Any, region: str) -> bool:
    client = session.client("cloudformation", region_name=region)
    return any(TARGET_ROLE in Stack(client, name).resources(ROLE) for name in (stack_names.ROLE, stack_names.TARGET))


def _exists(session: Any) -> bool:
    iam = session.client("iam")
    try:
        iam.get_role(RoleName=TARGET_ROLE)
    except iam.exceptions.NoSuchEntityException:
        return False
    return True


def _is_role(resource: dict[str, Any]) -> bool:
    return bool(resource["Type"] == ROLE and resource.get("Properties", {}).get("RoleName") == TARGET_ROLE)
