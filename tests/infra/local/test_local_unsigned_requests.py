"""Requests that the gateway accepts without a signature, and incomplete and unknown signatures. Runs without an
emulator."""

import pytest

from infra.local.ministack.request_signatures import Request

ACCOUNT, SECRET = "100000000001", "the-secret-of-this-deployment"
HOST = {"host": "127.0.0.1:4566"}
FORM = HOST | {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def _unsigned(method: str, path: str, query: str = "", headers: dict[str, str] | None = None) -> Request:
    return Request(method, path, path, query, HOST | (headers or {}))


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (_unsigned("GET", "/_ministack/ready"), b""),
        (_unsigned("GET", "/_ministack/iot/ca.pem"), b""),
        (_unsigned("GET", "/_ministack/counters"), b""),
        (_unsigned("PUT", "/_ministack/cfn-response/a-token"), b"{}"),
        (_unsigned("GET", "/us-east-1_a/.well-known/jwks.json"), b""),
        (_unsigned("GET", "/sns-signing/eu-west-1/SimpleNotificationService-ab.pem"), b""),
        (_unsigned("GET", "/oauth2/authorize", "client_id=a"), b""),
        (_unsigned("POST", "/login", "", FORM), b"username=a"),
        (_unsigned("POST", "/oauth2/token", "", FORM), b"grant_type=x"),
        (_unsigned("GET", "/logout", "client_id=a"), b""),
        (_unsigned("POST", "/_aws/execute-api/a/$default/graphql", "", {"authorization": "Bearer eyJ"}), b"{}"),
        (_unsigned("POST", "/$default/x", "", {"host": "a1b2c3d4.execute-api.localhost:4566"}), b"{}"),
        (_unsigned("POST", "/", "", {"x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth"}), b"{}"),
        (_unsigned("POST", "/", "", FORM), b"Action=ConfirmSubscription&Token=t"),
    ],
    ids=lambda value: f"{value.method} {value.path}" if isinstance(value, Request) else "",
)
def test_public_requests_of_aws_are_accepted_without_a_signature(request_: Request, body: bytes) -> None:
    assert request_.refusal(SECRET, body) is None


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (_unsigned("GET", "/"), b""),
        (_unsigned("POST", "/2015-03-31/functions"), b"{}"),
        (_unsigned("POST", "/2015-03-31/functions/f/invocations"), b"{}"),
        (_unsigned("GET", "/a-bucket/a-key"), b""),
        (_unsigned("PUT", "/a-bucket"), b""),
        (_unsigned("POST", "/_ministack/reset"), b""),
        (_unsigned("POST", "/_ministack/reset", "", {"host": "a1b2c3d4.execute-api.localhost:4566"}), b""),
        (_unsigned("POST", "/_ministack/config"), b"{}"),
        (_unsigned("GET", "/_ministack/lambda-code/f"), b""),
        (_unsigned("GET", "/_aws/sqs/messages"), b""),
        (_unsigned("GET", "/_localstack/health"), b""),
        (_unsigned("PUT", "/oauth2/token"), b""),
        (_unsigned("POST", "/", "", {"x-amz-target": "AWSCognitoIdentityProviderService.ListUserPools"}), b"{}"),
        (_unsigned("POST", "/", "", {"x-amz-target": "x.AWSCognitoIdentityProviderService.InitiateAuth"}), b"{}"),
        (_unsigned("POST", "/", "a=b", {"x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth"}), b"{}"),
        (_unsigned("POST", "/x", "", {"x-amz-target": "AWSCognitoIdentityProviderService.InitiateAuth"}), b"{}"),
        (_unsigned("POST", "/", "", FORM), b"Action=GetCallerIdentity"),
        (_unsigned("POST", "/", "", FORM), b"Action=ConfirmSubscription&Action=CreateTopic"),
        (_unsigned("POST", "/", "Action=CreateTopic", FORM), b"Action=ConfirmSubscription"),
        (_unsigned("POST", "/", "", FORM | {"x-amz-target": "DynamoDB_20120810.Scan"}), b"Action=ConfirmSubscription"),
    ],
    ids=lambda value: f"{value.method} {value.path}" if isinstance(value, Request) else "",
)
def test_everything_else_needs_a_signature(request_: Request, body: bytes) -> None:
    refusal = request_.refusal(SECRET, body)
    assert refusal
    assert refusal.code == "MissingAuthenticationToken"
    assert f"got {request_.method} {request_.path} without a signature" in refusal.message


_SCOPE = "20261129/us-east-1/lambda/aws4_request"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"authorization": f"AWS4-HMAC-SHA256 Credential=test/{_SCOPE}, SignedHeaders=host, Signature=00"}),
        ("", {"authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/{_SCOPE}, SignedHeaders=host, Signature=00"}),
        ("", {"authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/{_SCOPE}"}),
        ("", {"authorization": f"AWS4-HMAC-SHA256 Credential=/{_SCOPE}, SignedHeaders=host, Signature=00"}),
        ("", {"authorization": "AWS4-HMAC-SHA256 nothing"}),
        ("", {"authorization": f"AWS4-ECDSA-P256-SHA256 Credential={ACCOUNT}/20261129/lambda/aws4_request"}),
        ("", {"authorization": f"AWS {ACCOUNT}:c2lnbmF0dXJl"}),
        (f"X-Amz-Credential={ACCOUNT}/{_SCOPE}", {}),
        (f"x-amz-credential={ACCOUNT}/{_SCOPE}", {}),
        ("X-Amz-Algorithm=AWS4-HMAC-SHA256", {}),
        (f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={ACCOUNT}%0A/{_SCOPE}&X-Amz-Signature=00", {}),
        (f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%D9%A1{ACCOUNT[1:]}/{_SCOPE}&X-Amz-Signature=00", {}),
        (f"AWSAccessKeyId={ACCOUNT}&Signature=00&Expires=9999999999", {}),
        ("AWSAccessKeyId=test&Signature=00&Expires=9999999999", {}),
        ("X-Amz-Signature=00", {}),
    ],
)
def test_an_incomplete_or_unknown_signature_is_refused(query: str, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/2015-03-31/functions"), ("GET", "/oauth2/authorize")):
        assert _unsigned(method, path, query, headers).refusal(SECRET, b"")


def test_a_session_key_is_left_to_the_emulator_but_not_for_its_own_endpoints() -> None:
    credential = f"Credential=ASIAABCDEF0123456789/{_SCOPE}"  # pragma: allowlist secret
    signed = {"authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"}
    request = _unsigned("POST", "/2015-03-31/functions", "", signed)
    assert (request.needs_body, request.refusal(SECRET, b"")) == (False, None)
    refusal = _unsigned("POST", "/_ministack/reset", "", signed).refusal(SECRET, b"")
    assert refusal
    assert refusal.code == "AccessDenied"
