"""A built console on the disk, and the Lambda that serves it as it is deployed: for the tests of pages and files."""

import base64
import copy
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from admin_api import handler
from tests.functional.admin_api.test_api_web import SETTINGS
from tests.functional.admin_api.tokens_for_tests import REGION, key_of

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


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    as_base64: bool

    @property
    def failure(self) -> tuple[str, str]:
        [error] = json.loads(self.body)["errors"]
        return error["extensions"]["code"], error["message"]


@dataclass
class Lambda:
    """The Lambda as it is deployed, asked as a browser asks."""

    call: Callable[[dict[str, Any]], dict[str, Any]]

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        event = copy.deepcopy(EVENT)
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["requestContext"]["http"]["method"] = method
        event["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.call(event)
        body, as_base64 = answer["body"], answer["isBase64Encoded"]
        return Answer(
            answer["statusCode"], answer["headers"], base64.b64decode(body) if as_base64 else body.encode(), as_base64
        )


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A built console, with something beside it that nobody may see."""
    for name, content in FILES.items():
        path = tmp_path / "admin_api" / "dist" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "admin_api" / "settings.py").write_text("secret")
    return tmp_path / "admin_api" / "dist"


@pytest.fixture
def asked(dist: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    for name, value in (SETTINGS | {"AWS_DEFAULT_REGION": REGION}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(handler, "user_pool_keys", lambda _settings: key_of)
    monkeypatch.setattr(handler, "DIST", dist)
    handler._application.cache_clear()
    context = SimpleNamespace(
        function_name="device-lobby-admin-api",
        memory_limit_in_mb=1024,
        aws_request_id="1",
        invoked_function_arn="arn:aws:lambda:eu-west-1:999999999999:function:device-lobby-admin-api",
    )
    yield Lambda(lambda event: handler.handler(event, context))
    handler._application.cache_clear()
