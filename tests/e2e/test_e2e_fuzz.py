"""Arbitrary requests to the deployed API and its pages: no status 500, no internals in responses, and no work caused by
attacks.

A few generated documents pass the gateway; thousands of them run against moto (`test_api_fuzz.py`,
`tests.bench.fuzz`). The requests for pages are written byte by byte, as no regular client sends them.
"""

import http.client
import json
import secrets
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.api import sign_in
from lobby.domain.states import State
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment
from tests.functional.admin_api.costly_documents import ATTACKS
from tests.functional.admin_api.fuzzed_lobby import EXPECTED_CODES
from tests.functional.admin_api.graphql_fuzz import KnownValues, documents, leaks, with_known_values

FEW = settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
ANSWERS = (200, 400, 403, 404, 405, 414, 431)


class Caller:
    """A user with an HTTP connection that accepts any response."""

    def __init__(self, deployed: Deployment, role: str) -> None:
        self._url = deployed.file.graphql_url.removeprefix(deployed.layout.endpoint_url)
        self._token = sign_in(deployed.file, deployed.file.operator(role))
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", deployed.layout.gateway_port, timeout=TIMEOUT_SECONDS
        )

    def ask(self, document: str) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        self._connection.request("POST", self._url, json.dumps({"query": document}), headers)
        response = self._connection.getresponse()
        return response.status, response.read().decode()

    def close(self) -> None:
        self._connection.close()


def _codes(response: str) -> set[str]:
    return {error["extensions"]["code"] for error in json.loads(response).get("errors", [])}


def _fitting(deployed: Deployment) -> KnownValues:
    target = deployed.targets[0]
    certids = (secrets.token_hex(32), "f" * 64)
    return {
        **dict.fromkeys(("certid", "certids"), certids),
        **dict.fromkeys(("account", "targetaccount"), (target.account,)),
        **dict.fromkeys(("region", "targetregion"), (target.region,)),
        **dict.fromkeys(("state", "devstate"), tuple(State)),
        "profile": ("default",),
        "why": ("lost",),
        "namePrefix": ("demo",),
        "fingerprintPrefix": ("0000",),
    }


@pytest.mark.full
def test_the_api_responds_to_any_document_and_reveals_no_internals(deployed: Deployment) -> None:
    fitting = _fitting(deployed)

    @FEW
    @given(document=documents(), data=st.data())
    def ask(document: str, data: st.DataObject) -> None:
        status, response = operator.ask(with_known_values(document, data, fitting))
        assert status == 200
        assert [code for code in _codes(response) if not EXPECTED_CODES.fullmatch(code)] == []
        visible = response.replace("arn:aws:iam", "")  # findings of a target contain the ARN of its role
        assert leaks(visible) == []

    with closing(Caller(deployed, "operator")) as operator:
        ask()


def test_an_attack_is_refused_without_an_aws_call(deployed: Deployment) -> None:
    """Except for the list of blocked users, which the API reads at most every five seconds."""
    with closing(Caller(deployed, "viewer")) as viewer:
        began = deployed.log_position()
        responses = {attack: viewer.ask(document.replace("<id>", "zz")) for attack, document in ATTACKS.items()}
    assert {attack: status for attack, (status, _) in responses.items() if status != 200} == {}
    refusals = {"INVALID_QUERY", "INVALID_COUNT", "INVALID_CURSOR", "INVALID_FINGERPRINT"}
    assert {
        attack: response[:300] for attack, (_, response) in responses.items() if not _codes(response) <= refusals
    } == {}
    assert all(_codes(response) for _, response in responses.values())
    calls = deployed.calls("device-lobby-admin-api", began)
    assert set(calls) <= {"dynamodb:Query"}
    assert calls.total() < len(ATTACKS) / 4


PATHS = (
    "/../../etc/passwd",
    "/assets/../../settings.py",
    "/assets/..%2f..%2fsettings.py",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/assets/%2e%2e%5csettings.py",
    "//etc/passwd",
    "/assets//etc/passwd",
    "/./././index.html",
    "/.built",
    "/assets/",
    "/%00",
    "/assets/%00",
    "/sign-in.json/../graphql",
    "/devices/../../x",
    "/devices/%0d%0ax-evil:%201",
    "/claim%0d%0aset-cookie:%20a=b",
    "/" + "a" * 4000,
    "/\\..\\..\\x",
    "/;/x",
    "http://evil.example/claim",
    "*",
    "/?x=%0d%0a",
)
HOSTS = ("evil.example", "evil.example:80", "127.0.0.1", "", "127.0.0.1:1", "[::1]", "localhost.evil.example")


def _raw(
    deployed: Deployment, path: str, host: str | None = None, **headers: str
) -> tuple[int, list[tuple[str, str]], str]:
    connection = http.client.HTTPConnection("127.0.0.1", deployed.layout.console_port, timeout=TIMEOUT_SECONDS)
    connection._validate_path = lambda _: None  # type: ignore[attr-defined]  # it would refuse to send these paths
    try:
        connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
        connection.putheader("host", deployed.layout.console_host if host is None else host)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.getheaders(), response.read().decode(errors="replace")
    finally:
        connection.close()


@pytest.mark.parametrize("path", PATHS)
def test_no_path_reads_files_outside_the_pages(deployed: Deployment, path: str) -> None:
    status, headers, body = _raw(deployed, path)
    assert status in ANSWERS
    assert "root:" not in body
    assert leaks(body) == []
    assert {name for name, _ in headers} & {"x-evil", "set-cookie", "location"} == set()


@pytest.mark.parametrize("host", HOSTS)
def test_a_request_for_another_host_is_refused(deployed: Deployment, host: str) -> None:
    status, headers, body = _raw(deployed, "/sign-in.json", host)
    assert status in (400, 403)
    assert "authorize_url" not in body
    assert not [value for _, value in headers if "evil" in value]


def test_headers_do_not_change_the_sign_in_address(deployed: Deployment) -> None:
    plain = _raw(deployed, "/sign-in.json")[2]
    names = (
        "x_forwarded_host",
        "x_forwarded_proto",
        "forwarded",
        "x_original_url",
        "x_rewrite_url",
        "x_host",
    )
    for name in names:
        status, headers, body = _raw(deployed, "/sign-in.json", **{name: "https://evil.example"})
        assert (status, body) == (200, plain), name
        assert not [value for _, value in headers if "evil" in value], name
    status, headers, body = _raw(deployed, "/sign-in.json", origin="https://evil.example")
    assert (status, "authorize_url" in body) == (403, False)
    assert not [value for _, value in headers if "evil" in value]
