"""The console's port serves the lobby's API at the root, as on AWS, and nothing else of the emulator."""

import asyncio
import base64
import gzip
import json
import socket
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.emulator import Emulator
from infra.local.layout import Layout
from infra.local.ministack.api_origin import API_NAME, MAX_BODY, ApiOrigin
from tests.infra.local.emulated_cloud import aws

LAYOUT = Layout(Path("/x"), console_port=4567)
TEXT = b"a page, " * 500
FUNCTION = """
import base64, gzip, json

TEXT = b"a page, " * 500


def handler(event, context):
    path = event["rawPath"]
    if path == "/packed":
        headers = {"content-type": "text/html", "content-encoding": "gzip", "vary": "accept-encoding", "etag": '"1"'}
        packed = base64.b64encode(gzip.compress(TEXT, mtime=0)).decode()
        return {"statusCode": 200, "headers": headers, "body": packed, "isBase64Encoded": True}
    if path == "/bytes":
        body = base64.b64encode(bytes(range(256))).decode()
        return {"statusCode": 200, "headers": {"content-type": "font/woff2"}, "body": body, "isBase64Encoded": True}
    if path == "/cookies":
        return {"statusCode": 200, "cookies": ["a=1", "b=2"], "headers": {"x-one": "1, 2"}, "body": "{}"}
    if path == "/fresh":
        return {"statusCode": 304, "headers": {"etag": '"1"'}, "body": ""}
    if path == "/broken":
        raise RuntimeError("as requested")
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """Send a request to an `ApiOrigin` in this process, without a deployed API."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(ApiOrigin(LAYOUT))
        async with httpx.AsyncClient(transport=transport) as http:
            return await http.request(method, url, **options)

    return asyncio.run(send())


@pytest.mark.parametrize("path", ["/", "/graphql", "/_ministack/health"])
def test_before_the_deployment_every_path_returns_503(path: str) -> None:
    response = request("GET", f"http://127.0.0.1:4567{path}")
    assert response.status_code == 503
    assert response.text.startswith("The lobby is not deployed yet: got no API named device-lobby in 100000000001/")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:4566", "localhost.evil.example", "::1", ""])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_for_another_host_is_forbidden(method: str, host: str) -> None:
    response = request(method, "http://127.0.0.1:4567/", headers={"host": host})
    assert (response.status_code, response.json()) == (403, {"message": "Forbidden"})


def test_a_request_for_localhost_is_redirected_to_the_origin() -> None:
    response = request("GET", "http://localhost:4567/devices/ab%20c?state=inlobby&x=%2F")
    assert response.status_code == 307
    assert response.headers["location"] == "http://127.0.0.1:4567/devices/ab%20c?state=inlobby&x=%2F"
    assert (
        request("GET", "http://localhost:4567//evil.example/").headers["location"]
        == "http://127.0.0.1:4567/evil.example/"
    )
    assert request("POST", "http://localhost:4567/graphql").status_code == 403


def test_a_websocket_is_closed() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ApiOrigin(LAYOUT)({"type": "websocket", "path": "/mqtt", "headers": []}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_an_incomplete_request_is_not_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ApiOrigin, "_api_id", lambda _self: "no-such-api")
    scope = {"type": "http", "method": "POST", "raw_path": b"/graphql", "query_string": b""}
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ApiOrigin(LAYOUT)(scope | {"headers": [(b"host", b"127.0.0.1:4567")]}, receive, send))
    assert not sent


@pytest.fixture(scope="module")
def origin(emulator: Emulator) -> Iterator[httpx.Client]:
    """An API with the lobby's name, routes and a stage, and two APIs with other names."""
    arn = _function(emulator)
    gateway = aws(emulator, 0, "apigatewayv2")
    apis = [_api(gateway, name, arn) for name in ("another", API_NAME, "a-third")]
    with httpx.Client(base_url=emulator.layout.console_url, timeout=30) as http:
        yield http
    for api in apis:
        gateway.delete_api(ApiId=api)


def _function(emulator: Emulator) -> str:
    code = BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("index.py", FUNCTION)
    role = aws(emulator, 0, "iam").create_role(RoleName="page", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    arn: str = aws(emulator, 0, "lambda").create_function(
        FunctionName="page", Role=role, Runtime="python3.13", Handler="index.handler", Code={"ZipFile": code.getvalue()}
    )["FunctionArn"]
    return arn


def _api(gateway: Any, name: str, function: str) -> str:
    api: str = gateway.create_api(Name=name, ProtocolType="HTTP")["ApiId"]
    kind = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"}
    integration = gateway.create_integration(ApiId=api, IntegrationUri=function, **kind)["IntegrationId"]
    for route in ("GET /", "GET /{proxy+}", "HEAD /{proxy+}", "POST /graphql"):
        gateway.create_route(ApiId=api, RouteKey=route, Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return api


def test_the_api_is_at_the_root_and_receives_the_request_unchanged(origin: httpx.Client, emulator: Emulator) -> None:
    own = str(origin.base_url).rstrip("/")
    sent = {"cookie": "a=1; cognito=secret; b=2", "origin": own, "x-one": "1"}
    answer = origin.get("/devices?state=inlobby&state=claimed&q=a%26b+c&empty=", headers=sent)
    event = answer.json()
    assert (event["rawPath"], event["requestContext"]["stage"]) == ("/devices", "$default")
    assert event["rawQueryString"] == "state=inlobby&state=claimed&q=a%26b+c&empty="
    assert event["queryStringParameters"] == {"state": "inlobby,claimed", "q": "a&b c", "empty": ""}
    assert event["headers"]["host"] == emulator.layout.console_host
    assert event["headers"]["x-one"] == "1"
    assert event["headers"]["cookie"] == "a=1; b=2", "the sign-in page's cookie is not the console's"
    names = [api["Name"] for api in aws(emulator, 0, "apigatewayv2").get_apis()["Items"]]
    assert sorted(names) == sorted(["another", API_NAME, "a-third"])


def test_headers_with_the_same_name_are_joined(origin: httpx.Client) -> None:
    event = origin.get("/", headers=[("x-one", "1"), ("X-One", "2"), ("cookie", "a=1"), ("cookie", "b=2")]).json()
    assert (event["headers"]["x-one"], event["headers"]["cookie"]) == ("1, 2", "a=1; b=2")


def test_a_body_is_passed_on_unchanged(origin: httpx.Client) -> None:
    event = origin.post("/graphql", json={"query": "{ ünïcode }"}).json()
    assert (json.loads(event["body"]), event["isBase64Encoded"]) == ({"query": "{ ünïcode }"}, False)
    event = origin.post("/graphql", content=b"\x00\xff", headers={"content-type": "application/octet-stream"}).json()
    assert base64.b64decode(event["body"]) == b"\x00\xff"


def test_a_body_above_the_limit_is_refused(origin: httpx.Client) -> None:
    response = origin.post("/graphql", content=b"x" * (MAX_BODY + 1))
    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})


def test_a_compressed_response_is_compressed_once(origin: httpx.Client) -> None:
    with origin.stream("GET", "/packed", headers={"accept-encoding": "br, gzip"}) as response:
        raw = b"".join(response.iter_raw())
    assert gzip.decompress(raw) == TEXT
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-length"] == str(len(raw))
    assert (response.headers["vary"], response.headers["etag"]) == ("accept-encoding", '"1"')


def test_head_returns_the_headers_of_get_without_a_body(origin: httpx.Client) -> None:
    response = origin.head("/packed", headers={"accept-encoding": "gzip"})
    assert (response.status_code, response.content, response.headers["content-encoding"]) == (200, b"", "gzip")
    assert response.headers["content-length"] == origin.get("/packed").headers["content-length"]
    assert origin.get("/bytes").content == bytes(range(256)), "the connection is still usable"


def test_a_binary_body_is_returned_unchanged(origin: httpx.Client) -> None:
    response = origin.get("/bytes")
    assert (response.content, response.headers["content-type"]) == (bytes(range(256)), "font/woff2")


def test_response_headers_are_unchanged_and_without_cors(origin: httpx.Client) -> None:
    answer = origin.get("/cookies", headers={"origin": str(origin.base_url).rstrip("/")})
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["x-one"] == "1, 2"
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert answer.headers["apigw-requestid"]
    assert len(answer.headers.get_list("date")) == 1


def test_not_modified_has_no_body(origin: httpx.Client) -> None:
    response = origin.get("/fresh", headers={"if-none-match": '"1"'})
    assert (response.status_code, response.headers["etag"], response.content) == (304, '"1"', b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [("HEAD", "/"), ("POST", "/"), ("PUT", "/graphql"), ("OPTIONS", "/graphql"), ("POST", "/_ministack/reset")],
)
def test_a_request_without_a_route_is_not_found(origin: httpx.Client, method: str, path: str) -> None:
    preflight = {"origin": str(origin.base_url).rstrip("/"), "access-control-request-method": "POST"}
    answer = origin.request(method, path, headers=preflight)
    assert answer.status_code == 404
    assert answer.content == b"" if method == "HEAD" else answer.json() == {"message": "Not Found"}
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path",
    [
        *("/_ministack/ready", "/_ministack/iot/ca.pem", "/_localstack/health", "/_aws/execute-api/x/$default/graphql"),
        *("/oauth2/authorize", "/login", "/logout", "/x/.well-known/jwks.json", "/restapis/x/y/_user_request_/"),
        *("/$default/graphql", "/x/@connections/y", "/v2/_catalog", "/a-bucket/a-key", "//devices"),
    ],
)
def test_nothing_of_the_emulated_aws_is_there(origin: httpx.Client, path: str) -> None:
    request = origin.build_request("GET", path.replace("//", "/"))
    request.url = request.url.copy_with(raw_path=path.encode())
    event = origin.send(request).json()
    assert (event["version"], event["rawPath"]) == ("2.0", path), "the API's own function answers"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-target": "AWSCognitoIdentityProviderService.ListUserPools"},
        {"authorization": "AWS4-HMAC-SHA256 Credential=200000000002/20260101/eu-west-1/sts/aws4_request"},
    ],
    ids=["target", "signed"],
)
def test_a_call_of_an_aws_service_is_a_request_like_any_other(origin: httpx.Client, headers: dict[str, str]) -> None:
    event = origin.get("/", params={"Action": "GetCallerIdentity"}, headers=headers).json()
    assert event["requestContext"]["accountId"] == "100000000001"
    assert origin.post("/", headers=headers).status_code == 404


def test_the_error_of_a_failed_function_does_not_contain_its_message(origin: httpx.Client) -> None:
    response = origin.get("/broken")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})


def test_the_gateway_still_has_all_of_it(origin: httpx.Client, emulator: Emulator) -> None:
    api = next(each for each in aws(emulator, 0, "apigatewayv2").get_apis()["Items"] if each["Name"] == API_NAME)
    base = f"{emulator.endpoint_url}/_aws/execute-api/{api['ApiId']}/$default"
    assert httpx.get(f"{base}/devices").json()["rawPath"] == origin.get("/devices").json()["rawPath"]


def test_the_port_is_on_loopback_only(emulator: Emulator) -> None:
    with socket.socket() as other:
        other.settimeout(5)
        assert other.connect_ex(("127.64.0.9", emulator.layout.console_port)) != 0
