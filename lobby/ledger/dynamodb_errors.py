"""Error codes of DynamoDB, from PynamoDB's exceptions.

PynamoDB's own property fails on a timeout, because there is no response. The codes of cancelled transactions are
classified as a conflict with another writer, or as throttling.
"""

from typing import Final

from pynamodb.exceptions import PynamoDBException, TransactWriteError

CONFLICTS: Final = frozenset({"ConditionalCheckFailed", "TransactionConflict"})
"""Why DynamoDB cancels a transaction if another writer was first, or is still writing."""
_THROTTLED: Final = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})
_RETRYABLE: Final = frozenset(
    {"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"}
    | {"TransactionInProgressException"}
)


def code_of(error: PynamoDBException) -> str | None:
    """Return the error code, or None if there was no response."""
    response = getattr(error.cause, "response", None)
    return str(response["Error"]["Code"]) if response else None


def is_condition_unmet(error: PynamoDBException) -> bool:
    """Return whether a single write changed nothing, because its condition does not hold."""
    return code_of(error) == "ConditionalCheckFailedException"


def reasons_of(error: TransactWriteError) -> list[str]:
    """Return why a transaction was cancelled, item by item: `None` for an item without a problem. Empty if it was not
    cancelled (DynamoDB API reference, TransactionCanceledException)."""
    if code_of(error) != "TransactionCanceledException":
        return []
    return [reason.code if reason else "None" for reason in error.cancellation_reasons]


def is_throttled(error: TransactWriteError) -> bool:
    """Return whether the same transaction can be sent again: DynamoDB had no capacity for it."""
    reasons = set(reasons_of(error)) - {"None"}
    return (bool(reasons) and reasons <= _THROTTLED) or code_of(error) in _RETRYABLE
