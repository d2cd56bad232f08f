"""The Lambdas behind the API as deployed: their settings, their handlers, and a built console on disk."""

import base64
import copy
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from admin_api import handler, pages_handler
from tests.functional.admin_api.api_on_moto import PROFILES
from tests.functional.admin_api.user_pool import CLIENT, POOL, REGION, key_of

SETTINGS = {
    "AWS_REGION": REGION,
    "USER_POOL_ID": POOL,
    "USER_POOL_CLIENT_ID": CLIENT,
    "SURVEYOR_FUNCTION": "device-lobby-surveyor",
    "RECONCILER_FUNCTION": "device-lobby-reconciler",
    "REGISTRAR_FUNCTION": "device-lobby-registrar",
    "COMMISSIONER_ROLE_ARN": "arn:aws:iam::999999999999:role/device-lobby-commissioner",
    "NOTICES_TOPIC": f"arn:aws:sns:{REGION}:999999999999:device-lobby-notices",
    "CLAIM_LIMITS": "60/1000/10",
    "HISTORY_KEY": f"arn:aws:kms:{REGION}:999999999999:key/12345678-1234-1234-1234-123456789012",
    "WEBHOOKS_QUEUE": f"https://sqs.{REGION}.amazonaws.com/999999999999/device-lobby-webhooks",
    "CAMPAIGNS_QUEUE": f"https://sqs.{REGION}.amazonaws.com/999999999999/device-lobby-campaigns.fifo",
    "CAMPAIGN_APPROVAL_ABOVE": "1000",
    "ARRIVALS_QUEUE_ARN": f"arn:aws:sqs:{REGION}:999999999999:device-lobby-arrivals",
    "LEFT_THINGS": "mark",
    "LOGIN_URL": f"https://device-lobby-999999999999.auth.{REGION}.amazoncognito.com",
}
EVENT = json.loads((Path(__file__).parents[2] / "events" / "page_request.json").read_text())
SCRIPT = b'console.log("\xc3\xa9")'
BROTLI = b"\x8b\x0b\x80brotli\xff\x03"
WASM = b"\0asm\x01\0\0\0\xff\xfe"
HTML = b'<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__"><script src="/assets/index-B2x1.js"></script>'
FILES = {
    "index.html": HTML,
    "assets/index-B2x1.js": SCRIPT,
    "assets/index-B2x1.js.br": BROTLI,
    "assets/index-B2x1.js.gz": gzip.compress(SCRIPT, mtime=0),
    "assets/index-C3y2.css": b"body{}",
    "assets/scanner-D4z3.wasm": WASM,
    "assets/scanner-D4z3.wasm.br": BROTLI + b"wasm",
    "assets/label-E5.png": b"\x89PNG",
    "sw.js": b"self.skipWaiting()",
    "sw.js.gz": gzip.compress(b"self.skipWaiting()", mtime=0),
    "manifest.webmanifest": b"{}",
    "icon.svg": b"<svg/>",
    "icon-192.png": b"\x89PNG192",
    ".built": b"secret",
}

Handler = Callable[[dict[str, Any]], dict[str, Any]]


@contextmanager
def deployed_handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:
    """The handlers with their settings in the environment, and the keys of the test user pool."""
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in (SETTINGS | {"AWS_DEFAULT_REGION": REGION} | credentials).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(handler, "user_pool_keys", lambda _settings: key_of)
    monkeypatch.setattr("admin_api.services.bundled_profiles", lambda: PROFILES)
    _forget()
    context = SimpleNamespace(
        function_name="device-lobby-admin-api",
        memory_limit_in_mb=1024,
        aws_request_id="1",
        invoked_function_arn="arn:aws:lambda:eu-west-1:999999999999:function:device-lobby-admin-api",
    )

    def route(event: dict[str, Any]) -> dict[str, Any]:
        """Pass the event to the Lambda of its route (`infra.parts.front_door`)."""
        request = event["requestContext"]["http"]
        is_graphql = (request["method"], request["path"]) == ("POST", "/graphql")
        response: dict[str, Any] = (handler if is_graphql else pages_handler).handler(event, context)
        return response

    yield route
    _forget()


def _forget() -> None:
    handler._application.cache_clear()
    pages_handler._application.cache_clear()


@dataclass
class PageResponse:
    status: int
    headers: dict[str, str]
    body: bytes
    is_base64: bool

    @property
    def error(self) -> tuple[str, str]:
        """Code and message."""
        [error] = json.loads(self.body)["errors"]
        return error["extensions"]["code"], error["message"]


@dataclass
class Console:
    """The deployed Lambdas with a built console, as a browser requests them."""

    call: Handler

    def get(self, path: str, method: str = "GET", **headers: str) -> PageResponse:
        event = copy.deepcopy(EVENT)
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["requestContext"]["http"]["method"] = method
        event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.call(event)
        body, is_base64 = response["body"], response["isBase64Encoded"]
        content = base64.b64decode(body) if is_base64 else body.encode()
        return PageResponse(response["statusCode"], response["headers"], content, is_base64)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """The directory of a built console, next to a file that must not be served."""
    for name, content in FILES.items():
        path = tmp_path / "admin_api" / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "admin_api" / "settings.py").write_text("secret")
    return tmp_path / "admin_api" / "dist"


@pytest.fixture
def console(dist: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
    monkeypatch.setattr(pages_handler, "DIST", dist)
    with deployed_handler(monkeypatch) as call:
        yield Console(call)
