"""The commissioner's errors. Each has a stable `code` and a `message` of the form "got X, want Y".

    CommissionerError
    ├── TargetRefusal   permanent: the target refuses until its owner or an operator acts; `code` is one of REASONS
    ├── NoAnswer        temporary: the target does not answer; its lane is closed for a while (NO_ANSWER)
    ├── ShadowsAwaited  temporary: a target that a device leaves does not return its shadows (SHADOWS_AWAITED)
    ├── LeaseLost       temporary: the worker no longer has the lane's lease; its successor continues (LEASE_LOST)
    └── StaleSession    temporary: the target refuses a session assumed earlier (STALE_SESSION); the target gateway
                        assumes the role again and repeats the work, so this error does not leave the gateway

A `TargetRefusal` becomes the device's `reason`, with a message that states what to do. All other failures (throttling,
unknown codes, failures in the lobby's own account) are raised as botocore's own errors, and the lane's worker tries
again. `target_gateway.error_translation` translates botocore's errors.
"""

from typing import Final

REASONS: Final = {
    "UNKNOWN_TARGET": "register the target, then retry the device",
    "UNKNOWN_PROFILE": "add the profile to the target and deploy its policy there, then retry",
    "TARGET_ROLE_DENIED": "run `./deploy.sh target` in that account with the target's ExternalId, then retry",
    "TARGET_PERMISSION_MISSING": "deploy the target's stack again: its role lacks a permission; then retry",
    "TARGET_POLICY_MISSING": "deploy the target's stack with this profile, then retry",
    "TARGET_PROFILE_INCOMPLETE": "deploy the target's stack again: a thing type or group of the profile is missing"
    " there, or is deprecated (checkTarget names it); or remove attributes or groups that its owner has given to the"
    " thing: AWS IoT limits their number; then retry",
    "TARGET_NAME_TAKEN": "another certificate's thing has this name there: remove it or rename the device",
    "TARGET_REFUSED_CERTIFICATE": "AWS IoT in the target rejects this certificate: see the message",
    "TARGET_REVOKED_CERTIFICATE": "the target's owner has revoked the certificate: only they can reverse that",
    "TARGET_UNREACHABLE": "AWS does not answer there, or is too busy: retry when it answers again",
    "TARGET_SHADOWS_REFUSED": "correct the shadows and retry, or move the device again and leave its shadows",
    "TARGET_LIMIT": "a quota of the target account is exhausted: raise it, then retry",
    "TARGET_REGION_DISABLED": "enable the Region in the target account, then retry",
}
"""The codes of permanent refusals, each with advice."""


class CommissionerError(Exception):
    """Base of the commissioner's errors."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class TargetRefusal(CommissionerError):
    """The target refuses, and would refuse again."""

    @classmethod
    def with_advice(cls, code: str, message: str) -> "TargetRefusal":
        """Return a refusal whose message ends with what to do about `code`."""
        return cls(code, f"{message}; {REASONS[code]}")


class NoAnswer(CommissionerError):
    """The target does not answer: no connection, a timeout, or an error of the service."""

    def __init__(self, message: str) -> None:
        super().__init__("NO_ANSWER", message)


class ShadowsAwaited(CommissionerError):
    """The target that a device leaves does not return its shadows now. Only this device waits, for a short time."""

    def __init__(self, message: str) -> None:
        super().__init__("SHADOWS_AWAITED", message)


class LeaseLost(CommissionerError):
    """The worker must stop calling the target, because its lease of the lane has ended or ends soon."""

    def __init__(self, message: str) -> None:
        super().__init__("LEASE_LOST", message)


class StaleSession(CommissionerError):
    """The target refuses a session that was assumed for earlier work; a new session may be accepted."""

    def __init__(self, message: str) -> None:
        super().__init__("STALE_SESSION", message)
