"""Translates botocore's errors: a permanent refusal becomes a `TargetRefusal`, every other error is temporary.

An error code that is not listed here is temporary, so that an unknown failure is retried and never becomes a reason.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from commissioner.errors import TargetRefusal
from lobby.names import Target

DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedException", "AuthorizationError", "ForbiddenException"}
)
"""ForbiddenException comes from AWS IoT's data plane, without a message."""
SESSION_REASONS: Final = frozenset({"TARGET_PERMISSION_MISSING", "TARGET_REGION_DISABLED"})
"""Reasons that an outdated session can also cause."""
NOT_FOUND: Final = "ResourceNotFoundException"
_REGION_DISABLED: Final = {"InvalidClientTokenId", "UnrecognizedClientException", "RegionDisabledException"}
_CERTIFICATE_REJECTED: Final = {
    "CertificateValidationException",
    "CertificateConflictException",
    "CertificateStateException",
    "InvalidRequestException",
}
_THROTTLED: Final = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
}
_ON_THINGS: Final = {"CreateThing", "UpdateThing", "AddThingToThingGroup", "AddThingToBillingGroup"}
"""Calls that name a thing type, thing group or billing group. A deprecated type is an invalid request."""
_DELETIONS: Final = {"DeleteThing", "DeleteCertificate"}
"""Calls that AWS IoT refuses while it still counts a thing or certificate as attached (API reference,
DetachThingPrincipal)."""
_SERVER_ERROR: Final = 500
_MESSAGE_LIMIT: Final = 300
_ERROR_LIMIT: Final = 400


def code_of(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def message_of(error: ClientError) -> str:
    """Return AWS's message, at most 300 characters."""
    return (error.response["Error"].get("Message") or "no message")[:_MESSAGE_LIMIT]


def is_throttled(error: Exception) -> bool:
    """Return whether AWS throttled the call, which is always temporary."""
    return isinstance(error, ClientError) and is_throttling(code_of(error))


def is_throttling(code: object) -> bool:
    return code in _THROTTLED


def is_answer(error: ClientError) -> bool:
    """Return whether the service answered. Refusals and throttling are answers; server errors are not."""
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status < _SERVER_ERROR


def target_refusal(error: ClientError, target: str) -> TargetRefusal | None:
    """Return `error` as a permanent refusal, or None if another attempt may succeed. `target` is for the message."""
    code = code_of(error)
    if code in DENIED:
        assuming = error.operation_name == "AssumeRole"
        reason = "TARGET_ROLE_DENIED" if assuming else "TARGET_PERMISSION_MISSING"
    elif code == NOT_FOUND and error.operation_name == "AttachPolicy":
        reason = "TARGET_POLICY_MISSING"
    elif code in (NOT_FOUND, "InvalidRequestException") and error.operation_name in _ON_THINGS:
        reason = "TARGET_PROFILE_INCOMPLETE"
    elif error.operation_name in _DELETIONS:
        return None
    elif code == "LimitExceededException":
        reason = "TARGET_LIMIT"
    elif code in _REGION_DISABLED:
        reason = "TARGET_REGION_DISABLED"
    elif code in _CERTIFICATE_REJECTED:
        reason = "TARGET_REFUSED_CERTIFICATE"
    else:
        return None
    answer = f"{target} answered {code} to {error.operation_name} ({message_of(error)})"
    return TargetRefusal.with_advice(reason, answer)


@contextmanager
def failures_as_refusals(target: Target) -> Iterator[None]:
    """Raise each failure of the calls inside the context as a `TargetRefusal`, for callers that do not retry. A
    temporary failure becomes TARGET_UNREACHABLE."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        refusal = target_refusal(error, str(target)) if isinstance(error, ClientError) else None
        message = f"{target} answered {type(error).__name__}: {error}"[:_ERROR_LIMIT]
        raise refusal or TargetRefusal.with_advice("TARGET_UNREACHABLE", message) from error
