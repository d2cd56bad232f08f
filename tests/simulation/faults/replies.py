"""What AWS answers to a call that it does not carry out, service by service, as bytes on the wire.

The codes and statuses are those of each service's API reference; botocore parses them as it would AWS's own, and so
decides itself what it tries again.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.botocore_stubber import MockRawResponse

Reply = tuple[str, int]
"""An error's code and its HTTP status."""
Body = Callable[[str], tuple[dict[str, str], str]]


def _aws_json(code: str) -> tuple[dict[str, str], str]:
    return {}, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "by the fault layer"})


def _rest_json(code: str) -> tuple[dict[str, str], str]:
    return {"x-amzn-ErrorType": code}, json.dumps({"message": "by the fault layer"})


def _without_words(code: str) -> tuple[dict[str, str], str]:
    """AWS IoT's data plane says ForbiddenException and nothing else."""
    return {"x-amzn-ErrorType": code}, json.dumps({"message": None})


def _query(code: str) -> tuple[dict[str, str], str]:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>by the fault layer</Message></Error>"
    return {}, f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"


def _rest_xml(code: str) -> tuple[dict[str, str], str]:
    return {}, f"<Error><Code>{code}</Code><Message>by the fault layer</Message><RequestId>1</RequestId></Error>"


@dataclass(frozen=True)
class Voice:
    """How one service says no."""

    throttled: Reply
    failed: Reply
    denied: Reply
    body: Body = _rest_json

    def reply(self, request: AWSPreparedRequest, said: Reply) -> AWSResponse:
        code, status = said
        headers, text = self.body(code)
        return response(request, status, headers, text.encode())


VOICES: Final = {
    "dynamodb": Voice(
        ("ThrottlingException", 400), ("InternalServerError", 500), ("AccessDeniedException", 400), _aws_json
    ),
    "iot": Voice(("ThrottlingException", 400), ("InternalFailureException", 500), ("AccessDeniedException", 403)),
    "iot-data-plane": Voice(
        ("ThrottlingException", 429), ("InternalFailureException", 500), ("ForbiddenException", 403), _without_words
    ),
    "s3": Voice(("SlowDown", 503), ("InternalError", 500), ("AccessDenied", 403), _rest_xml),
    "sts": Voice(("Throttling", 400), ("InternalFailure", 500), ("AccessDenied", 403), _query),
    "sns": Voice(("Throttled", 429), ("InternalError", 500), ("AuthorizationError", 403), _query),
    "lambda": Voice(("TooManyRequestsException", 429), ("ServiceException", 500), ("AccessDeniedException", 403)),
}


def response(request: AWSPreparedRequest, status: int, headers: dict[str, str], body: bytes) -> AWSResponse:
    return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]  # as moto makes them
