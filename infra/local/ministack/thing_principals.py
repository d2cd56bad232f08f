"""Adds `thingPrincipalType` to AttachThingPrincipal: a certificate that is exclusive to one thing.

Difference from AWS: a certificate attached as EXCLUSIVE_THING can be attached to another thing only after it has been
detached (AWS IoT developer guide, "Associating an AWS IoT thing to an MQTT client connection"). MiniStack ignores the
parameter. AWS does not document the error. Of its documented errors only InvalidRequestException applies. Attaching
again to the same thing succeeds and keeps or sets the type.

Unnecessary when: MiniStack enforces `thingPrincipalType`.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_IOT: Final = "ministack.services.iot"
PRINCIPALS: Final = PatchPoint(_IOT, "_handle_thing_principals", ("method", "path", "headers", "body", "qp"))
THINGS: Final = PatchPoint(_IOT, "_things")
CERTIFICATES: Final = PatchPoint(_IOT, "_certificates")
THING_NAME: Final = PatchPoint(_IOT, "_thing_name_from_arn", ("arn",))
PATCH_POINTS: Final = (PRINCIPALS, THINGS, CERTIFICATES, THING_NAME)
EXCLUSIVE: Final = "EXCLUSIVE_THING"
NON_EXCLUSIVE: Final = "NON_EXCLUSIVE_THING"
_FIELD: Final = "exclusiveThing"
"""The name of the thing in MiniStack's record of a certificate; the record is part of the saved state."""


def apply() -> None:
    """Enforce the type."""
    PRINCIPALS.wrap(_enforcing)


def _enforcing(original: Callable[..., Any]) -> Callable[..., Any]:
    def handle(method: str, path: str, headers: Any, body: bytes, qp: Any) -> Any:
        wanted = qp.get("thingPrincipalType") or NON_EXCLUSIVE
        name = path.removeprefix("/things/").removesuffix("/principals")
        certid = str(headers.get("x-amzn-principal") or qp.get("principal") or "").rpartition("/")[2]
        certificate = CERTIFICATES.resolve().get(certid)
        if method == "PUT" and certificate is not None:
            problem = refusal(name, wanted, attached_things(certificate), certificate.get(_FIELD))
            if problem:
                headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "InvalidRequestException"}
                return 400, headers, json.dumps({"message": problem}).encode()
        response = original(method, path, headers, body, qp)
        if certificate is not None and response[0] == 200:
            if method == "PUT" and wanted == EXCLUSIVE:
                certificate[_FIELD] = name
            elif method == "DELETE" and certificate.get(_FIELD) == name:
                del certificate[_FIELD]
        return response

    return handle


def attached_things(certificate: dict[str, Any]) -> list[str]:
    """Return the existing things that a certificate is attached to."""
    names = [THING_NAME.resolve()(arn) for arn in certificate.get("attachedThings", ())]
    return [name for name in names if name in THINGS.resolve()]


def refusal(name: str, wanted: str, attached: list[str], exclusive_to: str | None) -> str | None:
    """Return why the certificate cannot be attached to the thing `name`, or None."""
    if wanted not in (EXCLUSIVE, NON_EXCLUSIVE):
        return f"got thingPrincipalType {wanted}, want {EXCLUSIVE} or {NON_EXCLUSIVE}"
    others = [each for each in attached if each != name]
    if exclusive_to in others:
        return f"Principal is exclusively attached to thing {exclusive_to}"
    if wanted == EXCLUSIVE and others:
        return f"Principal is attached to other things: {', '.join(others)}"
    return None
