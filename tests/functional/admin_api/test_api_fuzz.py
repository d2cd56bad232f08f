"""Fuzzing: the API responds to any request without a 5xx status, without internals, and with documented codes.

The suite runs a few hundred documents, the same ones every time. `python -m tests.bench.fuzz` runs any number of new
ones.
"""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin_api.roles import Role
from tests.functional.admin_api.api_on_moto import HERE, Lobby
from tests.functional.admin_api.deployed_lambda import SETTINGS, Console
from tests.functional.admin_api.fuzzed_lobby import EXPECTED_CODES, known_values
from tests.functional.admin_api.graphql_fuzz import documents, leaks, with_known_values
from tests.functional.admin_api.user_pool import USER_POOL
from tests.tiers import examples

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("topic")]

FUZZ_SETTINGS = settings(
    max_examples=examples(100),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.TECHNICIAN])
def test_any_document_gets_a_response_that_leaks_nothing(lobby: Lobby, role: Role) -> None:
    known = known_values(lobby)

    @FUZZ_SETTINGS
    @given(document=documents(), data=st.data())
    def ask(document: str, data: st.DataObject) -> None:
        response = lobby.ask(with_known_values(document, data, known), groups=(role.value, f"target:{HERE}"))
        assert response.status == 200
        assert [code for code in response.codes if not EXPECTED_CODES.fullmatch(code)] == []
        assert leaks(json.dumps(response.body)) == []

    ask()


@FUZZ_SETTINGS
@given(
    body=st.one_of(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "query",
                            "variables",
                            "operationName",
                            "extensions",
                            "id",
                            "persistedQuery",
                            "sha256Hash",
                            "map",
                            "operations",
                        ]
                    )
                    | st.text(),
                    inner,
                )
            ),
        ).map(json.dumps),
    )
)
def test_any_body_gets_a_response_that_leaks_nothing(lobby: Lobby, body: str) -> None:
    response = lobby.send(body, USER_POOL.admin())
    assert response.status in (200, 400, 413)
    assert leaks(json.dumps(response.body)) == []


# Pages

PARTS = st.sampled_from(
    [
        "..",
        ".",
        "",
        "%2e%2e",
        "%2e",
        "%2f",
        "%5c",
        "\\",
        "..;",
        "..%00",
        "%00",
        "assets",
        "index.html",
        "sw.js",
        "settings.py",
        "admin_api",
        "dist",
        "etc",
        "passwd",
        "sign-in.json",
        "graphql",
        "devices",
        "claim",
        "index-B2x1.js",
        "index-B2x1.js.br",
        "~",
        "*",
        "//evil.example",
        "http:",
        "@evil.example",
        "\r\nx-evil: 1",
        "%0d%0ax-evil:%201",
        ".built",
        "\u2025",
        "\u2215",
        "\uff0e\uff0e",
        "?x",
        "#x",
        "con",
        "file:",
        "x" * 300,
    ]
)
HOSTS = ["evil.example", "evil.example:443", "localhost", "", "evil.example\r\nx-evil: 1", "a" * 300]
PROXY_HEADERS = (
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-prefix",
    "x-original-url",
    "x-rewrite-url",
    "x-host",
    "forwarded",
    "origin",
    "referer",
    "x-http-method-override",
)


@FUZZ_SETTINGS
@given(
    parts=st.lists(PARTS, min_size=1, max_size=6), host=st.sampled_from(HOSTS), header=st.sampled_from(PROXY_HEADERS)
)
def test_no_path_or_header_escapes_the_built_console(
    console: Console,
    parts: list[str],
    host: str,
    header: str,
) -> None:
    response = console.get("/" + "/".join(parts), **{"host": host, header: "https://evil.example/x"})
    assert response.status in (200, 404, 405)
    assert b"secret" not in response.body
    assert b"evil.example" not in response.body
    assert leaks(response.body.decode(errors="replace")) == []
    for name, value in response.headers.items():
        assert name not in ("location", "x-evil", "set-cookie"), (name, value)
        assert "evil" not in value
        assert not re.search(r"[\r\n]", value)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("header", ["host", *PROXY_HEADERS])
def test_request_headers_do_not_change_the_sign_in_document(console: Console, header: str, host: str) -> None:
    expected = console.get("/sign-in.json")
    response = console.get("/sign-in.json", **{header: host})
    assert (response.status, response.body, response.headers) == (200, expected.body, expected.headers)
    assert json.loads(response.body)["authorize_url"] == f"{SETTINGS['LOGIN_URL']}/oauth2/authorize"
