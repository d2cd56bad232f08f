"""The console's pages and files, from API Gateway's event to its answer: headers, codings, and no way out of `dist`."""

import base64
import copy
import gzip
import json
import re
from pathlib import Path

import pytest

from admin_api import handler
from admin_api.web.built_console import DIST, NONCE, BuiltConsole
from tests.functional.admin_api.served_pages import BROTLI, EVENT, HTML, SCRIPT, WASM, Answer, Lambda
from tests.functional.admin_api.test_api_web import SETTINGS
from tests.functional.admin_api.tokens_for_tests import CLIENT, ISSUER

PAGES = ["/", "/waiting", "/claim", "/devices", f"/devices/{'0' * 64}", "/targets", "/overview"]
LOGIN = SETTINGS["LOGIN_URL"]
FOR_EVER = "public, max-age=31536000, immutable"
SCRIPT_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
NO_POLICY = "default-src 'none'; frame-ancestors 'none'"


def nonce_in(answer: Answer) -> str:
    found = re.search(rb'nonce="([^"]*)"', answer.body)
    assert found
    return found[1].decode()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_the_built_document_with_a_policy_for_this_answer_alone(asked: Lambda, path: str) -> None:
    answers = [asked.get(path) for _ in range(2)]
    nonces = [nonce_in(answer) for answer in answers]
    assert len(set(nonces)) == 2
    for nonce, answer in zip(nonces, answers, strict=True):
        assert re.fullmatch(r"[\w-]{22,}", nonce, re.ASCII)
        assert answer.status == 200
        assert answer.body == HTML.replace(b"__CSP_NONCE__", nonce.encode())
        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; "
            f"img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self' {LOGIN}; font-src 'self'; "
            "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["permissions-policy"] == (
            "camera=(self), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
        )


@pytest.mark.parametrize(
    ("path", "content_type", "caching", "policy"),
    [
        ("/claim", "text/html; charset=utf-8", "no-store", None),
        ("/sign-in.json", "application/json", "no-store", NO_POLICY),
        ("/assets/index-B2x1.js", "text/javascript; charset=utf-8", FOR_EVER, SCRIPT_POLICY),
        ("/assets/index-C3y2.css", "text/css; charset=utf-8", FOR_EVER, NO_POLICY),
        ("/assets/scanner-D4z3.wasm", "application/wasm", FOR_EVER, NO_POLICY),
        ("/assets/label-E5.png", "image/png", FOR_EVER, NO_POLICY),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache", SCRIPT_POLICY),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache", NO_POLICY),
        ("/icon.svg", "image/svg+xml", "no-cache", NO_POLICY),
        ("/icon-192.png", "image/png", "no-cache", NO_POLICY),
    ],
)
def test_headers_say_what_it_is_how_long_to_keep_it_and_what_it_may_do(
    asked: Lambda, path: str, content_type: str, caching: str, policy: str | None
) -> None:
    answer = asked.get(path)
    head = asked.get(path, "HEAD")
    for headers in (answer.headers, head.headers):
        assert (headers["content-type"], headers["cache-control"]) == (content_type, caching)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert headers["strict-transport-security"]
        assert policy is None or headers["content-security-policy"] == policy
        assert not [name for name in headers if name.startswith("access-control-")]
    assert (answer.status, head.status, head.body) == (200, 200, b"")
    assert answer.body
    assert head.headers.keys() == answer.headers.keys() - {"content-length"}
    assert answer.headers.get("vary") == ("accept-encoding" if "etag" in answer.headers else None)


@pytest.mark.parametrize(
    ("path", "accept_encoding", "coding", "body"),
    [
        ("/assets/index-B2x1.js", "gzip, deflate, br, zstd", "br", BROTLI),
        ("/assets/index-B2x1.js", "gzip, deflate", "gzip", gzip.compress(SCRIPT, mtime=0)),
        ("/assets/index-B2x1.js", "br;q=0.1, gzip", "gzip", gzip.compress(SCRIPT, mtime=0)),
        ("/assets/index-B2x1.js", "br;q=0, gzip;q=0", None, SCRIPT),
        ("/assets/index-B2x1.js", "", None, SCRIPT),
        ("/assets/scanner-D4z3.wasm", "br", "br", BROTLI + b"wasm"),
        ("/assets/scanner-D4z3.wasm", "gzip", None, WASM),
        ("/assets/index-C3y2.css", "br", None, b"body{}"),
        ("/sw.js", "br, gzip", "gzip", gzip.compress(b"self.skipWaiting()", mtime=0)),
        ("/claim", "br", None, None),
    ],
)
def test_a_file_comes_in_the_best_coding_and_byte_for_byte(
    asked: Lambda, path: str, accept_encoding: str, coding: str | None, body: bytes | None
) -> None:
    answer = asked.get(path, accept_encoding=accept_encoding)
    assert answer.headers.get("content-encoding") == coding
    assert body is None or gunzipped(answer.body) == gunzipped(body)
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.as_base64


def gunzipped(body: bytes) -> bytes:
    """The moment of its compression is in a gzip file."""
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def test_the_golden_event_is_answered_with_the_page(asked: Lambda) -> None:
    answer = asked.call(copy.deepcopy(EVENT))
    assert answer.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert base64.b64decode(answer["body"]).startswith(b"<!doctype html>")


def test_a_file_of_4_mb_fits_into_a_lambda_s_answer_whatever_is_in_it(asked: Lambda, dist: Path) -> None:
    """6 MB at most; as text, these quotation marks would be twice as many bytes."""
    (dist / "assets" / "index-B2x1.js").write_bytes(b'"' * (4 * 1024 * 1024))
    event = copy.deepcopy(EVENT)
    event["headers"]["accept-encoding"] = "identity"
    event["requestContext"]["http"]["path"] = "/assets/index-B2x1.js"
    answer = asked.call(event)
    assert answer["statusCode"] == 200
    assert len(json.dumps(answer)) < 6 * 1024 * 1024


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', ' "other" ,W/{} ', "*"])
@pytest.mark.parametrize("path", ["/sw.js", "/manifest.webmanifest", "/icon.svg", "/assets/index-B2x1.js"])
def test_what_a_browser_has_already_is_not_sent_again(asked: Lambda, path: str, form: str) -> None:
    first = asked.get(path)
    again = asked.get(path, if_none_match=form.format(first.headers["etag"]))
    assert (again.status, again.body) == (304, b"")
    for name in ("etag", "cache-control", "vary", "content-type"):
        assert again.headers[name] == first.headers[name]


def test_another_coding_or_another_content_has_another_etag(asked: Lambda, dist: Path) -> None:
    etags = {asked.get("/sw.js", accept_encoding=coding).headers["etag"] for coding in ("gzip", "identity")}
    (dist / "sw.js").write_bytes(b"self.skipWaitinG()")
    handler._application.cache_clear()
    changed = asked.get("/sw.js", accept_encoding="identity", if_none_match=", ".join(etags))
    assert changed.status == 200
    assert len(etags | {changed.headers["etag"]}) == 3


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../settings.py",
        "/assets/..%2fsettings.py",
        "/assets/..%2F..%2Fsettings.py",
        "/assets/%2e%2e/settings.py",
        "/assets/%252e%252e%252fsettings.py",
        "/assets/..\\settings.py",
        "/assets/..%5csettings.py",
        "/assets/....//settings.py",
        "/assets/../index.html",
        "/assets/./index-B2x1.js",
        "/assets//index-B2x1.js",
        "/assets/index-B2x1.js/",
        "/assets/index-B2x1.js.br",
        "/assets/index-B2x1.js.gz",
        "/assets/INDEX-B2x1.js",
        "/assets/index-B2x1.js%00",
        "/assets/%00",
        "/assets/index-B2x1.js%0a",
        "/assets/%ff%fe",
        "/assets/",
        "/assets",
        "/assets/" + "a" * 100_000,
        "/" + "../" * 500 + "etc/passwd",
        "/..",
        "/../settings.py",
        "//settings.py",
        "//",
        "//sw.js",
        "/./sw.js",
        "/sw.js/",
        "/sw.js.gz",
        "/index.html",
        "/settings.py",
        "/dist/sw.js",
        "/devices/a/b",
        "/claim/",
        "/devices/",
        "/admin",
        "/favicon.ico",
        "/sign-in.json/",
        "https://evil.example/sw.js",
        "/.built",
    ],
    ids=range(42),
)
def test_what_is_not_in_the_list_is_not_there(asked: Lambda, path: str) -> None:
    answer = asked.get(path)
    assert (answer.status, answer.failure[0]) == (404, "NOT_FOUND")
    assert answer.headers["cache-control"] == "no-store"
    assert b"secret" not in answer.body
    assert len(answer.body) < 300


@pytest.mark.parametrize("path", ["/claim", "/assets/index-B2x1.js", "/sw.js", "/sign-in.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_pages_and_files_are_only_read(asked: Lambda, method: str, path: str) -> None:
    answer = asked.get(path, method)
    assert (answer.status, answer.failure[0]) == (405, "INVALID_REQUEST")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_graphql_stays_as_it_was(asked: Lambda) -> None:
    answer = asked.get("/graphql")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    answer = asked.get("/graphql", "POST", content_type="application/json")
    assert (answer.status, answer.failure[0]) == (401, "UNAUTHENTICATED")
    assert (answer.headers["content-security-policy"], answer.headers["cache-control"]) == (NO_POLICY, "no-store")
    assert not answer.as_base64


def test_the_sign_in_document_is_what_an_oauth_client_needs(asked: Lambda) -> None:
    assert json.loads(asked.get("/sign-in.json").body) == {
        "issuer": ISSUER,
        "authorize_url": f"{LOGIN}/oauth2/authorize",
        "token_url": f"{LOGIN}/oauth2/token",
        "logout_url": f"{LOGIN}/logout",
        "revoke_url": f"{LOGIN}/oauth2/revoke",
        "client_id": CLIENT,
        "scope": "openid profile",
    }


def test_on_an_emulator_people_sign_in_there(asked: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.delenv("LOGIN_URL")
    document = json.loads(asked.get("/sign-in.json").body)
    assert document["token_url"] == "http://127.0.0.1:4566/oauth2/token"
    assert (document["issuer"], document["revoke_url"]) == (ISSUER, None)
    assert "connect-src 'self' http://127.0.0.1:4566;" in asked.get("/").headers["content-security-policy"]


@pytest.mark.parametrize("path", [*PAGES, "/assets/index-B2x1.js"])
def test_without_a_built_console_its_addresses_say_so(
    asked: Lambda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    monkeypatch.setattr(handler, "DIST", tmp_path / "nothing")
    answer = asked.get(path)
    assert (answer.status, answer.failure[0]) == (404, "NOT_FOUND")
    assert "without its console" in answer.failure[1]
    assert asked.get("/sign-in.json").status == 200
    assert asked.get("/sw.js").status == 404


@pytest.mark.skipif(BuiltConsole.read(DIST) is None, reason="the console is not built here")
def test_the_console_that_is_built_here_can_be_served() -> None:
    built = BuiltConsole.read(DIST)
    assert built is not None
    assert NONCE in built.index.content
    for name, file in built.files.items():
        assert file.media_type != "application/octet-stream", name
        assert len(file.plain.content) <= 4 * 1024 * 1024, name
        assert "/" not in name or re.fullmatch(r"assets/.+-[\w-]{8}\.\w+", name), f"{name} is kept for ever"
