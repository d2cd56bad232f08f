"""Which resource an AWS IoT call is authorized on, where MiniStack says `*` and AWS names one.

AWS checks what is done with a certificate's policies and things on that certificate, and calls about a CA on its
`cacert` (Service Authorization Reference, "Actions, resources, and condition keys for AWS IoT"). With `*` in its place
a role that is limited as it should be would be denied here, and only here.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from infra.local.ministack.patch_points import Seam

_PARAMETERS: Final = ("service", "method", "path", "headers", "body", "query_params", "region", "account_id")
EXTRACT: Final = Seam("ministack.core.iam_actions", "extract_resource_arn", _PARAMETERS)
SEAMS: Final = (EXTRACT,)
_ATTACH: Final = re.compile(r"/target-policies/[^/]+")
_ATTACHED: Final = re.compile(r"/attached-policies/(arn:.+)")
_THINGS: Final = "/principals/things"
_CA: Final = re.compile(r"/cacertificate/([0-9a-f]+)")


def named_resource(
    method: str, path: str, body: bytes, region: str, account: str, headers: Mapping[str, str]
) -> str | None:
    """The ARN that an AWS IoT call is checked on, where MiniStack does not know it."""
    path = unquote(path)
    ca = _CA.fullmatch(path)
    if ca:
        return f"arn:aws:iot:{region}:{account}:cacert/{ca[1]}"
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
    """Have AWS IoT calls authorized on what they name."""

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
            named = named_resource(method, path, body, region, account_id, headers) if service == "iot" else None
            return named or original(service, method, path, headers, body, query_params, region, account_id)

        return extract

    EXTRACT.wrap(wrap)
