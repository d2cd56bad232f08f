"""Writes each permission that a role has used to `permissions.jsonl` in the state directory, once: role, action and
resource.

Difference from AWS: IAM's last accessed information, and the policies that IAM Access Analyzer generates, list the
actions that a role has used (IAM user guide, "Refine permissions"). MiniStack has neither. The log of calls does not
contain them either: a transaction is one call that uses a permission for each of its items.

Unnecessary when: MiniStack has `GenerateServiceLastAccessedDetails` for actions and resources.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

EVALUATE: Final = PatchPoint("ministack.core.iam_evaluator", "evaluate", ("ctx", "policies", "limits"))
EVALUATE_IN_IOT: Final = PatchPoint("ministack.services.iot", "evaluate", ("ctx", "policies", "limits"))
"""The same function under the name that AWS IoT imports, which evaluates the role of a provisioning template itself."""
PATCH_POINTS: Final = (EVALUATE, EVALUATE_IN_IOT)
_ALLOW: Final = "Allow"
_ROLE: Final = re.compile(r"arn:aws:(?:sts::[0-9]{12}:assumed-role|iam::[0-9]{12}:role)/([^/]+)")


def apply(path: Path) -> None:
    """Append a line to `path` for each permission that is used for the first time since the start."""
    out, seen = path.open("a", buffering=1), set[tuple[str, str, str]]()
    path.chmod(0o600)

    def record(context: Any) -> None:
        role = _ROLE.match(context.principal_arn)
        used = (role[1] if role else "", context.action, context.resource_arn)
        if role and used not in seen:
            seen.add(used)
            out.write(json.dumps(dict(zip(("role", "action", "resource"), used, strict=True))) + "\n")

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def evaluate(ctx: Any, policies: Any, *limits: Any) -> Any:
            result = original(ctx, policies, *limits)
            if result.decision == _ALLOW:
                record(ctx)
            return result

        return evaluate

    EVALUATE.wrap(wrap)
    EVALUATE_IN_IOT.wrap(wrap)
