"""The error responses of AWS services, as bytes on the wire.

Codes and statuses are those of each service's API reference. botocore parses them like AWS's own, and decides which
calls to retry.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import MockRawResponse

ErrorCode = tuple[str, int]
"""An error's code and its HTTP status."""
Body = Callable[[str], tuple[dict[str, str], str]]


def _aws_json(code: str) -> tuple[dict[str, str], str]:
    return {}, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "injected fault"})


def _rest_json(code: str) -> tuple[dict[str, str], str]:
    return {"x-amzn-ErrorType": code}, json.dumps({"message": "injected fault"})


def _rest_json_without_message(code: str) -> tuple[dict[str, str], str]:
    """AWS IoT's data plane returns ForbiddenException without a message."""
    return {"x-amzn-ErrorType": code}, json.dumps({"message": None})


def _query(code: str) -> tuple[dict[str, str], str]:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>injected fault</Message></Error>"
    return {}, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"


def _rest_xml(code: str) -> tuple[dict[str, str], str]:
    return {}, f"<Error><Code>{code}</Code><Message>injected fault</Message><RequestId>1</RequestId></Error>"


@dataclass(frozen=True)
class ServiceErrors:
    """The error responses of one service."""

    throttled: ErrorCode
    failed: ErrorCode
    denied: ErrorCode
    body: Body = _rest_json

    def respond(self, request: AWSPreparedRequest, error: ErrorCode) -> AWSResponse:
        code, status = error
        headers, text = self.body(code)
        return response(request, status, headers, text.encode())


SERVICE_ERRORS: Final = {
    "dynamodb": ServiceErrors(
        ("ThrottlingException", 400), ("InternalServerError", 500), ("AccessDeniedException", 400), _aws_json
    ),
    "iot": ServiceErrors(
        ("ThrottlingException", 400), ("InternalFailureException", 500), ("AccessDeniedException", 403)
    ),
    "iot-data-plane": ServiceErrors(
        ("ThrottlingException", 429),
        ("InternalFailureException", 500),
        ("ForbiddenException", 403),
        _rest_json_without_message,
    ),
    "s3": ServiceErrors(("SlowDown", 503), ("InternalError", 500), ("AccessDenied", 403), _rest_xml),
    "sts": ServiceErrors(("Throttling", 400), ("InternalFailure", 500), ("AccessDenied", 403), _query),
    "sns": ServiceErrors(("Throttled", 429), ("InternalError", 500), ("AuthorizationError", 403), _query),
    "sqs": ServiceErrors(("ThrottlingException", 400), ("InternalFailure", 500), ("AccessDenied", 403), _aws_json),
    "ssm": ServiceErrors(
        ("ThrottlingException", 400), ("InternalServerError", 500), ("AccessDeniedException", 400), _aws_json
    ),
    "lambda": ServiceErrors(
        ("TooManyRequestsException", 429), ("ServiceException", 500), ("AccessDeniedException", 403)
    ),
}


def response(request: AWSPreparedRequest, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]  # as in moto
