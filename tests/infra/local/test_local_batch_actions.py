"""SQS batch calls are authorized as calls on a single message."""

import pytest

from infra.local.ministack.batch_actions import permitted_by


@pytest.mark.parametrize(
    ("action", "permission"),
    [
        ("sqs:SendMessageBatch", "sqs:SendMessage"),
        ("sqs:DeleteMessageBatch", "sqs:DeleteMessage"),
        ("sqs:ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility"),
        ("sqs:SendMessage", "sqs:SendMessage"),
        ("dynamodb:ExecuteBatch", "dynamodb:ExecuteBatch"),
        (None, None),
    ],
)
def test_a_batch_call_needs_the_permission_for_one_message(action: str | None, permission: str | None) -> None:
    assert permitted_by(action) == permission
