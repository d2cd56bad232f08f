"""The running local cloud refuses foreign origins, hosts and secrets on both ports."""

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator, LocalSession
from infra.local.environment import SECRET_FILE, root_secret
from infra.local.ministack import lambda_credentials
from tests.infra.local.emulated_cloud import aws

pytestmark = pytest.mark.e2e
FUNCTIONS = "/2015-03-31/functions"
CALLS: dict[str, Any] = {
    "sts": lambda client: client.get_caller_identity(),
    "iot": lambda client: client.list_things(),
    "iot-data": lambda client: client.list_retained_messages(),
    "dynamodb": lambda client: client.list_tables(),
    "s3": lambda client: client.list_buckets(),
    "lambda": lambda client: client.list_functions(),
    "cloudformation": lambda client: client.list_stacks(),
    "sqs": lambda client: client.list_queues(),
    "sns": lambda client: client.list_topics(),
    "cognito-idp": lambda client: client.list_user_pools(MaxResults=1),
}


@pytest.fixture(params=["gateway", "console"])
def port(request: pytest.FixtureRequest, emulator: Emulator) -> int:
    layout = emulator.layout
    return layout.gateway_port if request.param == "gateway" else layout.console_port


@pytest.fixture
def http(port: int) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client


def _query_signed(emulator: Emulator, method: str, path: str, secret: str, body: bytes = b"") -> str:
    """Return a URL with a signature of the lobby's root user, as a page would make it for a simple request."""
    request = AWSRequest(method, f"{emulator.endpoint_url}{path}", data=body)
    lobby = emulator.layout.lobby
    SigV4QueryAuth(Credentials(lobby.account, secret), "lambda", lobby.region).add_auth(request)
    return str(request.url)


def test_a_query_signed_simple_request_needs_the_secret(emulator: Emulator) -> None:
    simple = {"content-type": "text/plain"}
    refused = httpx.post(_query_signed(emulator, "POST", FUNCTIONS, "test", b"{}"), content=b"{}", headers=simple)
    assert refused.status_code == 403
    assert "aws_secret_access_key in .local/lobby.json" in refused.text
    refused = httpx.get(_query_signed(emulator, "GET", FUNCTIONS, "test"))
    assert refused.status_code == 403
    accepted = httpx.get(_query_signed(emulator, "GET", FUNCTIONS, emulator.secret))
    assert (accepted.status_code, "Functions" in accepted.json()) == (200, True)


def test_a_web_page_is_refused_even_with_the_secret(emulator: Emulator) -> None:
    url = _query_signed(emulator, "GET", FUNCTIONS, emulator.secret)
    for headers in ({"origin": "http://127.0.0.1:8000"}, {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}):
        assert httpx.get(url, headers=headers).status_code == 403
    rebound = httpx.get(url, headers={"host": f"evil.example:{emulator.layout.gateway_port}"})
    assert (rebound.status_code, rebound.json()["code"]) == (403, "FOREIGN_HOST")


@pytest.mark.parametrize("service", CALLS)
def test_a_client_with_another_secret_gets_an_error_of_the_service(emulator: Emulator, service: str) -> None:
    lobby = emulator.layout.lobby
    assert CALLS[service](aws(emulator, 0, service))["ResponseMetadata"]["HTTPStatusCode"] == 200
    client = LocalSession(emulator.endpoint_url, "test", lobby.account, lobby.region).client(service)
    with pytest.raises(ClientError) as refused:
        CALLS[service](client)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    codes = ("SignatureDoesNotMatch", "InvalidSignatureException", "ForbiddenException", "InvalidSignature")
    assert refused.value.response["Error"]["Code"] in codes


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "PUT"])
@pytest.mark.parametrize("path", ["/", "/sign-in.json", FUNCTIONS, "/_ministack/reset", "/_ministack/config"])
def test_no_response_has_cors_headers(http: httpx.Client, method: str, path: str) -> None:
    for headers in ({}, {"origin": "http://127.0.0.1:8000"}, {"origin": "null"}):
        answer = http.request(method, path, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.status_code == 403 or not headers


@pytest.mark.parametrize("path", ["/", "/mqtt", "/_aws/execute-api/a/$default"])
def test_a_websocket_is_refused(port: int, path: str) -> None:
    handshake = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    handshake += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(handshake.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 403")


def test_the_emulator_cannot_be_reset_without_the_secret(emulator: Emulator) -> None:
    for path in ("/_ministack/reset", "/_ministack/config"):
        answer = httpx.post(f"{emulator.endpoint_url}{path}")
        assert (answer.status_code, answer.json()["code"]) == (403, "MissingAuthenticationToken")


def test_the_credentials_of_a_function_cannot_be_computed_from_its_name(emulator: Emulator) -> None:
    lobby = emulator.layout.lobby
    function = f"arn:aws:lambda:{lobby.region}:{lobby.account}:function:f"
    role = f"arn:aws:iam::{lobby.account}:role/r"
    original = hashlib.sha256(f"{function}:{role}".encode()).hexdigest()
    config = {"FunctionArn": function, "Role": role, "FunctionName": "f"}
    first, second = (lambda_credentials.credentials_from(secret)(config) for secret in ("one", "two"))
    again = lambda_credentials.credentials_from("one")(config)
    assert first == again
    assert not set(first.values()) & set(second.values())
    assert original[:16].upper() not in first["AWS_ACCESS_KEY_ID"]


def test_each_deployment_has_its_own_private_secret(emulator: Emulator, tmp_path: Path) -> None:
    path = emulator.layout.state_dir / SECRET_FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().strip() == emulator.secret
    one, other = root_secret(tmp_path / "a"), root_secret(tmp_path / "b")
    assert len({one, other, emulator.secret, "test"}) == 4
    assert min(map(len, (one, other))) >= 40
    (tmp_path / "a" / SECRET_FILE).chmod(0o644)
    assert root_secret(tmp_path / "a") == one
    assert (tmp_path / "a" / SECRET_FILE).stat().st_mode & 0o777 == 0o600


def test_a_state_directory_without_a_secret_gets_one(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).write_text("\n")
    assert root_secret(tmp_path) == root_secret(tmp_path) != ""


def test_a_refusal_is_logged_with_its_reason(emulator: Emulator) -> None:
    httpx.get(emulator.endpoint_url, headers={"origin": "https://evil.example"})
    assert "refused: got Origin 'https://evil.example'" in emulator.log_tail(50)
    answer = httpx.get(emulator.endpoint_url, headers={"origin": "https://evil.example"})
    assert json.loads(answer.text)["message"].startswith("got Origin 'https://evil.example', want none")
    assert urlsplit(emulator.endpoint_url).hostname == "127.0.0.1"
