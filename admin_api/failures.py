"""Maps errors to the responses that the caller sees, with one table of error classes.

An expected error keeps its code (`extensions.code`) and its message. An invalid query is INVALID_QUERY. Every other
error is masked: the caller gets INTERNAL and a correlation id, and the log has the cause under that id.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from aws_lambda_powertools import Logger
from graphql import GraphQLError

from admin_api.errors import Forbidden, Unauthenticated, UserBlocked, error_body
from lobby.errors import Conflict, InvalidInput, LobbyError, NotFound, NotHome, RateLimited

logger = Logger(service="admin-api")

STATUS: Final[dict[type[LobbyError], int]] = {
    Unauthenticated: 401,
    Forbidden: 403,
    UserBlocked: 403,
    RateLimited: 429,
    InvalidInput: 400,
    NotFound: 404,
    Conflict: 409,
    NotHome: 409,
}
"""The errors that are not masked, with the HTTP status of a response that has no GraphQL result. A response with a
GraphQL result always has status 200."""

INVALID_QUERY: Final = "INVALID_QUERY"
INTERNAL: Final = "INTERNAL"
_MAX_MESSAGE: Final = 400
"""The maximum length of a GraphQL validation message in characters, because it quotes the document."""
_MASKED: Final = "Internal error. The operator of the lobby can find it in the log by its correlation id."


def error_response(error: Exception, correlation_id: str) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the error body. Log and mask an error whose class is not in `STATUS`."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is not None and isinstance(error, LobbyError):
        wait = {"retryAfter": error.retry_after} if isinstance(error, RateLimited) else {}
        return status, error_body(error.code, error.message, **wait)
    logger.error("request failed", exc_info=error)
    return 500, error_body(INTERNAL, _MASKED, correlationId=correlation_id)


def code_and_message(error: Exception, correlation_id: str) -> tuple[str, str]:
    """Return the code and the message of one item's error in a bulk operation."""
    _, body = error_response(error, correlation_id)
    code, message = body["extensions"]["code"], body["message"]
    return code, f"{message} ({correlation_id})" if code == INTERNAL else message


def result_errors(errors: Iterable[GraphQLError], correlation_id: str) -> list[dict[str, Any]]:
    """Return the errors of a GraphQL result. If all items of a list have the same error, return it once, for the first
    item."""
    bodies: dict[tuple[object, ...], dict[str, Any]] = {}
    for error in errors:
        body = _result_error(error, correlation_id)
        field = tuple(step for step in error.path or () if isinstance(step, str))
        bodies.setdefault((body["message"], body["extensions"]["code"], field, _position(error)), body)
    return list(bodies.values())


def codes(errors: Sequence[dict[str, Any]]) -> list[str]:
    return [error["extensions"]["code"] for error in errors]


def _result_error(error: GraphQLError, correlation_id: str) -> dict[str, Any]:
    cause = _cause(error)
    if cause is None:
        body = error_body(INVALID_QUERY, error.message[:_MAX_MESSAGE])
    elif isinstance(cause, RecursionError) and error.path is None:
        body = error_body(INVALID_QUERY, "got a document that is nested too deeply")
    elif isinstance(cause, ValueError) and error.path is None:  # before a resolver ran
        body = error_body(
            INVALID_QUERY, "got a value in the document that cannot be parsed, such as a number that is too long"
        )
    else:
        _, body = error_response(cause, correlation_id)
    if error.locations:
        body["locations"] = [location.formatted for location in error.locations]
    if error.path:
        body["path"] = error.path
    return body


def _cause(error: GraphQLError) -> Exception | None:
    """Return the raised exception, or None if GraphQL itself rejected the document or its variables."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _position(error: GraphQLError) -> object:
    return None if error.path else tuple(error.positions or ())
