"""The console's pages and files: headers, content codings, caching, and path traversal."""

import base64
import copy
import gzip
import json
import re
from pathlib import Path

import pytest

from admin_api import pages_handler
from admin_api.web.built_console import DIST, NONCE, BuiltConsole
from tests.functional.admin_api.deployed_lambda import (
    BROTLI,
    EVENT,
    HTML,
    SCRIPT,
    SETTINGS,
    WASM,
    Console,
    PageResponse,
)
from tests.functional.admin_api.user_pool import CLIENT, ISSUER

PAGES = ["/", "/waiting", "/claim", "/claim/", "/devices", "/devices/", f"/devices/{'0' * 64}", "/targets", "/overview"]
LOGIN = SETTINGS["LOGIN_URL"]
IMMUTABLE = "public, max-age=31536000, immutable"
SCRIPT_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def test_every_page_of_the_console_has_its_address(console: Console) -> None:
    source = (DIST.parent / "src/pages/navigation.ts").read_text()
    paths = re.findall(r'path: "(/[a-z]+)"', source)
    assert "/campaigns" in paths
    assert {path: console.get(path).status for path in paths} == dict.fromkeys(paths, 200)


def nonce_in(response: PageResponse) -> str:
    match = re.search(rb'nonce="([^"]*)"', response.body)
    assert match
    return match[1].decode()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_the_built_document_with_a_nonce_for_each_response(console: Console, path: str) -> None:
    responses = [console.get(path) for _ in range(2)]
    nonces = [nonce_in(response) for response in responses]
    assert len(set(nonces)) == 2
    for nonce, response in zip(nonces, responses, strict=True):
        assert re.fullmatch(r"[\w-]{22,}", nonce, re.ASCII)
        assert response.status == 200
        assert response.body == HTML.replace(b"__CSP_NONCE__", nonce.encode())
        assert response.headers["content-security-policy"] == (
            f"default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; "
            f"img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self' {LOGIN}; font-src 'self'; "
            "manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        assert response.headers["permissions-policy"] == (
            "camera=(self), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
        )


@pytest.mark.parametrize(
    ("path", "content_type", "caching", "policy"),
    [
        ("/claim", "text/html; charset=utf-8", "no-store", None),
        ("/sign-in.json", "application/json", "no-store", API_POLICY),
        ("/assets/index-B2x1.js", "text/javascript; charset=utf-8", IMMUTABLE, SCRIPT_POLICY),
        ("/assets/index-C3y2.css", "text/css; charset=utf-8", IMMUTABLE, API_POLICY),
        ("/assets/scanner-D4z3.wasm", "application/wasm", IMMUTABLE, API_POLICY),
        ("/assets/label-E5.png", "image/png", IMMUTABLE, API_POLICY),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache", SCRIPT_POLICY),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache", API_POLICY),
        ("/icon.svg", "image/svg+xml", "no-cache", API_POLICY),
        ("/icon-192.png", "image/png", "no-cache", API_POLICY),
    ],
)
def test_responses_have_type_caching_and_security_headers(
    console: Console, path: str, content_type: str, caching: str, policy: str | None
) -> None:
    response = console.get(path)
    head = console.get(path, "HEAD")
    for headers in (response.headers, head.headers):
        assert (headers["content-type"], headers["cache-control"]) == (content_type, caching)
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert headers["strict-transport-security"]
        assert policy is None or headers["content-security-policy"] == policy
        assert not [name for name in headers if name.startswith("access-control-")]
    assert (response.status, head.status, head.body) == (200, 200, b"")
    assert response.body
    assert head.headers.keys() == response.headers.keys() - {"content-length"}
    assert response.headers.get("vary") == ("accept-encoding" if "etag" in response.headers else None)


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
def test_a_file_is_served_in_the_best_accepted_coding(
    console: Console, path: str, accept_encoding: str, coding: str | None, body: bytes | None
) -> None:
    response = console.get(path, accept_encoding=accept_encoding)
    assert response.headers.get("content-encoding") == coding
    assert body is None or gunzipped(response.body) == gunzipped(body)
    assert response.headers["content-length"] == str(len(response.body))
    assert response.is_base64


def gunzipped(body: bytes) -> bytes:
    """Decompress, because a gzip file contains the time of compression."""
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def test_the_recorded_event_returns_the_page(console: Console) -> None:
    response = console.call(copy.deepcopy(EVENT))
    assert response.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert base64.b64decode(response["body"]).startswith(b"<!doctype html>")


def test_a_file_of_4_mb_fits_into_a_lambda_response(console: Console, dist: Path) -> None:
    """The limit is 6 MB. As text, these quotation marks would be twice as many bytes."""
    (dist / "assets" / "index-B2x1.js").write_bytes(b'"' * (4 * 1024 * 1024))
    event = copy.deepcopy(EVENT)
    event["headers"]["accept-encoding"] = "identity"
    event["requestContext"]["http"]["path"] = "/assets/index-B2x1.js"
    response = console.call(event)
    assert response["statusCode"] == 200
    assert len(json.dumps(response)) < 6 * 1024 * 1024


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', ' "other" ,W/{} ', "*"])
@pytest.mark.parametrize("path", ["/sw.js", "/manifest.webmanifest", "/icon.svg", "/assets/index-B2x1.js"])
def test_an_unmodified_file_is_not_sent_again(console: Console, path: str, form: str) -> None:
    first = console.get(path)
    again = console.get(path, if_none_match=form.format(first.headers["etag"]))
    assert (again.status, again.body) == (304, b"")
    for name in ("etag", "cache-control", "vary", "content-type"):
        assert again.headers[name] == first.headers[name]


def test_etags_depend_on_coding_and_content(console: Console, dist: Path) -> None:
    etags = {console.get("/sw.js", accept_encoding=coding).headers["etag"] for coding in ("gzip", "identity")}
    (dist / "sw.js").write_bytes(b"self.skipWaitinG()")
    pages_handler._application.cache_clear()
    changed = console.get("/sw.js", accept_encoding="identity", if_none_match=", ".join(etags))
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
        "/admin",
        "/favicon.ico",
        "/sign-in.json/",
        "https://evil.example/sw.js",
        "/.built",
    ],
    ids=range(40),
)
def test_a_path_that_is_not_listed_is_not_found(console: Console, path: str) -> None:
    response = console.get(path, accept="*/*")
    assert (response.status, response.error[0]) == (404, "NOT_FOUND")
    assert response.headers["cache-control"] == "no-store"
    assert b"secret" not in response.body
    assert len(response.body) < 300


@pytest.mark.parametrize("path", ["/nowhere", "/devices/a/b", "/claim/x"])
def test_a_browser_gets_the_console_for_an_unknown_address(console: Console, path: str) -> None:
    response = console.get(path, accept="text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    assert (response.status, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert response.body == HTML.replace(b"__CSP_NONCE__", nonce_in(response).encode())
    assert "nonce-" in response.headers["content-security-policy"]
    assert console.get(path, "HEAD", accept="text/html").body == b""
    assert console.get(path, "POST", accept="text/html").headers["content-type"] == "application/json"
    assert console.get(path, accept="application/json").headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/claim", "/assets/index-B2x1.js", "/sw.js", "/sign-in.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_pages_and_files_accept_only_get_and_head(console: Console, method: str, path: str) -> None:
    response = console.get(path, method)
    assert (response.status, response.error[0]) == (405, "INVALID_REQUEST")
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_graphql_behaves_the_same_with_pages(console: Console) -> None:
    response = console.get("/graphql")
    assert (response.status, response.headers["allow"]) == (405, "POST")
    response = console.get("/graphql", "POST", content_type="application/json")
    assert (response.status, response.error[0]) == (401, "UNAUTHENTICATED")
    assert (response.headers["content-security-policy"], response.headers["cache-control"]) == (API_POLICY, "no-store")
    assert not response.is_base64


def test_the_sign_in_document_has_what_an_oauth_client_needs(console: Console) -> None:
    assert json.loads(console.get("/sign-in.json").body) == {
        "issuer": ISSUER,
        "authorize_url": f"{LOGIN}/oauth2/authorize",
        "token_url": f"{LOGIN}/oauth2/token",
        "logout_url": f"{LOGIN}/logout",
        "revoke_url": f"{LOGIN}/oauth2/revoke",
        "client_id": CLIENT,
        "scope": "openid profile",
    }


def test_an_emulator_is_its_own_sign_in_page(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.delenv("LOGIN_URL")
    document = json.loads(console.get("/sign-in.json").body)
    assert document["token_url"] == "http://127.0.0.1:4566/oauth2/token"
    assert (document["issuer"], document["revoke_url"]) == (ISSUER, None)
    assert "connect-src 'self' http://127.0.0.1:4566;" in console.get("/").headers["content-security-policy"]


@pytest.mark.parametrize("path", [*PAGES, "/assets/index-B2x1.js"])
def test_without_a_built_console_its_paths_explain_why(
    console: Console, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    monkeypatch.setattr(pages_handler, "DIST", tmp_path / "nothing")
    response = console.get(path, accept="text/html")
    assert (response.status, response.error[0]) == (404, "NOT_FOUND")
    assert "without its console" in response.error[1]
    assert console.get("/sign-in.json").status == 200
    assert console.get("/sw.js").status == 404


@pytest.mark.skipif(BuiltConsole.read(DIST) is None, reason="the console is not built")
def test_the_built_console_can_be_served() -> None:
    built = BuiltConsole.read(DIST)
    assert built is not None
    assert NONCE in built.index.content
    for name, file in built.files.items():
        assert file.media_type != "application/octet-stream", name
        assert len(file.plain.content) <= 4 * 1024 * 1024, name
        assert "/" not in name or re.fullmatch(r"assets/.+-[\w-]{8}\.\w+", name), (
            f"{name} has no hash, but is cached permanently"
        )
