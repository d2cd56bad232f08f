"""Which requests of browsers and other clients the local cloud accepts. Runs without an emulator."""

from pathlib import Path

import pytest

from infra.local.layout import Layout
from infra.local.ministack.browser_rules import BrowserRules

GATEWAY, CONSOLE = 4566, 4567
RULES = BrowserRules(Layout(Path("/x"), console_port=CONSOLE))
OWN_GATEWAY, OWN_CONSOLE, FOREIGN = "http://127.0.0.1:4566", "http://127.0.0.1:4567", "http://127.0.0.1:8000"
NAVIGATION = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
FRAME = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
WORKER = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "empty"}
"""A service worker that repeats a navigation of its page."""
FETCH = {"sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}


def _code(port: int, method: str, path: str, **headers: str) -> str | None:
    given = {"host": f"127.0.0.1:{port}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    refusal = RULES.refusal(port, method, path, given)
    return refusal.code if refusal else None


@pytest.mark.parametrize("port", [GATEWAY, CONSOLE])
@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:{port}", "127.0.0.1", "localhost", "127.0.0.1:1", "", "[::1]:{port}"),
        *("localhost.evil.example:{port}", "evil.localhost.example:{port}", "127.0.0.1.nip.io:{port}"),
        *("127.0.0.2:{port}", "0.0.0.0:{port}", "2130706433:{port}", "127.1:{port}", "a@127.0.0.1:{port}"),
        *("127.0.0.1:{port},evil.example", "127.0.0.1:{port} ", "localhost.:{port}", "iot.us-east-1.amazonaws.com"),
    ],
)
def test_a_foreign_host_is_refused(port: int, host: str) -> None:
    refusal = RULES.refusal(port, "GET", "/", {"host": host.format(port=port)})
    assert refusal
    assert refusal.code == "FOREIGN_HOST"
    assert refusal.message.startswith(f"got Host {host.format(port=port)!r}, want 127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("host", "accepted"),
    [
        ("127.0.0.1:4566", True),
        ("localhost:4566", True),
        ("LocalHost:4566", True),
        ("a1b2c3d4.execute-api.localhost:4566", True),
        ("bucket.s3.localhost:4566", True),
        ("a1b2c3d4.execute-api.localhost:80", False),
        (".localhost:4566", False),
    ],
)
def test_the_gateway_has_virtual_hosts_below_localhost(host: str, accepted: bool) -> None:
    assert (RULES.refusal(GATEWAY, "GET", "/", {"host": host}) is None) == accepted


def test_the_console_has_no_virtual_hosts() -> None:
    assert _code(CONSOLE, "GET", "/", host="x.localhost:4567") == "FOREIGN_HOST"
    assert _code(CONSOLE, "GET", "/", host="localhost:4567") is None


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/2015-03-31/functions", "/oauth2/token", "/login", "/graphql", "/sign-in.json"])
@pytest.mark.parametrize("port", [GATEWAY, CONSOLE])
@pytest.mark.parametrize("origin", [FOREIGN, "https://evil.example", "null", "", "http://localhost", "file://"])
def test_a_foreign_origin_is_refused_everywhere(port: int, path: str, method: str, origin: str) -> None:
    assert _code(port, method, path, origin=origin) == "FOREIGN_ORIGIN"


@pytest.mark.parametrize(
    ("port", "method", "path", "origin", "accepted"),
    [
        (CONSOLE, "POST", "/graphql", OWN_CONSOLE, True),
        (CONSOLE, "POST", "/graphql", OWN_GATEWAY, False),
        (CONSOLE, "POST", "/graphql", "https://127.0.0.1:4567", False),
        (GATEWAY, "POST", "/oauth2/token", OWN_CONSOLE, True),
        (GATEWAY, "OPTIONS", "/oauth2/token", OWN_CONSOLE, True),
        (GATEWAY, "GET", "/oauth2/token", OWN_CONSOLE, False),
        (GATEWAY, "POST", "/oauth2/token", OWN_GATEWAY, False),
        (GATEWAY, "POST", "/oauth2/userInfo", OWN_CONSOLE, False),
        (GATEWAY, "POST", "/", OWN_CONSOLE, False),
        (GATEWAY, "POST", "/2015-03-31/functions", OWN_CONSOLE, False),
        (GATEWAY, "POST", "/_aws/execute-api/a/$default/graphql", OWN_CONSOLE, False),
        (GATEWAY, "POST", "/login", OWN_GATEWAY, True),
        (GATEWAY, "POST", "/login", OWN_CONSOLE, False),
        (GATEWAY, "PUT", "/login", OWN_GATEWAY, False),
        (GATEWAY, "POST", "/", OWN_GATEWAY, False),
    ],
)
def test_own_origins_are_accepted_where_pages_need_them(
    port: int, method: str, path: str, origin: str, accepted: bool
) -> None:
    assert (_code(port, method, path, origin=origin) is None) == accepted


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
@pytest.mark.parametrize(
    ("port", "method", "path", "fetch", "accepted"),
    [
        (CONSOLE, "GET", "/claim", NAVIGATION, True),
        (CONSOLE, "GET", "/claim", FRAME, False),
        (CONSOLE, "GET", "/?code=c", WORKER, True),
        (CONSOLE, "POST", "/graphql", WORKER, False),
        (GATEWAY, "GET", "/oauth2/authorize", WORKER, False),
        (GATEWAY, "GET", "/2015-03-31/functions", WORKER, False),
        (CONSOLE, "GET", "/sign-in.json", FETCH, False),
        (CONSOLE, "GET", "/sign-in.json", {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}, False),
        (CONSOLE, "GET", "/sign-in.json", {}, False),
        (CONSOLE, "POST", "/graphql", NAVIGATION, False),
        (GATEWAY, "GET", "/oauth2/authorize", NAVIGATION, True),
        (GATEWAY, "GET", "/logout", NAVIGATION, True),
        (GATEWAY, "GET", "/oauth2/authorize", FRAME, False),
        (GATEWAY, "POST", "/login", NAVIGATION, False),
        (GATEWAY, "GET", "/", NAVIGATION, False),
        (GATEWAY, "GET", "/2015-03-31/functions", NAVIGATION, False),
        (GATEWAY, "GET", "/_ministack/ready", {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, False),
    ],
)
def test_only_links_to_pages_come_from_other_sites(
    port: int, method: str, path: str, fetch: dict[str, str], accepted: bool, site: str
) -> None:
    given = {"host": f"127.0.0.1:{port}", "sec-fetch-site": site} | fetch
    refusal = RULES.refusal(port, method, path, given)
    assert (refusal is None) == accepted
    assert refusal is None or (refusal.code, repr(site) in refusal.message) == ("FOREIGN_SITE", True)


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_requests_of_the_own_page_and_of_the_user_are_accepted(site: str) -> None:
    for port in (GATEWAY, CONSOLE):
        assert _code(port, "GET", "/", sec_fetch_site=site, **{"sec-fetch-mode": "cors"}) is None


def test_the_console_s_token_call_may_come_from_another_site() -> None:
    assert _code(GATEWAY, "POST", "/oauth2/token", origin=OWN_CONSOLE, sec_fetch_site="same-site") is None
    assert _code(GATEWAY, "POST", "/oauth2/token", sec_fetch_site="same-site") == "FOREIGN_SITE"
