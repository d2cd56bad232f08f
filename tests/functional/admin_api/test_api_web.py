"""HTTP: rejected requests, response headers, masked errors, logs, and the Lambda handler."""

import io
import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from admin_api.failures import logger
from admin_api.graphql.limits import MAX_BODY
from lobby.domain.transitions import ClaimRequest
from lobby.errors import MissingSettings
from tests.functional.admin_api.api_on_moto import EXTERNAL_ID, HERE, Lobby, at, counted, event_of
from tests.functional.admin_api.deployed_lambda import SETTINGS, Handler, deployed_handler
from tests.functional.admin_api.user_pool import token

TARGETS = {"query": "{ targets { name } }"}


def bearer(*groups: str) -> str:
    return f"Bearer {token(*(groups or ('operator',)))}"


BULK = 'claimDevices(certids: ["a"], target: {account: "", region: ""}) { results { ok } }'


def doubling(levels: int) -> str:
    """Return a document in which each fragment spreads the next one twice: 2^levels paths."""
    each = (f"fragment f{n} on DevicePage {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    last = f"fragment f{levels} on DevicePage {{ pageInfo {{ hasNextPage }} }}"
    return " ".join(["{ devices { ...f0 } }", *each, last])


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "{ nope }",
        "{ targets }",
        "{" * 900,
        "query " + "{ a " * 900 + "}" * 900,
        "{ " + " ".join(f"a{n}: targets {{ name }}" for n in range(26)) + " }",
        "{ targets { " + "name " * 2100 + "} }",
        "{ devices { nodes { previousTargets { a { b { c { d } } } } } } }",
        doubling(40),
        "mutation { " + " ".join(f"a{n}: {BULK}" for n in range(26)) + " }",
        'mutation { claimDevices(certids: ["a"], target: {account: "", region: ""}, config: '
        + "[" * 900
        + "]" * 900
        + ") { results { ok } } }",
        "mutation { claimDevices(certids: [" + '"a" ' * 2000 + "], target: {}) { results { ok } } }",
        "{ overview { states { state } " + "total " * 1990 + "} }",
        "subscription { x }",
        "query($x: NoSuchType) { targets { name } }",
    ],
    ids=[
        "syntax",
        "field",
        "leaf",
        "braces",
        "nested",
        "aliases",
        "tokens",
        "depth",
        "fragments",
        "aliases of bulks",
        "nested config",
        "a bulk without variables",
        "repeated field",
        "subscription",
        "type",
    ],
)
def test_an_invalid_or_too_large_query_is_rejected(lobby: Lobby, document: str) -> None:
    with counted() as calls:
        response = lobby.ask(document)
    assert response.status == 200
    assert set(response.codes) == {"INVALID_QUERY"}
    assert calls == []


def test_depth_is_limited_for_unknown_fields_too(lobby: Lobby) -> None:
    response = lobby.ask("{ devices { a { b { c { d { e { f { g } } } } } } } }")
    assert any("maximum operation depth of 6" in error["message"] for error in response.body["errors"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        (json.dumps([TARGETS, TARGETS]), 400),
        ("5", 400),
        ("null", 400),
        ('{"query": 5}', 400),
        ("{}", 400),
        ('{"query": "{targets{name}}", "variables": []}', 400),
        ('{"query": "{targets{name}}", "operationName": "Other"}', 400),
        ("[" * MAX_BODY, 400),
        (json.dumps(TARGETS | {"variables": {"x": "y" * MAX_BODY}}), 413),
    ],
    ids=["empty", "cut", "list", "batch", "number", "null", "query", "none", "variables", "name", "nested", "huge"],
)
def test_a_body_that_is_not_one_operation_is_rejected(lobby: Lobby, body: str, status: int) -> None:
    response = lobby.send(body, bearer())
    assert (response.status, response.code) == (status, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"query": "{targets{name}}", "query": "{targets{region}}"}', "query"),
        ('{"query": "{targets{name}}", "quer\\u0079": "{targets{region}}"}', "query"),
        ('{"query": "{targets{name}}", "operationName": null, "operationName": "A"}', "operationName"),
        ('{"query": "{targets{name}}", "variables": {"certid": "a", "certid": "b"}}', "certid"),
        ('{"query": "{targets{name}}", "variables": {"config": {"a": [{"x": 1, "x": 1}]}}}', "x"),
        ('{"query": "{targets{name}}", "extensions": {}, "extensions": {}}', "extensions"),
    ],
)
def test_a_name_twice_in_a_body_is_rejected_by_name(lobby: Lobby, body: str, name: str) -> None:
    """One reader, such as a proxy that filters requests, takes the first; another takes the last."""
    response = lobby.send(body, bearer())
    message = response.body["errors"][0]["message"]
    assert (response.status, response.code) == (400, "INVALID_REQUEST")
    assert message == f"got '{name}' twice in an object of the body, want each name once"


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_the_body_size_limit_is_exact(lobby: Lobby, more: int, status: int) -> None:
    body = json.dumps(TARGETS)
    assert lobby.send(body + " " * (MAX_BODY - len(body) + more), bearer()).status == status


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ([""] * 30_000, "INVALID_COUNT"),
        ([None] * 20_000, "INVALID_QUERY"),
        ([{}] * 20_000, "INVALID_QUERY"),
        ([[["a"]]], "INVALID_QUERY"),
        (5.5, "INVALID_QUERY"),
    ],
    ids=["empty", "null", "objects", "nested", "number"],
)
def test_a_large_invalid_list_is_rejected_briefly_without_aws_calls(lobby: Lobby, ids: Any, code: str) -> None:
    document = (
        "mutation($ids: [ID!]!, $target: TargetInput!) {"
        " claimDevices(certids: $ids, target: $target) { results { ok } } }"
    )
    with counted() as calls:
        response = lobby.ask(document, {"ids": ids, "target": at(HERE)})
    assert set(response.codes) == {code}
    assert (calls, len(json.dumps(response.body)) < 16 * 1024) == ([], True)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_content_types_of_cross_site_forms_are_rejected(lobby: Lobby, content_type: str) -> None:
    assert lobby.send(TARGETS, bearer(), content_type=content_type).status == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_graphql_accepts_only_post(lobby: Lobby, method: str) -> None:
    response = lobby.send("", bearer(), method=method, query="query=%7Btargets%7Bname%7D%7D")
    assert (response.status, response.headers["allow"], response.code) == (405, "POST", "INVALID_REQUEST")


@pytest.mark.parametrize("path", ["/", "/graphql/", "/graphql/x", "/admin", "//graphql", "/../graphql"])
def test_other_paths_are_not_found(lobby: Lobby, path: str) -> None:
    response = lobby.send("", None, method="GET", path=path)
    assert (response.status, response.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize("authorization", [None, bearer()], ids=["rejected", "accepted"])
def test_every_response_has_security_headers_and_no_cors(lobby: Lobby, authorization: str | None) -> None:
    headers = lobby.send(TARGETS, authorization).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("access-control-")]


def test_authentication_precedes_parsing_the_body(lobby: Lobby) -> None:
    assert lobby.send("{", None).status == 401


def test_introspection_requires_authentication(lobby: Lobby) -> None:
    document = "{ __schema { queryType { name } } }"
    assert lobby.ask(document, groups=("viewer",)).data == {"__schema": {"queryType": {"name": "Query"}}}
    assert lobby.send({"query": document}).status == 401


def test_an_internal_error_is_logged_and_masked(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lobby.targets, "all", Mock(side_effect=RuntimeError("table device-lobby-targets: secret")))
    response = lobby.ask("{ targets { name } }")
    assert response.code == "INTERNAL"
    assert "secret" not in json.dumps(response.body)
    assert response.body["errors"][0]["extensions"]["correlationId"] == "request-1"
    assert "secret" in caplog.text


def test_an_expected_error_is_not_logged_as_an_error(lobby: Lobby, caplog: pytest.LogCaptureFixture) -> None:
    lobby.ask('{ device(certid: "zz") { certid } }')
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_log_has_actor_and_operations_and_no_secrets(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", log)
    certid = lobby.waiting(1)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:bob")
    lobby.ask(f'{{ device(certid: "{certid}") {{ certid history {{ at }} }} }}')
    response = lobby.ask("{ targets { externalId setupCommand } }", groups=("admin",))
    assert EXTERNAL_ID in json.dumps(response.body)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["operations"], line["actor"], line["role"]) for line in lines] == [
        (["device"], "user:alice", "operator"),
        (["targets"], "user:alice", "admin"),
    ]
    for secret in (token("admin").split(".")[0], "PEM", EXTERNAL_ID):
        assert secret not in log.getvalue()


@pytest.fixture
def deployed(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:  # its tables
    with deployed_handler(monkeypatch) as call:
        yield call


def test_the_lambda_handles_an_api_gateway_event(deployed: Handler, lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    body = {"query": "query($id: ID!) { device(certid: $id) { devstate } }", "variables": {"id": certid}}
    response = deployed(event_of(body, authorization=bearer()))
    assert (response["statusCode"], json.loads(response["body"])) == (
        200,
        {"data": {"device": {"devstate": "inlobby"}}},
    )


def test_claims_passed_on_by_api_gateway_are_not_trusted(deployed: Handler) -> None:
    event = event_of(TARGETS, authorization=None)
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"cognito:groups": "[admin]", "username": "mallory"}}}
    assert deployed(event)["statusCode"] == 401


@pytest.mark.parametrize("missing", SETTINGS)
def test_a_missing_setting_is_an_error(deployed: Handler, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delenv(missing)
    with pytest.raises(MissingSettings, match=missing):
        deployed(event_of(TARGETS, authorization=bearer()))


@pytest.mark.parametrize("name", ["AUTH", "AUTH_DISABLED", "SKIP_AUTH", "DEBUG", "LOCAL", "AWS_SAM_LOCAL", "STAGE"])
@pytest.mark.parametrize("value", ["true", "false", "1", "0", "local"])
def test_no_setting_disables_authentication(
    deployed: Handler, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert deployed(event_of(TARGETS, authorization=None))["statusCode"] == 401
