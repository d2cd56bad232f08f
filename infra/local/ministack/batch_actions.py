"""Authorizes the batch calls of SQS as AWS does.

Difference from AWS: `SendMessageBatch`, `DeleteMessageBatch` and `ChangeMessageVisibilityBatch` are not actions of IAM;
they need the permission for the call on a single message (SQS developer guide, "Amazon SQS API permissions: Actions and
resource reference"). MiniStack requires a permission with the name of the batch call, which does not exist in AWS.

Unnecessary when: MiniStack's `extract_iam_action` returns the actions of IAM for these calls.
"""

from collections.abc import Callable
from typing import Final

from infra.local.ministack.patch_points import PatchPoint

_PARAMETERS: Final = ("service", "method", "path", "headers", "body", "query_params")
ACTION: Final = PatchPoint("ministack.core.iam_actions", "extract_iam_action", _PARAMETERS)
PATCH_POINTS: Final = (ACTION,)
_SQS: Final = "sqs:"
_BATCH: Final = "Batch"


def permitted_by(action: str | None) -> str | None:
    """Return the action of IAM that permits a call."""
    if action is not None and action.startswith(_SQS) and action.endswith(_BATCH):
        return action.removesuffix(_BATCH)
    return action


def apply() -> None:
    """Authorize batch calls as calls on single messages."""

    def wrap(original: Callable[..., str | None]) -> Callable[..., str | None]:
        def extract(
            service: str,
            method: str,
            path: str,
            headers: dict[str, str],
            body: bytes,
            query_params: dict[str, str],
        ) -> str | None:
            return permitted_by(original(service, method, path, headers, body, query_params))

        return extract

    ACTION.wrap(wrap)
