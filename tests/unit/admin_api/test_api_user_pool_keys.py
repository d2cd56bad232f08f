"""The user pool's keys: when they are fetched, and failures to fetch them."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from admin_api.errors import KeysUnavailable, Unauthenticated
from admin_api.settings import Settings
from admin_api.web.tokens import TokenVerifier, user_pool_keys
from tests.functional.admin_api.user_pool import CLIENT, POOL, REGION, public_jwk, token
from tests.unit.admin_api.valid_settings import VALID_SETTINGS


@dataclass
class KeyServer:
    """A JWKS endpoint on the loopback interface that records its requests."""

    port: int = 0
    body: bytes = b""
    status: int = 200
    requests: list[str] = field(default_factory=list)

    def serve(self, *names: str) -> None:
        self.body = json.dumps({"keys": [public_jwk(name) for name in names]}).encode()

    def verifier(self) -> TokenVerifier:
        emulator = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        settings = Settings.read(VALID_SETTINGS | {"USER_POOL_ID": POOL, "USER_POOL_CLIENT_ID": CLIENT} | emulator)
        return TokenVerifier(settings.issuer, settings.client_id, user_pool_keys(settings))


@pytest.fixture
def pool() -> Iterator[KeyServer]:
    endpoint = KeyServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            endpoint.requests.append(self.path)
            self.send_response(endpoint.status)
            self.send_header("content-length", str(len(endpoint.body)))
            self.end_headers()
            self.wfile.write(endpoint.body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        endpoint.port = server.server_address[1]
        endpoint.serve("pool-key")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield endpoint
        server.shutdown()
        thread.join()


def test_nothing_is_fetched_before_the_first_token(pool: KeyServer) -> None:
    pool.verifier()
    assert pool.requests == []


def test_the_keys_are_fetched_once_for_many_tokens(pool: KeyServer) -> None:
    verifier = pool.verifier()
    for _ in range(5):
        assert verifier.caller(f"Bearer {token('viewer')}").name == "alice"
    assert pool.requests == [f"/{POOL}/.well-known/jwks.json"]
    assert POOL.startswith(REGION)


def test_a_malformed_token_fetches_nothing(pool: KeyServer) -> None:
    verifier = pool.verifier()
    for bad in ("a.b.c", "x", token("viewer", kid=None)):
        with pytest.raises(Unauthenticated):
            verifier.caller(f"Bearer {bad}")
    assert pool.requests == []


def test_unknown_key_ids_fetch_the_keys_again_at_most_once_a_minute(pool: KeyServer) -> None:
    verifier = pool.verifier()
    for number in range(5):
        with pytest.raises(Unauthenticated):
            verifier.caller(f"Bearer {token('viewer', signed_by='evil', kid=f'evil-{number}')}")
    assert len(pool.requests) == 1


def test_a_rotated_key_is_found_after_a_minute(pool: KeyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = pool.verifier()
    verifier.caller(f"Bearer {token('viewer')}")
    pool.serve("pool-key", "next-key")
    rotated = f"Bearer {token('viewer', signed_by='next-key', kid='next-key')}"
    with pytest.raises(Unauthenticated):
        verifier.caller(rotated)
    later = time.monotonic() + 61
    monkeypatch.setattr("jwt.jwks_client.time.monotonic", lambda: later)
    assert verifier.caller(rotated).name == "alice"
    assert len(pool.requests) == 2


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (200, b"not json"), (200, b'{"keys": []}'), (200, b"[]"), (302, b""), (404, b"")],
    ids=["error", "not JSON", "no keys", "not an object", "redirect", "absent"],
)
def test_without_keys_no_token_is_accepted(pool: KeyServer, status: int, body: bytes) -> None:
    pool.status, pool.body = status, body
    with pytest.raises(KeysUnavailable):
        pool.verifier().caller(f"Bearer {token('admin')}")


def test_an_unreachable_pool_is_a_fault(pool: KeyServer) -> None:
    verifier = pool.verifier()
    pool.port = 0
    closed = Settings.read(VALID_SETTINGS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "USER_POOL_ID": POOL})
    with pytest.raises(KeysUnavailable):
        TokenVerifier(closed.issuer, CLIENT, user_pool_keys(closed)).caller(f"Bearer {token('admin')}")
    assert verifier.caller(f"Bearer {token('admin')}").is_admin
