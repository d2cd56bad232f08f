"""A Lambda function returns at most 6 MB."""

import io
import json
import zipfile
from typing import Any

import pytest

from infra.local.emulator import Emulator
from infra.local.ministack.lambda_limits import MAX_BYTES, limited, size_of
from tests.infra.local.emulated_cloud import aws

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}


@pytest.mark.parametrize("body", ["x" * (MAX_BYTES - 2), b"x" * MAX_BYTES, {"a": "x" * 100}, None])
def test_a_response_of_six_megabytes_is_returned(body: Any) -> None:
    result = {"body": body, "log": "text"}
    assert limited(result) == result


@pytest.mark.parametrize("body", ["x" * (MAX_BYTES - 1), b"x" * (MAX_BYTES + 1), {"a": "ü" * (MAX_BYTES // 2)}])
def test_a_larger_response_is_an_error_of_the_function(body: Any) -> None:
    assert size_of(body) > MAX_BYTES
    found = limited({"body": body, "log": "text"})
    assert (found["error"], found["log"], found["body"]["errorType"]) == (
        True,
        "text",
        "Function.ResponseSizeTooLarge",
    )


def test_the_error_of_a_function_stays_as_it_is() -> None:
    failed = {"body": {"errorMessage": "x" * (MAX_BYTES + 1)}, "error": True}
    assert limited(failed) is failed


def test_the_caller_of_a_function_gets_the_error(emulator: Emulator) -> None:
    functions, iam = aws(emulator, 0, "lambda"), aws(emulator, 0, "iam")
    role = iam.create_role(RoleName="large-responses", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return 'x' * event['size']\n")
    functions.create_function(
        FunctionName="large",
        Role=role,
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": code.getvalue()},
    )

    def invoke(size: int) -> tuple[str | None, Any]:
        answer = functions.invoke(FunctionName="large", Payload=json.dumps({"size": size}))
        return answer.get("FunctionError"), json.load(answer["Payload"])

    assert invoke(10) == (None, "x" * 10)
    error, payload = invoke(MAX_BYTES)  # the quotes are two further bytes
    assert (error, payload["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
