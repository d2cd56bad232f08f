"""Which errors are permanent refusals with advice for the operator, and which are temporary."""

import pytest
from botocore.exceptions import ClientError

from commissioner.errors import REASONS, TargetRefusal
from commissioner.target_gateway.error_translation import target_refusal


def error(code: str, operation: str = "CreateThing", message: str | None = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)  # type: ignore[typeddict-item]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_states_what_to_do(reason: str) -> None:
    refusal = TargetRefusal.with_advice(reason, "got this")
    assert refusal.message == f"got this; {REASONS[reason]}"
    assert len(REASONS[reason]) > 20


@pytest.mark.parametrize(
    ("code", "operation", "reason"),
    [
        ("AccessDenied", "AssumeRole", "TARGET_ROLE_DENIED"),
        ("AccessDeniedException", "CreateThing", "TARGET_PERMISSION_MISSING"),
        ("ForbiddenException", "Publish", "TARGET_PERMISSION_MISSING"),
        ("ResourceNotFoundException", "AttachPolicy", "TARGET_POLICY_MISSING"),
        ("ResourceNotFoundException", "AttachThingPrincipal", None),
        ("LimitExceededException", "AttachPolicy", "TARGET_LIMIT"),
        ("ThrottlingException", "CreateThing", None),
        ("InternalFailureException", "CreateThing", None),
        ("RequestTimeout", "CreateThing", None),
        ("SomethingNew", "CreateThing", None),
    ],
)
def test_codes_become_reasons_or_are_temporary(code: str, operation: str, reason: str | None) -> None:
    refusal = target_refusal(error(code, operation), "111111111111/eu-west-1")
    assert (refusal.code if refusal else None) == reason


def test_awss_message_is_included_up_to_a_limit() -> None:
    refusal = target_refusal(error("AccessDenied", "AssumeRole", "x" * 10_000), "111111111111/eu-west-1")
    assert refusal is not None
    assert refusal.message.startswith("111111111111/eu-west-1 answered AccessDenied to AssumeRole (xxx")
    assert len(refusal.message) < 600


def test_an_error_without_a_message_is_a_refusal_too() -> None:
    refusal = target_refusal(error("ForbiddenException", "Publish", None), "111111111111/eu-west-1")
    assert refusal is not None
    assert refusal.message.startswith("111111111111/eu-west-1 answered ForbiddenException to Publish (no message)")
