"""GraphQL over HTTP: one operation per POST request, as in the GraphQL over HTTP specification.

Authentication precedes everything else. The response has the media type that the client prefers. With
`application/graphql-response+json`, a request error (a document or variables that are invalid) has status 400; with
`application/json` it has 200, because clients of that media type expect this. The API stores no persisted queries, so
clients send the document. Rejects queries by GET, batches, uploads, subscriptions, and a document with several
operations without `operationName`.
"""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from cross_web import HTTPException as RequestRejected
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse
from strawberry.types import ExecutionResult

from admin_api import failures
from admin_api.errors import UserBlocked, error_body
from admin_api.failures import logger
from admin_api.graphql.context import Context
from admin_api.graphql.limits import MAX_BODY, MAX_RESPONSE, RequestQuota
from admin_api.schema import schema
from admin_api.services import Services
from admin_api.web.tokens import TokenVerifier
from lobby import strict_json
from lobby.names import shown

GRAPHQL_RESPONSE: Final = "application/graphql-response+json"
TEXT_TYPES: Final = ["application/json", GRAPHQL_RESPONSE]
"""The media types of the responses that the Lambda returns as text."""
_JSON: Final = re.compile(
    r"application/json(?: *; *(?! |charset=)[^;,]*)*(?: *; *charset=\"?utf-?8\"?)?(?: *; *(?! |charset=)[^;,]*)*"
)
"""The content types of a request. JSON is UTF-8 (RFC 8259, 8.1)."""
PERSISTED_QUERY_NOT_FOUND: Final = "PERSISTED_QUERY_NOT_FOUND"


class PersistedQueryNotFoundError(Exception):
    """The request has the hash of a document instead of the document. The API stores no documents, so the client sends
    the request again with the document (Apollo's protocol for automatic persisted queries)."""


class Endpoint(GraphQL[Context, None]):
    """Strawberry's ASGI view, with authentication, content negotiation and error mapping."""

    def __init__(self, verifier: TokenVerifier, services: Services) -> None:
        super().__init__(schema, graphql_ide=None, allow_queries_via_get=False, subscription_protocols=())
        self._verifier = verifier
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(_with_lower_media_type(scope), receive)
        try:
            response = await self.run(request)
        except PersistedQueryNotFoundError:
            response = error_as_response(200, error_body(PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound"))
        except RequestRejected as rejection:
            response = error_as_response(rejection.status_code, error_body("INVALID_REQUEST", rejection.reason))
        except HTTPException as rejection:
            response = error_as_response(rejection.status_code, error_body("INVALID_REQUEST", rejection.detail))
        except Exception as error:  # noqa: BLE001  # the last handler that can respond with JSON
            response = error_as_response(*failures.error_response(error, _correlation_id(request)))
        if _prefers_graphql_response(request.headers.get("accept", "")):
            response.headers["content-type"] = f"{GRAPHQL_RESPONSE}; charset=utf-8"
            if getattr(request.state, "request_error", False):
                response.status_code = 400
        await response(scope, receive, send)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:  # noqa: ARG002  # Strawberry's signature
        caller = self._verifier.caller(request.headers.get("authorization"))
        if self._services.blocks.is_blocked(caller.name):
            raise UserBlocked
        if isinstance(request, Request):
            _check_content_type(request)
        quota = RequestQuota(self._services.clock)
        request.state.context = Context(caller, self._services, _correlation_id(request), quota)
        return request.state.context  # type: ignore[no-any-return]  # Starlette's state is untyped

    def decode_json(self, data: str | bytes) -> object:
        if len(data) > MAX_BODY:
            raise RequestRejected(413, f"got a body of {len(data)} bytes, want at most {MAX_BODY}")
        try:
            body = strict_json.loads(data)
        except strict_json.RepeatedName as error:
            raise RequestRejected(400, error.text("an object of the body")) from None
        except (ValueError, RecursionError):
            raise RequestRejected(400, "got a body that is not JSON, want {query, variables, operationName}") from None
        if not isinstance(body, dict):
            raise RequestRejected(400, "got a body that is not one JSON object, want one operation per request")
        if not isinstance(body.get("operationName"), str | None):
            raise RequestRejected(400, "got an operationName that is not text, want the name of an operation")
        extensions = body.get("extensions")
        if not body.get("query") and isinstance(extensions, dict) and "persistedQuery" in extensions:
            raise PersistedQueryNotFoundError
        return body

    def encode_json(self, data: object) -> str:
        """Return the response body. ANSWER_TOO_LARGE replaces a result that exceeds the limit of Lambda."""
        text = json.dumps(data, separators=(",", ":"))
        size = len(text) + text.count('"') + text.count("\\")  # the Lambda runtime encodes it as a JSON string
        if size <= MAX_RESPONSE:
            return text
        logger.warning("response too large", size=size)
        message = f"got a response of {size} bytes, want at most {MAX_RESPONSE}: request less; changes are kept"
        return json.dumps({"data": None, "errors": [error_body("ANSWER_TOO_LARGE", message)]})

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        context: Context = request.state.context
        errors = failures.result_errors(result.errors or (), context.correlation_id)
        logger.info(
            "responded",
            actor=context.caller.actor,
            role=context.caller.role,
            operations=context.operations,
            codes=failures.codes(errors),
        )
        if not errors:
            return {"data": result.data}
        # An error before the first resolver has no path. Such a response has no data (GraphQL, section 7.1).
        request.state.request_error = result.data is None and not any("path" in error for error in errors)
        if request.state.request_error:
            return {"errors": list(errors)}
        return {"data": result.data, "errors": list(errors)}


def error_as_response(status: int, error: dict[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return the response for a request that has no GraphQL result."""
    challenge = {"www-authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"errors": [error]}, status, {**(headers or {}), **challenge})


def _with_lower_media_type(scope: Scope) -> Scope:
    """Return the scope with the media type of the body in lower case, because media types ignore case (RFC 9110,
    8.3.1)."""
    headers = [(name, value.lower() if name == b"content-type" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers}


def _check_content_type(request: Request) -> None:
    """Raise `RequestRejected` for a body that is not JSON in UTF-8."""
    content_type = request.headers.get("content-type")
    if content_type is None or not _JSON.fullmatch(content_type.strip()):
        got = f"the content type {shown(content_type)}" if content_type else "no content type"
        raise RequestRejected(400, f"got {got}, want application/json")


def _prefers_graphql_response(accept: str) -> bool:
    """Return whether a client prefers `GRAPHQL_RESPONSE` to JSON, or accepts both equally (RFC 9110, section 12.5.1). A
    client that accepts everything gets JSON."""
    weights = dict(_weight(part) for part in accept.lower().split(","))
    weight = weights.get(GRAPHQL_RESPONSE, 0.0)
    return weight > 0 and weight >= weights.get("application/json", 0.0)


def _weight(part: str) -> tuple[str, float]:
    name, *parameters = (each.strip() for each in part.split(";"))
    quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0


def _correlation_id(request: Request | WebSocket) -> str:
    """Return API Gateway's request id, which is also in its access log."""
    context = request.scope.get("aws.event", {}).get("requestContext", {})
    request_id: str = context.get("requestId") or request.scope.setdefault("lobby.correlation", uuid.uuid4().hex)
    return request_id
