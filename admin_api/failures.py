"""What a failure looks like to the caller: one table, from the error's class to what may be said of it.

An expected failure keeps its code and message, as `extensions.code`. A query that is not valid is
INVALID_QUERY. All else is ours: INTERNAL, without a word about the cause, which goes to the log under the
correlation id that the caller is given.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from aws_lambda_powertools import Logger
from graphql import GraphQLError

from admin_api.errors import Forbidden, Unauthenticated
from lobby.errors import Conflict, InvalidInput, LobbyError, NotFound

logger = Logger(service="admin-api")

STATUS: Final[dict[type[LobbyError], int]] = {
    Unauthenticated: 401,
    Forbidden: 403,
    InvalidInput: 400,
    NotFound: 404,
    Conflict: 409,
}
"""The failures that are told as they are, and the HTTP status each has where it comes before any GraphQL
result. Within a result the status is 200, as GraphQL clients expect."""

INVALID_QUERY: Final = "INVALID_QUERY"
INTERNAL: Final = "INTERNAL"
_SHOWN: Final = 400
"""Characters of what GraphQL says of a document, which quotes it."""
_MASKED: Final = "Something went wrong on our side. Whoever runs the lobby finds it in the log by the correlation id."


def body_of(code: str, message: str, **more: str) -> dict[str, Any]:
    """A failure in the shape of a GraphQL error."""
    return {"message": message, "extensions": {"code": code, **more}}


def told(error: Exception, correlation: str) -> tuple[int, dict[str, Any]]:
    """The HTTP status and the error to show. What is not in the table is logged and masked."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
    if status is not None and isinstance(error, LobbyError):
        return status, body_of(error.code, error.message)
    logger.error("request failed", exc_info=error)
    return 500, body_of(INTERNAL, _MASKED, correlationId=correlation)


def told_of_one(error: Exception, correlation: str) -> tuple[str, str]:
    """The code and the message for one of many that failed, where the others stand."""
    _, body = told(error, correlation)
    masked = body["extensions"]["code"] == INTERNAL
    return body["extensions"]["code"], f"{body['message']} ({correlation})" if masked else body["message"]


def told_all(errors: Iterable[GraphQLError], correlation: str) -> list[dict[str, Any]]:
    """The errors of a GraphQL result. What befell every line of a list alike is told once, of its first line."""
    shown: dict[tuple[object, ...], dict[str, Any]] = {}
    for error in errors:
        body = _told_in_result(error, correlation)
        field = tuple(step for step in error.path or () if isinstance(step, str))
        shown.setdefault((body["message"], body["extensions"]["code"], field, _place(error)), body)
    return list(shown.values())


def codes(errors: Sequence[dict[str, Any]]) -> list[str]:
    return [error["extensions"]["code"] for error in errors]


def _told_in_result(error: GraphQLError, correlation: str) -> dict[str, Any]:
    cause = _cause(error)
    if cause is None:
        body = body_of(INVALID_QUERY, error.message[:_SHOWN])
    elif isinstance(cause, RecursionError) and error.path is None:
        body = body_of(INVALID_QUERY, "got a document that is nested too deeply")
    elif isinstance(cause, ValueError) and error.path is None:  # before anything of ours ran
        body = body_of(INVALID_QUERY, "got a value in the document that cannot be read: a number too long?")
    else:
        _, body = told(cause, correlation)
    if error.locations:
        body["locations"] = [location.formatted for location in error.locations]
    if error.path:
        body["path"] = error.path
    return body


def _cause(error: GraphQLError) -> Exception | None:
    """What was raised; None where GraphQL itself refused the document or its variables."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _place(error: GraphQLError) -> object:
    return None if error.path else tuple(error.positions or ())
