"""Whatever is asked, the API answers: no 500, no word of what is behind it, nothing but codes that are told.

A few hundred documents, always the same ones, with every change; as many as one likes, and new ones, with
`python -m tests.bench.fuzz`.
"""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admin_api.roles import Role
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.wire import encode_label
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby
from tests.functional.admin_api.graphql_fuzz import Fitting, documents, leaks, seasoned
from tests.functional.admin_api.served_pages import Lambda
from tests.functional.admin_api.test_api_web import SETTINGS
from tests.functional.admin_api.tokens_for_tests import USER_POOL
from tests.operations import CODE

FEW = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
TOLD = re.compile(
    r"INVALID_[A-Z_]+|UNKNOWN_[A-Z_]+|ALREADY_CLAIMED|NOT_ALLOWED|NOT_IN_LISTS|FORBIDDEN|REVOKED"
    r"|WRONG_CODE|PRESENCE_FAILED|PRESENCE_REQUIRED"
)


def known_to(lobby: Lobby) -> Fitting:
    """What leads somewhere: devices in several states, targets, a real cursor, moments."""
    waiting, claimed, banned = lobby.waiting(1), lobby.waiting(2), lobby.waiting(3)
    lobby.ledger.claim(claimed, ClaimRequest(HERE), "user:bob")
    lobby.ledger.revoke(banned, "lost", "user:bob")
    proving = lobby.proving(4)
    page = lobby.ask("{ devices(first: 1) { pageInfo { endCursor } } }").data["devices"]["pageInfo"]["endCursor"]
    certids = (waiting, claimed, banned, proving, encode_label(waiting), "AB:" * 31 + "AB", "f" * 64)
    accounts, regions = (HERE.account, THERE.account, "999999999999"), (HERE.region, THERE.region, "eu-central-1")
    return {
        **dict.fromkeys(("certid", "certids"), certids),
        **dict.fromkeys(("account", "targetaccount"), accounts),
        **dict.fromkeys(("region", "targetregion"), regions),
        **dict.fromkeys(("state", "devstate"), tuple(State)),
        **dict.fromkeys(("after", "nextToken"), (page, page[::-1], "")),
        "profile": ("default", "camera"),
        "profiles": ("default", "camera"),
        "name": ("Berlin",),
        "why": ("stolen",),
        "code": (CODE, "99999999"),
        "namePrefix": ("thing", "th", "thing-002"),
        "fingerprintPrefix": ("0000", "00:00:00"),
        "reason": ("REVOKED", "TARGET_LIMIT"),
        "enteredBefore": ("2036-11-22T07:42:28Z", "0001-01-01T00:00:00+00:00"),
    }


@pytest.mark.parametrize("role", [Role.ADMIN, Role.TECHNICIAN])
def test_whatever_document_it_is_asked_it_answers_and_says_nothing_of_its_inside(lobby: Lobby, role: Role) -> None:
    known = known_to(lobby)

    @FEW
    @given(document=documents(), data=st.data())
    def ask(document: str, data: st.DataObject) -> None:
        answer = lobby.ask(seasoned(document, data, known), groups=(role.value, f"target:{HERE}"))
        assert answer.status == 200
        assert [code for code in answer.codes if not TOLD.fullmatch(code)] == []
        assert leaks(json.dumps(answer.body)) == []

    ask()


@FEW
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
def test_whatever_body_it_is_sent_it_answers_and_says_nothing_of_its_inside(lobby: Lobby, body: str) -> None:
    answer = lobby.send(body, USER_POOL.admin())
    assert answer.status in (200, 400, 413)
    assert leaks(json.dumps(answer.body)) == []


# The pages.

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
SAID_BY_PROXIES = (
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


@FEW
@given(parts=st.lists(PARTS, min_size=1, max_size=6), host=st.sampled_from(HOSTS), how=st.sampled_from(SAID_BY_PROXIES))
def test_no_path_and_no_header_leads_out_of_what_was_built(
    asked: Lambda,
    parts: list[str],
    host: str,
    how: str,
) -> None:
    answer = asked.get("/" + "/".join(parts), **{"host": host, how: "https://evil.example/x"})
    assert answer.status in (200, 404, 405)
    assert b"secret" not in answer.body
    assert b"evil.example" not in answer.body
    assert leaks(answer.body.decode(errors="replace")) == []
    for name, value in answer.headers.items():
        assert name not in ("location", "x-evil", "set-cookie"), (name, value)
        assert "evil" not in value
        assert not re.search(r"[\r\n]", value)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("how", ["host", *SAID_BY_PROXIES])
def test_where_to_sign_in_is_not_the_asker_s_to_say(asked: Lambda, how: str, host: str) -> None:
    plain = asked.get("/sign-in.json")
    answer = asked.get("/sign-in.json", **{how: host})
    assert (answer.status, answer.body, answer.headers) == (200, plain.body, plain.headers)
    assert json.loads(answer.body)["authorize_url"] == f"{SETTINGS['LOGIN_URL']}/oauth2/authorize"
