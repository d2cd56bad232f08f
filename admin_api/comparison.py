"""Asking the reconciler: the Lambda that compares a target with the ledger, a page at a time.

The API may not enter a target itself. That the target cannot be looked at, or that the cursor is invalid, is an error
for the caller.
"""

from typing import TYPE_CHECKING

from admin_api.errors import ComparisonFailed
from lobby.contracts import Comparison, ComparisonRequest
from lobby.errors import Conflict, InvalidInput
from lobby.invocation import InvocationFailed, MalformedMessage, RequestRefused, invoke
from lobby.names import Target

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


def compare(
    client: "LambdaClient", function: str, target: Target, cursor: str | None, repair_as: str | None
) -> Comparison:
    """Return a page of differences, which are repaired as the actor `repair_as` (None: reported only). Raise
    `InvalidInput` INVALID_CURSOR, `Conflict` with one of a device's reason codes if the target cannot be compared,
    `ComparisonFailed`."""
    try:
        return invoke(client, function, ComparisonRequest(target, cursor, repair_as))
    except RequestRefused as refused:
        kind = InvalidInput if refused.code == "INVALID_CURSOR" else Conflict
        raise kind(refused.code, refused.message) from None
    except InvocationFailed as error:
        raise ComparisonFailed(f"the reconciler failed for {target}: {error}") from error
    except MalformedMessage as error:
        raise ComparisonFailed(f"the reconciler's answer for {target} is malformed: {error}") from error
