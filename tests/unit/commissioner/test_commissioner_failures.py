"""What a failing call means: every permanent refusal has words for the operator, everything else will pass."""

import pytest
from botocore.exceptions import ClientError

from commissioner.errors import REASONS, Refused, refusal


def error(code: str, operation: str = "CreateThing", message: str | None = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)  # type: ignore[typeddict-item]


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_says_what_to_do(reason: str) -> None:
    refused = Refused(reason, "got this")
    assert refused.message == f"got this; {REASONS[reason]}"
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
def test_codes_are_told_apart(code: str, operation: str, reason: str | None) -> None:
    refused = refusal(error(code, operation), "111111111111/eu-west-1")
    assert (refused.code if refused else None) == reason


def test_what_aws_said_is_passed_on_bounded() -> None:
    refused = refusal(error("AccessDenied", "AssumeRole", "x" * 10_000), "111111111111/eu-west-1")
    assert refused is not None
    assert refused.message.startswith("111111111111/eu-west-1 answered AccessDenied to AssumeRole (xxx")
    assert len(refused.message) < 600


def test_a_refusal_without_words_is_a_refusal_all_the_same() -> None:
    refused = refusal(error("ForbiddenException", "Publish", None), "111111111111/eu-west-1")
    assert refused is not None
    assert refused.message.startswith("111111111111/eu-west-1 answered ForbiddenException to Publish (no message)")
