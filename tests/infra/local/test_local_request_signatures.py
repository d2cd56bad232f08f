"""Which credentials the gateway accepts. Runs without an emulator. botocore signs the requests."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.client import Config
from botocore.credentials import Credentials

from infra.local.ministack.browser_rules import Refusal
from infra.local.ministack.request_signatures import Request

ACCOUNT, SECRET, OTHER_SECRET = "100000000001", "the-secret-of-this-deployment", "test"
CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "sts": ("sts", lambda c: c.get_caller_identity()),
    "iot": ("iot", lambda c: c.register_certificate_without_ca(certificatePem="pem", status="ACTIVE")),
    "iot arn in path": ("iot", lambda c: c.list_attached_policies(target="arn:aws:iot:us-east-1:1:cert/ab")),
    "iot-data": ("iot-data", lambda c: c.publish(topic="lobby/a b+/#ü", qos=1, payload=b"{}")),
    "dynamodb": ("dynamodb", lambda c: c.get_item(TableName="t", Key={"k": {"S": "ü"}})),
    "s3 list": ("s3", lambda c: c.list_objects_v2(Bucket="b", Prefix="a/ü +", Delimiter="/")),
    "s3 put": ("s3", lambda c: c.put_object(Bucket="b", Key="a b/ü+~%", Body=b"x" * 70_000)),
    "s3 get": ("s3", lambda c: c.get_object(Bucket="b", Key="//x/./y")),
    "lambda": ("lambda", lambda c: c.invoke(FunctionName="f:1", Payload=b"{}")),
    "lambda tags": ("lambda", lambda c: c.list_tags(Resource="arn:aws:lambda:us-east-1:1:function:f")),
    "cloudformation": ("cloudformation", lambda c: c.describe_stacks(StackName="s+ü")),
    "sqs": ("sqs", lambda c: c.send_message(QueueUrl="http://127.0.0.1:4566/1/q", MessageBody="ü")),
    "sns": ("sns", lambda c: c.publish(TopicArn="arn:aws:sns:us-east-1:1:t", Message="a&b=c ü")),
    "cognito-idp": ("cognito-idp", lambda c: c.admin_get_user(UserPoolId="us-east-1_a", Username="x")),
    "iam": ("iam", lambda c: c.get_role(RoleName="r")),
    "logs": ("logs", lambda c: c.filter_log_events(logGroupName="/aws/lambda/x")),
    "apigatewayv2": ("apigatewayv2", lambda c: c.get_apis()),
}


def _client(service: str, **config: Any) -> Any:
    """Return a client of the root user."""
    session: Any = boto3.Session()
    return session.client(
        service,
        "us-east-1",
        endpoint_url="http://127.0.0.1:4566",
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key=SECRET,
        config=Config(**config),
    )


def _code(refusal: Refusal | None) -> str | None:
    return refusal.code if refusal else None


def received(prepared: AWSPreparedRequest | AWSRequest) -> tuple[Request, bytes]:
    """Return the request as the server receives it."""
    parts = urlsplit(prepared.url or "")
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    body: Any = prepared.body or b""
    body = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else body.read()
    headers.setdefault("host", parts.netloc)
    return Request(prepared.method or "GET", unquote(parts.path) or "/", parts.path or "/", parts.query, headers), body


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def sent(call: str) -> tuple[Request, bytes]:
    """Return the request that a boto3 client of the root user sends."""
    service, invoke = CALLS[call]
    client = _client(service, retries={"total_max_attempts": 1})
    requests: list[AWSPreparedRequest] = []

    def keep(request: AWSPreparedRequest, **_: Any) -> Any:
        requests.append(request)
        raise InterruptedError

    client.meta.events.register("before-send", keep)
    with pytest.raises(InterruptedError):
        invoke(client)
    return received(requests[0])


@pytest.mark.parametrize("call", CALLS)
def test_a_client_with_the_secret_is_accepted_and_another_is_not(call: str) -> None:
    request, body = sent(call)
    assert request.needs_body
    assert request.refusal(SECRET, body) is None
    refused = request.refusal(OTHER_SECRET, body)
    assert refused
    assert refused.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("call", ["s3 put", "lambda", "sqs", "dynamodb"])
def test_a_changed_body_is_refused(call: str) -> None:
    request, body = sent(call)
    assert request.refusal(SECRET, body + b" ")


def _signed(secret: str, *, query: bool, minutes_ago: int = 0) -> tuple[Request, bytes]:
    """Return a request for the lambda service that was signed some minutes ago."""
    url = "http://127.0.0.1:4566/2015-03-31/functions"
    request = AWSRequest("POST", url, data=b'{"FunctionName": "f"}')
    signer = (SigV4QueryAuth if query else SigV4Auth)(Credentials(ACCOUNT, secret), "lambda", "us-east-1")
    clock = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda *_arguments, **_options: clock)
        signer.add_auth(request)
    return received(request)


@pytest.mark.parametrize("query", [True, False], ids=["query", "headers"])
def test_a_signature_in_the_query_or_in_headers_needs_the_secret(query: bool) -> None:
    for secret, code in ((SECRET, None), ("test", "SignatureDoesNotMatch"), ("", "SignatureDoesNotMatch")):
        request, body = _signed(secret, query=query)
        assert _code(request.refusal(SECRET, body)) == code
        assert request.refusal(SECRET, b'{"FunctionName": "g"}')


def test_an_old_signature_is_refused() -> None:
    request, body = _signed(SECRET, query=False, minutes_ago=20)
    assert _code(request.refusal(SECRET, body)) == "RequestTimeTooSkewed"
    request, body = _signed(SECRET, query=True, minutes_ago=70)  # the URL states that it expires after an hour
    assert _code(request.refusal(SECRET, body)) == "AccessDenied"


def test_a_presigned_s3_url_is_accepted_until_it_expires() -> None:
    s3 = _client("s3", signature_version="s3v4")
    url = s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "a b"}, ExpiresIn=60)
    request, _ = received(AWSRequest("GET", url))
    assert request.refusal(SECRET, b"") is None
    assert _code(request.refusal(OTHER_SECRET, b"")) == "SignatureDoesNotMatch"
    old = re.sub(r"(X-Amz-Date=)\d{8}", r"\g<1>20200101", url)
    request, _ = received(AWSRequest("GET", old))
    assert _code(request.refusal(SECRET, b"")) == "AccessDenied"
