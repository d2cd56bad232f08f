"""GraphQL over HTTP: media types, status codes, persisted queries, and the audit suite of `graphql-http`."""

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.functional.admin_api.api_on_moto import Lobby, event_of
from tests.functional.admin_api.user_pool import token

GRAPHQL_RESPONSE = "application/graphql-response+json"
TYPENAME = {"query": "{ __typename }"}
TWO = "query One { __typename } mutation Two { __typename }"
CONSOLE = Path(__file__).parents[3] / "admin_api" / "console"


def post(lobby: Lobby, body: Any, accept: str | None = None) -> tuple[int, str, dict[str, Any]]:
    """Send a request as an operator and return its status, media type and body."""
    event = event_of(body, authorization=f"Bearer {token('operator')}")
    if accept is not None:
        event["headers"]["accept"] = accept
    response = lobby.lambda_handler(event, None)  # type: ignore[arg-type]  # the Lambda context is not used
    media_type = response["headers"]["content-type"].partition(";")[0]
    return response["statusCode"], media_type, json.loads(response["body"])


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html", "application/json"),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}, application/json", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE}; q=0.9, application/json; q=1", "application/json"),
        (f"{GRAPHQL_RESPONSE};charset=utf-8, application/json;q=0.9", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE.upper()}", GRAPHQL_RESPONSE),
        (f"{GRAPHQL_RESPONSE};q=0", "application/json"),
        (f"{GRAPHQL_RESPONSE};q=high", "application/json"),
    ],
)
def test_the_response_has_the_media_type_that_the_client_prefers(
    lobby: Lobby, accept: str | None, media_type: str
) -> None:
    assert post(lobby, TYPENAME, accept) == (200, media_type, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{"},
        {"query": "{ nope }"},
        {"query": "query($x: ID!) { device(certid: $x) { certid } }"},
        {"query": TWO},
    ],
    ids=["syntax", "validation", "variables", "no operation name"],
)
def test_a_request_error_has_no_data_and_status_400_if_the_client_knows_it(lobby: Lobby, body: object) -> None:
    legacy, _, legacy_body = post(lobby, body)
    status, media_type, response = post(lobby, body, GRAPHQL_RESPONSE)
    assert (legacy, status, media_type) == (200, 400, GRAPHQL_RESPONSE)
    assert legacy_body == response
    assert set(response) == {"errors"}
    assert [error["extensions"]["code"] for error in response["errors"]] == ["INVALID_QUERY"]


@pytest.mark.parametrize(
    "written",
    [
        "application/json",
        "APPLICATION/JSON",
        "Application/Json; Charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json ; profile=x; charset=utf8",
    ],
)
def test_the_content_type_is_accepted_in_any_case(lobby: Lobby, written: str) -> None:
    event = event_of(TYPENAME, authorization=f"Bearer {token('operator')}")
    event["headers"]["content-type"] = written
    assert lobby.lambda_handler(event, None)["statusCode"] == 200  # type: ignore[arg-type]  # as in `post`


@pytest.mark.parametrize(
    ("written", "got"),
    [
        ("text/plain", "the content type 'text/plain'"),
        ("application/graphql", "the content type 'application/graphql'"),
        ("application/jsonx", "the content type 'application/jsonx'"),
        ("application/json, text/plain", "the content type 'application/json, text/plain'"),
        ("application/json; charset=utf-16", "the content type 'application/json; charset=utf-16'"),
        ("application/json;charset=klingon; x=y", "the content type 'application/json;charset=klingon; x=y'"),
        (
            "application/json; charset=utf-8; charset=latin1",
            r"the content type 'application/json; charset=utf-8; charset=latin1'",
        ),
        ("\x1b]0;x\x07", r"the content type '\x1b]0;x\x07'"),
        (None, "no content type"),
    ],
)
def test_another_content_type_is_named_in_the_error(lobby: Lobby, written: str | None, got: str) -> None:
    event = event_of(TYPENAME, authorization=f"Bearer {token('operator')}")
    event["headers"] |= {"content-type": written} if written else {}
    if written is None:
        del event["headers"]["content-type"]
    response = lobby.lambda_handler(event, None)  # type: ignore[arg-type]  # as in `post`
    [error] = json.loads(response["body"])["errors"]
    assert (response["statusCode"], error["message"]) == (400, f"got {got}, want application/json")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ __typename ...F }", "got a spread of 'F', want a fragment of the document"),
        ("{ devices { nodes { ...G } } } fragment F on Device { certid }", "got a spread of 'G'"),
        ("{ __typename } fragment F on Query { ...H }", "got a spread of 'H'"),
    ],
)
def test_a_spread_without_its_fragment_is_an_invalid_document(lobby: Lobby, query: str, message: str) -> None:
    status, _, response = post(lobby, {"query": query}, GRAPHQL_RESPONSE)
    [error] = response["errors"]
    assert (status, error["extensions"]["code"]) == (400, "INVALID_QUERY")
    assert error["message"].startswith(message)


def test_a_config_with_half_of_a_surrogate_pair_is_refused(lobby: Lobby) -> None:
    query = "mutation($id: ID!, $config: JSON) { claimDevice(certid: $id, config: $config) { certid } }"
    variables = {"id": "a" * 64, "config": {"name": "\ud83d"}}
    status, _, response = post(lobby, {"query": query, "variables": variables})
    assert (status, response["errors"][0]["extensions"]["code"]) == (400, "INVALID_REQUEST")


def test_an_error_of_a_field_keeps_status_200(lobby: Lobby) -> None:
    status, _, response = post(lobby, {"query": '{ device(certid: "zz") { certid } }'}, GRAPHQL_RESPONSE)
    assert status == 200
    assert "data" in response
    assert response["errors"][0]["path"] == ["device"]


def test_a_document_with_several_operations_needs_a_name(lobby: Lobby) -> None:
    _, _, response = post(lobby, {"query": TWO})
    assert "got 2 operations without operationName, want the name of one" in response["errors"][0]["message"]
    assert post(lobby, {"query": TWO, "operationName": "One"})[2] == {"data": {"__typename": "Query"}}
    assert post(lobby, {"query": TWO, "operationName": "Two"})[2] == {"data": {"__typename": "Mutation"}}


@pytest.mark.parametrize("name", [7, ["One"], {"a": 1}, True])
def test_an_operation_name_that_is_not_text_is_rejected(lobby: Lobby, name: object) -> None:
    status, _, response = post(lobby, {"query": TWO, "operationName": name})
    assert status == 400
    assert "want the name of an operation" in response["errors"][0]["message"]


@pytest.mark.parametrize("accept", ["application/json", GRAPHQL_RESPONSE])
def test_a_persisted_query_is_not_found_so_that_the_client_sends_its_document(lobby: Lobby, accept: str) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    status, _, response = post(lobby, {"extensions": extensions}, accept)
    assert status == 200
    assert response == {
        "errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]
    }
    assert post(lobby, TYPENAME | {"extensions": extensions}, accept)[2] == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("body", ["", "{", "[]", "7"])
def test_a_rejected_request_has_the_preferred_media_type_too(lobby: Lobby, body: str) -> None:
    status, media_type, response = post(lobby, body, GRAPHQL_RESPONSE)
    assert (status, media_type) == (400, GRAPHQL_RESPONSE)
    assert [error["extensions"]["code"] for error in response["errors"]] == ["INVALID_REQUEST"]


@contextmanager
def over_http(lobby: Lobby) -> Iterator[str]:
    """Serve the API on a free port of loopback, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.respond(self.rfile.read(int(self.headers.get("content-length", 0))).decode())

        def do_GET(self) -> None:
            self.respond("")

        def respond(self, body: str) -> None:
            path, _, query = self.path.partition("?")
            event = event_of(body, authorization=None, method=self.command, path=path, query=query)
            event["headers"] = {name.lower(): value for name, value in self.headers.items()}
            response = lobby.lambda_handler(event, None)  # type: ignore[arg-type]  # the Lambda context is not used
            self.send_response(response["statusCode"])
            content = response["body"].encode()
            for name, value in (response["headers"] | {"content-length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        server.serve_forever(poll_interval=0.02)
        asyncio.get_event_loop().close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/graphql"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
def test_the_audit_of_graphql_http_has_neither_errors_nor_warnings(lobby: Lobby) -> None:
    node = shutil.which("node")
    assert node is not None, "node is missing: ./test.sh --setup installs it"
    with over_http(lobby) as url:
        command = [node, "tests/audit/graphql_http.mjs", url, token("operator")]
        output = subprocess.run(command, cwd=CONSOLE, check=True, capture_output=True, text=True, timeout=60).stdout
    audits = [json.loads(line) for line in output.splitlines()]
    assert len(audits) > 50
    assert [audit for audit in audits if audit["status"] in {"warn", "error"}] == []
