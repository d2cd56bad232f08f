"""One check of a survey: a call that cannot take effect, and the meaning of its response.

AWS checks permissions before it looks up the resource. So a call that names a missing resource gets `AccessDenied`
without the permission, and `ResourceNotFound` with it. Unknown answers are reported as such, never as success.
"""

from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from commissioner.target_gateway.error_translation import DENIED, NOT_FOUND, code_of, message_of
from lobby.contracts.targets import SurveyFinding
from lobby.names import ThingName

NO_THING: Final = ThingName("device-lobby-no-such-thing")
_PERMITTED: Final = {
    NOT_FOUND,
    "InvalidRequestException",
    "CertificateValidationException",
    "ValidationException",
    "CertificateStateException",
    "CertificateConflictException",
    "ResourceAlreadyExistsException",
}
"""Error codes that AWS returns only after the permission check."""


def check(step: str, call: Callable[[], Any], absent: str | None = None) -> SurveyFinding:
    """Make the call and judge the answer. `absent` is the message for a resource that must exist; without it, a
    missing resource is the expected answer."""
    try:
        result = call()
    except ClientError as error:
        code = code_of(error)
        if code in DENIED:
            return SurveyFinding(step, False, f"missing: {code} ({message_of(error)})")
        if absent is not None and code == NOT_FOUND:
            return SurveyFinding(step, False, f"missing: {absent}")
        if code not in _PERMITTED:
            return SurveyFinding(step, False, unknown(code))
    except BotoCoreError as error:
        return SurveyFinding(step, False, unknown(error))
    else:
        return SurveyFinding(step, True, result if isinstance(result, str) else "found")
    return SurveyFinding(step, True, "found")


def unknown(answer: object) -> str:
    return f"could not be checked: AWS answered {answer}; check again"
