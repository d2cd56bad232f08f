"""What a failing AWS call means: refused for good, which the operator must mend, or a matter of time.

A permanent refusal becomes the device's `reason`, with a message that says what to do. Everything else
(throttling, 5xx, time-outs, what we do not know) is raised, and the stream delivers the record again.

    Refused               permanent; `code` is one of REASONS
"""

from typing import Final

from botocore.exceptions import ClientError

REASONS: Final = {
    "UNKNOWN_TARGET": "register the target, then retry the device",
    "UNKNOWN_PROFILE": "add the profile to the target and deploy its policy there, then retry",
    "TARGET_ROLE_DENIED": "run `./deploy.sh target` in that account with the target's ExternalId, then retry",
    "TARGET_PERMISSION_MISSING": "deploy the target's stack again: its role lacks a permission; then retry",
    "TARGET_POLICY_MISSING": "deploy the target's stack with this profile, then retry",
    "TARGET_NAME_TAKEN": "another certificate's thing has this name there: remove it or rename the device",
    "TARGET_REFUSED_CERTIFICATE": "AWS IoT in the target does not take this certificate: see the message",
    "TARGET_REVOKED_CERTIFICATE": "its owner has revoked the certificate there: only they can lift that",
    "TARGET_UNREACHABLE": "AWS there does not answer, or is too busy: when it does again, retry",
    "TARGET_LIMIT": "a quota of the target account is used up: raise it, then retry",
    "TARGET_REGION_DISABLED": "enable the Region in the target account, then retry",
}
DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedException", "AuthorizationError", "ForbiddenException"}
)
"""ForbiddenException is what AWS IoT's data plane says, and it comes with no message at all."""
OF_THE_SESSION: Final = frozenset({"TARGET_PERMISSION_MISSING", "TARGET_REGION_DISABLED"})
"""Reasons that may lie in an assumed session that is out of date, and not in the target."""
_REGION_OFF: Final = {"InvalidClientTokenId", "UnrecognizedClientException", "RegionDisabledException"}
_NOT_TAKEN: Final = {
    "CertificateValidationException",
    "CertificateConflictException",
    "CertificateStateException",
    "InvalidRequestException",
}


_TOO_MANY: Final = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
}


class StaleSession(Exception):
    """The target refuses a session of before, which is given up: a new one may fare better."""


class Refused(Exception):
    """The target says no, and would say no again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = f"{message}; {REASONS[code]}"


def code_of(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def is_throttled(error: Exception) -> bool:
    """Too many at once: a matter of time, however long the record has waited for its turn already."""
    return isinstance(error, ClientError) and code_of(error) in _TOO_MANY


def words_of(error: ClientError) -> str:
    """What AWS said about it, bounded."""
    return (error.response["Error"].get("Message") or "no message")[:300]


def refusal(error: ClientError, where: str) -> Refused | None:
    """`error` as a permanent refusal, or None where trying again may help. `where` names the target."""
    code = code_of(error)
    if code in DENIED:
        assuming = error.operation_name == "AssumeRole"
        reason = "TARGET_ROLE_DENIED" if assuming else "TARGET_PERMISSION_MISSING"
    elif code == "ResourceNotFoundException" and error.operation_name == "AttachPolicy":
        reason = "TARGET_POLICY_MISSING"
    elif code == "LimitExceededException":
        reason = "TARGET_LIMIT"
    elif code in _REGION_OFF:
        reason = "TARGET_REGION_DISABLED"
    elif code in _NOT_TAKEN:
        reason = "TARGET_REFUSED_CERTIFICATE"
    else:
        return None
    return Refused(reason, f"{where} answered {code} to {error.operation_name} ({words_of(error)})")
