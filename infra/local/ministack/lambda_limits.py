"""Refuses responses of Lambda functions that are larger than 6 MB.

Difference from AWS: a response has at most 6 MB (Lambda developer guide, "Lambda quotas": invocation payload); a
larger one is an error of the function. MiniStack returns it.

Unnecessary when: MiniStack has this limit.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

RUN: Final = PatchPoint(
    "ministack.services.lambda_svc",
    "_execute_function_dispatch",
    ("func", "config", "event", "request_id", "started"),
)
PATCH_POINTS: Final = (RUN,)
MAX_BYTES: Final = 6_291_556
_ERROR: Final = {
    "errorType": "Function.ResponseSizeTooLarge",
    "errorMessage": f"Response payload size exceeded maximum allowed payload size ({MAX_BYTES} bytes).",
}


def limited(result: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a run, or an error if its response is too large."""
    if result.get("error") or size_of(result.get("body")) <= MAX_BYTES:
        return result
    return result | {"body": dict(_ERROR), "error": True}


def size_of(body: Any) -> int:
    """Return the bytes of a response, which is JSON."""
    return len(body) if isinstance(body, bytes) else len(json.dumps(body, ensure_ascii=False).encode())


def apply() -> None:
    """Check the response of every run."""
    RUN.wrap(_limiting)


def _limiting(original: Callable[..., Any]) -> Callable[..., Any]:
    def run(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        return limited(original(func, config, event, request_id, started))

    return run
