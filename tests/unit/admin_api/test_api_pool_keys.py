"""The user pool's keys: when they are fetched, and what happens when they cannot be."""

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
from tests.functional.admin_api.tokens_for_tests import CLIENT, POOL, REGION, public_jwk, token
from tests.unit.admin_api.test_api_settings import GOOD


@dataclass
class Pool:
    """A JWKS endpoint on loopback that counts its visitors."""

    port: int = 0
    answer: bytes = b""
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def serves(self, *names: str) -> None:
        self.answer = json.dumps({"keys": [public_jwk(name) for name in names]}).encode()

    def verifier(self) -> TokenVerifier:
        emulator = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        settings = Settings.read(GOOD | {"USER_POOL_ID": POOL, "USER_POOL_CLIENT_ID": CLIENT} | emulator)
        return TokenVerifier(settings.issuer, settings.client_id, user_pool_keys(settings))


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            self.send_response(made.status)
            self.send_header("content-length", str(len(made.answer)))
            self.end_headers()
            self.wfile.write(made.answer)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        made.serves("pool-key")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def test_nothing_is_fetched_before_the_first_token(pool: Pool) -> None:
    pool.verifier()
    assert pool.asked == []


def test_the_keys_are_fetched_once_for_many_tokens(pool: Pool) -> None:
    verifier = pool.verifier()
    for _ in range(5):
        assert verifier.caller(f"Bearer {token('viewer')}").name == "alice"
    assert pool.asked == [f"/{POOL}/.well-known/jwks.json"]
    assert POOL.startswith(REGION)


def test_a_malformed_token_fetches_nothing(pool: Pool) -> None:
    verifier = pool.verifier()
    for bad in ("a.b.c", "x", token("viewer", kid=None)):
        with pytest.raises(Unauthenticated):
            verifier.caller(f"Bearer {bad}")
    assert pool.asked == []


def test_unknown_key_ids_fetch_the_keys_again_at_most_once_a_minute(pool: Pool) -> None:
    verifier = pool.verifier()
    for number in range(5):
        with pytest.raises(Unauthenticated):
            verifier.caller(f"Bearer {token('viewer', signed_by='evil', kid=f'evil-{number}')}")
    assert len(pool.asked) == 1


def test_a_rotated_key_is_found_once_the_minute_has_passed(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = pool.verifier()
    verifier.caller(f"Bearer {token('viewer')}")
    pool.serves("pool-key", "next-key")
    rotated = f"Bearer {token('viewer', signed_by='next-key', kid='next-key')}"
    with pytest.raises(Unauthenticated):
        verifier.caller(rotated)
    later = time.monotonic() + 61
    monkeypatch.setattr("jwt.jwks_client.time.monotonic", lambda: later)
    assert verifier.caller(rotated).name == "alice"
    assert len(pool.asked) == 2


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, b"{}"), (200, b"not json"), (200, b'{"keys": []}'), (200, b"[]"), (302, b""), (404, b"")],
    ids=["error", "no JSON", "no keys", "no object", "redirect", "absent"],
)
def test_without_the_pools_keys_nobody_comes_in(pool: Pool, status: int, answer: bytes) -> None:
    pool.status, pool.answer = status, answer
    with pytest.raises(KeysUnavailable):
        pool.verifier().caller(f"Bearer {token('admin')}")


def test_a_pool_that_cannot_be_reached_is_our_fault_and_not_the_callers(pool: Pool) -> None:
    verifier = pool.verifier()
    pool.port = 0
    closed = Settings.read(GOOD | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "USER_POOL_ID": POOL})
    with pytest.raises(KeysUnavailable):
        TokenVerifier(closed.issuer, CLIENT, user_pool_keys(closed)).caller(f"Bearer {token('admin')}")
    assert verifier.caller(f"Bearer {token('admin')}").is_admin
