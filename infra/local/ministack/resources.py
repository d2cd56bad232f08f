"""Authorizes AWS IoT calls on the resource that they name.

Difference from AWS: AWS authorizes calls that attach or list a certificate's policies and things on that certificate,
calls on a CA certificate on its `cacert`, calls on a connection on its `client`, the list of a policy's targets on the
policy, and a list of shadows on the thing (Service Authorization Reference, "Actions, resources, and condition keys for
AWS IoT"). MiniStack authorizes them on `*`, so it denies a role that is limited to these resources.

The patch returns the resource's ARN for these calls.

Unnecessary when: MiniStack's `extract_resource_arn` returns the ARNs of these calls.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from infra.local.ministack.patch_points import PatchPoint

_PARAMETERS: Final = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")
EXTRACT: Final = PatchPoint("ministack.core.iam_actions", "extract_resource_arn", _PARAMETERS)
PATCH_POINTS: Final = (EXTRACT,)
_ATTACH: Final = re.compile(r"/target-policies/[^/]+")
_ATTACHED: Final = re.compile(r"/attached-policies/(arn:.+)")
_SERVICES: Final = frozenset({"iot", "iot-data"})
_THINGS: Final = "/principals/things"
_CA: Final = re.compile(r"/cacertificate/([0-9a-f]+)")
_HOLDERS: Final = re.compile(r"/policy-targets/([^/]+)")
_SHADOWS: Final = re.compile(r"/api/things/shadow/ListNamedShadowsForThing/([^/]+)")
_CONNECTION: Final = re.compile(r"/connections/(.+?)(/messages|/subscriptions)?")


def named_resource(
    method: str, path: str, body: bytes, region: str, account: str, headers: Mapping[str, str]
) -> str | None:
    """Return the ARN that an AWS IoT call is authorized on, or None if MiniStack's own result is correct."""
    path = unquote(path)
    for kind, pattern in (("cacert", _CA), ("client", _CONNECTION), ("policy", _HOLDERS), ("thing", _SHADOWS)):
        if named := pattern.fullmatch(path):
            return f"arn:aws:iot:{region}:{account}:{kind}/{named[1]}"
    attached = _ATTACHED.fullmatch(path)
    if attached:
        return attached[1]
    if path == _THINGS:
        return headers.get("x-amzn-principal")
    if method in ("PUT", "POST") and _ATTACH.fullmatch(path):
        try:
            target = json.loads(body).get("target")
        except (ValueError, AttributeError):
            return None
        return target if isinstance(target, str) and target else None
    return None


def apply() -> None:
    """Authorize AWS IoT calls on the resource that they name."""

    def wrap(original: Callable[..., str]) -> Callable[..., str]:
        def extract(
            service: str,
            method: str,
            path: str,
            headers: dict[str, str],
            body: bytes,
            query_params: dict[str, str],
            region: str,
            account_id: str,
        ) -> str:
            named = named_resource(method, path, body, region, account_id, headers) if service in _SERVICES else None
            return named or original(service, method, path, headers, body, query_params, region, account_id)

        return extract

    EXTRACT.wrap(wrap)
