"""What DynamoDB answered to a call that PynamoDB gave up: its code, or that there was no answer at all.

PynamoDB's own property for it takes a time-out for an answer, and breaks on it. What a code means is said here for
transactions, too: lost to somebody else, or too many at once.
"""

from typing import Final

from pynamodb.exceptions import PynamoDBException, TransactWriteError

LOST: Final = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
"""Why DynamoDB cancels a transaction that somebody else came before, or is still at."""
_THROTTLED: Final = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})
_TOO_MANY: Final = frozenset(
    {"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"}
    | {"TransactionInProgressException"}
)


def code_of(error: PynamoDBException) -> str | None:
    """None where nobody answered."""
    response = getattr(error.cause, "response", None)
    return str(response["Error"]["Code"]) if response else None


def reasons_of(error: TransactWriteError) -> list[str]:
    """Why a transaction was cancelled, item by item, `None` for those that it was not for; empty where it was not
    cancelled (DynamoDB API reference, TransactionCanceledException)."""
    if code_of(error) != "TransactionCanceledException":
        return []
    return [reason.code if reason else "None" for reason in error.cancellation_reasons]


def is_too_many(error: TransactWriteError) -> bool:
    """Whether the very same transaction may be sent again in a moment: there was no capacity for it."""
    reasons = set(reasons_of(error)) - {"None"}
    return (bool(reasons) and reasons <= _THROTTLED) or code_of(error) in _TOO_MANY
