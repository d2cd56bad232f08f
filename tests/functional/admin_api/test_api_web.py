"""The web around GraphQL: what is refused, what leaks (nothing), what is logged, and the Lambda itself."""

import io
import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from admin_api import handler
from admin_api.failures import logger
from admin_api.graphql.limits import MAX_BODY
from lobby.domain.transitions import ClaimRequest
from lobby.errors import MissingSettings
from tests.functional.admin_api.api_on_moto import EXTERNAL_ID, HERE, Lobby, at, counted, event_of
from tests.functional.admin_api.tokens_for_tests import CLIENT, POOL, REGION, key_of, token

TARGETS = {"query": "{ targets { name } }"}
SETTINGS = {
    "AWS_REGION": REGION,
    "USER_POOL_ID": POOL,
    "USER_POOL_CLIENT_ID": CLIENT,
    "SURVEYOR_FUNCTION": "device-lobby-surveyor",
    "RECONCILER_FUNCTION": "device-lobby-reconciler",
    "COMMISSIONER_ROLE_ARN": "arn:aws:iam::999999999999:role/device-lobby-commissioner",
    "ARRIVALS_QUEUE_ARN": f"arn:aws:sqs:{REGION}:999999999999:device-lobby-arrivals",
    "LOGIN_URL": f"https://device-lobby-999999999999.auth.{REGION}.amazoncognito.com",
}


def bearer(*groups: str) -> str:
    return f"Bearer {token(*(groups or ('operator',)))}"


BULK = 'claimDevices(certids: ["a"], target: {account: "", region: ""}) { results { ok } }'


def doubling(levels: int) -> str:
    """Each fragment spreads the next one twice: 2^levels paths."""
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
        "one field often",
        "subscription",
        "type",
    ],
)
def test_a_query_that_is_not_valid_or_asks_for_too_much_is_refused(lobby: Lobby, document: str) -> None:
    with counted() as calls:
        answer = lobby.ask(document)
    assert answer.status == 200
    assert set(answer.codes) == {"INVALID_QUERY"}
    assert calls == []


def test_depth_has_a_limit_of_its_own_whatever_the_fields_are(lobby: Lobby) -> None:
    answer = lobby.ask("{ devices { a { b { c { d { e { f { g } } } } } } } }")
    assert any("maximum operation depth of 6" in error["message"] for error in answer.body["errors"])


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
def test_a_body_that_is_not_one_operation_is_refused(lobby: Lobby, body: str, status: int) -> None:
    answer = lobby.send(body, bearer())
    assert (answer.status, answer.code) == (status, "INVALID_REQUEST")


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 413)])
def test_a_body_may_be_as_large_as_the_limit_and_no_larger(lobby: Lobby, more: int, status: int) -> None:
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
def test_a_large_list_of_nonsense_is_refused_in_a_few_words_and_without_a_call(
    lobby: Lobby, ids: Any, code: str
) -> None:
    document = (
        "mutation($ids: [ID!]!, $target: TargetInput!) {"
        " claimDevices(certids: $ids, target: $target) { results { ok } } }"
    )
    with counted() as calls:
        answer = lobby.ask(document, {"ids": ids, "target": at(HERE)})
    assert set(answer.codes) == {code}
    assert (calls, len(json.dumps(answer.body)) < 16 * 1024) == ([], True)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_what_a_form_of_another_site_could_send_is_refused(lobby: Lobby, content_type: str) -> None:
    assert lobby.send(TARGETS, bearer(), content_type=content_type).status == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_graphql_is_by_post_only(lobby: Lobby, method: str) -> None:
    answer = lobby.send("", bearer(), method=method, query="query=%7Btargets%7Bname%7D%7D")
    assert (answer.status, answer.headers["allow"], answer.code) == (405, "POST", "INVALID_REQUEST")


@pytest.mark.parametrize("path", ["/", "/graphql/", "/graphql/x", "/admin", "//graphql", "/../graphql"])
def test_there_is_nothing_else_here(lobby: Lobby, path: str) -> None:
    answer = lobby.send("", None, method="GET", path=path)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


@pytest.mark.parametrize("authorization", [None, bearer()], ids=["refused", "answered"])
def test_every_answer_carries_the_security_headers_and_none_invites_another_site(
    lobby: Lobby, authorization: str | None
) -> None:
    headers = lobby.send(TARGETS, authorization).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert not [name for name in headers if name.startswith("access-control-")]


def test_authentication_comes_before_the_body_is_looked_at(lobby: Lobby) -> None:
    assert lobby.send("{", None).status == 401


def test_introspection_is_for_those_who_are_signed_in(lobby: Lobby) -> None:
    document = "{ __schema { queryType { name } } }"
    assert lobby.ask(document, groups=("viewer",)).data == {"__schema": {"queryType": {"name": "Query"}}}
    assert lobby.send({"query": document}).status == 401


def test_what_went_wrong_inside_is_logged_and_not_told(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lobby.targets, "all", Mock(side_effect=RuntimeError("table device-lobby-targets: secret")))
    answer = lobby.ask("{ targets { name } }")
    assert answer.code == "INTERNAL"
    assert "secret" not in json.dumps(answer.body)
    assert answer.body["errors"][0]["extensions"]["correlationId"] == "request-1"
    assert "secret" in caplog.text


def test_an_expected_failure_is_no_error_in_the_log(lobby: Lobby, caplog: pytest.LogCaptureFixture) -> None:
    lobby.ask('{ device(certid: "zz") { certid } }')
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_log_names_who_asked_what_and_holds_no_token_certificate_or_external_id(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", printed)
    certid = lobby.waiting(1)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:bob")
    lobby.ask(f'{{ device(certid: "{certid}") {{ certid history {{ at }} }} }}')
    answer = lobby.ask("{ targets { externalId setupCommand } }", groups=("admin",))
    assert EXTERNAL_ID in json.dumps(answer.body)
    lines = [json.loads(line) for line in printed.getvalue().splitlines()]
    assert [(line["operations"], line["actor"], line["role"]) for line in lines] == [
        (["device"], "user:alice", "operator"),
        (["targets"], "user:alice", "admin"),
    ]
    for secret in (token("admin").split(".")[0], "PEM", EXTERNAL_ID):
        assert secret not in printed.getvalue()


@pytest.fixture
def deployed(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The Lambda as it is deployed, its environment set, the user pool's keys handed in."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(handler, "user_pool_keys", lambda _settings: key_of)
    handler._application.cache_clear()
    context = SimpleNamespace(
        function_name="device-lobby-admin-api",
        memory_limit_in_mb=1024,
        aws_request_id="1",
        invoked_function_arn="arn:aws:lambda:eu-west-1:999999999999:function:device-lobby-admin-api",
    )
    yield lambda event: handler.handler(event, context)
    handler._application.cache_clear()


def test_the_lambda_answers_api_gateways_event(deployed: Any, lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    body = {"query": "query($id: ID!) { device(certid: $id) { devstate } }", "variables": {"id": certid}}
    answer = deployed(event_of(body, authorization=bearer()))
    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"data": {"device": {"devstate": "inlobby"}}})


def test_the_claims_that_api_gateway_passes_on_are_not_relied_upon(deployed: Any) -> None:
    event = event_of(TARGETS, authorization=None)
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"cognito:groups": "[admin]", "username": "mallory"}}}
    assert deployed(event)["statusCode"] == 401


@pytest.mark.parametrize("gone", SETTINGS)
def test_the_lambda_does_not_serve_anybody_without_its_settings(
    deployed: Any, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    monkeypatch.delenv(gone)
    with pytest.raises(MissingSettings, match=gone):
        deployed(event_of(TARGETS, authorization=bearer()))


@pytest.mark.parametrize("name", ["AUTH", "AUTH_DISABLED", "SKIP_AUTH", "DEBUG", "LOCAL", "AWS_SAM_LOCAL", "STAGE"])
@pytest.mark.parametrize("value", ["true", "false", "1", "0", "local"])
def test_no_setting_lets_anybody_in_without_a_token(
    deployed: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert deployed(event_of(TARGETS, authorization=None))["statusCode"] == 401
