"""Enforces AWS IoT's limits of policies, and the statuses that a certificate can be set to.

Differences from AWS: MiniStack accepts any JSON as a policy, without limits. On AWS:
- A policy document has at most 2,048 characters without white space, a policy at most 5 versions, and a certificate or
  thing group at most 10 policies (AWS IoT endpoints and quotas, "Policy" limits; the errors are those of the API
  reference, CreatePolicy, CreatePolicyVersion and AttachPolicy).
- A document has statements with effect, action and resource (developer guide, "AWS IoT Core policies").
- UpdateCertificate sets ACTIVE, INACTIVE and REVOKED; PENDING_TRANSFER and PENDING_ACTIVATION are for AWS IoT's own use
  (API reference, UpdateCertificate).

Unnecessary when: MiniStack enforces these rules.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_IOT: Final = "ministack.services.iot"
CREATE: Final = PatchPoint(_IOT, "_create_policy", ("name", "payload"))
CREATE_VERSION: Final = PatchPoint(_IOT, "_create_policy_version", ("name", "payload", "qp"))
TARGET: Final = PatchPoint(_IOT, "_change_policy_target", ("name", "target", "attach", "principal"))
CERTIFICATE: Final = PatchPoint(_IOT, "_handle_certificate", ("method", "path", "body", "qp"))
POLICIES: Final = PatchPoint(_IOT, "_policies")
ATTACHED: Final = PatchPoint(_IOT, "_policies_attached_to", ("target",))
ERROR: Final = PatchPoint("ministack.core.responses", "error_response_json")
PATCH_POINTS: Final = (CREATE, CREATE_VERSION, TARGET, CERTIFICATE, POLICIES, ATTACHED, ERROR)
MAX_CHARACTERS: Final = 2048
MAX_VERSIONS: Final = 5
MAX_ATTACHED: Final = 10
_RESERVED: Final = ("PENDING_TRANSFER", "PENDING_ACTIVATION")


def document_problem(document: str) -> str | None:
    """Return why AWS IoT does not accept a policy document."""
    size = len(re.sub(r"\s", "", document))
    if size > MAX_CHARACTERS:
        return f"got a policy document of {size} characters without white space, want at most {MAX_CHARACTERS}"
    try:
        content = json.loads(document)
    except ValueError:
        return "got a policy document that is not JSON"
    statements = content.get("Statement") if isinstance(content, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    if not all(_is_statement(each) for each in listed):
        return "got a policy document without statements that have Effect (Allow, Deny), Action and Resource"
    return None


def _is_statement(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("Effect") not in ("Allow", "Deny"):
        return False
    return bool(value.get("Action") and value.get("Resource"))


def apply() -> None:
    """Check requests before MiniStack processes them."""
    CREATE.wrap(_creating)
    CREATE_VERSION.wrap(_creating_version)
    TARGET.wrap(_attaching)
    CERTIFICATE.wrap(_updating_certificate)


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(name: str, payload: dict[str, Any]) -> Any:
        problem = document_problem(payload.get("policyDocument") or "")
        if problem is not None and name not in POLICIES.resolve():
            return ERROR.resolve()("MalformedPolicyException", problem, 400)
        return original(name, payload)

    return create


def _creating_version(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(name: str, payload: dict[str, Any], qp: dict[str, str]) -> Any:
        policy = POLICIES.resolve().get(name)
        problem = document_problem(payload.get("policyDocument") or "")
        if policy is not None and problem is not None:
            return ERROR.resolve()("MalformedPolicyException", problem, 400)
        if policy is not None and len(policy["versions"]) >= MAX_VERSIONS:
            message = f"The policy {name} already has the maximum number of versions ({MAX_VERSIONS})"
            return ERROR.resolve()("VersionsLimitExceededException", message, 409)
        return original(name, payload, qp)

    return create


def _attaching(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(name: str, target: str | None, *, attach: bool, principal: bool = False) -> Any:
        if attach and target and name in POLICIES.resolve():
            attached = {each["policyName"] for each in ATTACHED.resolve()(target)}
            if name not in attached and len(attached) >= MAX_ATTACHED:
                message = f"got {len(attached)} policies attached to {target}, want at most {MAX_ATTACHED}"
                return ERROR.resolve()("LimitExceededException", message, 410)
        return original(name, target, attach=attach, principal=principal)

    return change


def _updating_certificate(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle(method: str, path: str, body: bytes, qp: dict[str, str]) -> Any:
        status = qp.get("newStatus")
        if method == "PUT" and status in _RESERVED:
            return ERROR.resolve()("InvalidRequestException", f"got newStatus {status}, which AWS IoT sets itself", 400)
        return original(method, path, body, qp)

    return handle
