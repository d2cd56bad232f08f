"""`lobbyctl login`: the authorization code flow with PKCE against a user pool on loopback."""

import json
import re
import socket
import stat
from typing import Any

import httpx
import pytest

from admin_api.cli.errors import NotSignedIn
from admin_api.cli.sign_in.callback_server import CallbackServer
from tests.functional.admin_api.browser_sign_in import Browser, free_port, login, stored_file
from tests.functional.admin_api.lobby_over_http import Terminal, error_of


def test_a_sign_in_is_stored_for_its_owner_only_and_used(signed_out: Terminal) -> None:
    assert signed_out.run("whoami").exit_code == 3
    browser = Browser()
    result = login(signed_out, browser)
    assert result.exit_code == 0, result.output
    assert f"Signed in to {signed_out.server.url} as operator (operator)" in result.stdout
    assert "Signed in" in browser.pages[0].text
    assert browser.pages[0].headers["cache-control"] == "no-store"
    assert stat.S_IMODE(stored_file(signed_out).stat().st_mode) == 0o600
    assert stat.S_IMODE(stored_file(signed_out).parent.stat().st_mode) == 0o700
    tokens = json.loads(stored_file(signed_out).read_text())
    assert tokens["access_token"] not in result.output
    assert tokens["refresh_token"] not in result.output
    (me,) = signed_out.records("whoami")
    assert (me["name"], me["signedIn"]) == ("operator", "by lobbyctl login")
    assert signed_out.records("whoami", "--url", signed_out.server.url + "/somewhere") == [me]
    assert signed_out.run("whoami", variables={"LOBBYCTL_URL": signed_out.server.url}).exit_code == 0
    assert signed_out.run("whoami", "--url", "https://another.example").exit_code == 3


def test_a_sign_in_next_to_a_local_deployment_prints_which_takes_precedence(terminal: Terminal) -> None:
    result = login(terminal, Browser())
    assert (result.exit_code, "lobby.json takes precedence" in result.stderr) == (0, True)
    assert "lobby.json" in terminal.records("whoami")[0]["signedIn"]
    assert terminal.records("whoami", "--url", terminal.server.url)[0]["signedIn"] == "by lobbyctl login"
    assert login(terminal, Browser(), "--lobby", str(terminal.lobby_file)).exit_code == 2


def test_without_a_browser_the_address_is_printed(signed_out: Terminal) -> None:
    browser, port = Browser(), free_port()
    result = signed_out.run(
        "login",
        "--url",
        signed_out.server.url,
        "--no-browser",
        open_browser=browser,
        redirect_port=port,
        sign_in_seconds=0.01,
        make_secret=lambda: "an-unguessable-state",
    )
    address = next(line for line in result.stderr.splitlines() if line.startswith(signed_out.server.url))
    assert "code_challenge_method=S256" in address
    assert "state=an-unguessable-state" in address
    assert f"redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2F" in address
    assert "ssh -L" in result.stderr
    assert not browser.visited


def test_a_sign_in_times_out(signed_out: Terminal) -> None:
    result = signed_out.run(
        "--json", "login", "--url", signed_out.server.url, sign_in_seconds=0.05, redirect_port=free_port()
    )
    assert (result.exit_code, error_of(result)["code"]) == (3, "SIGN_IN_TIMED_OUT")
    assert not (signed_out.directory / "config").exists()


def test_the_response_to_another_sign_in_is_refused(signed_out: Terminal) -> None:
    signed_out.server.returns_wrong_state = True
    browser = Browser()
    result = login(signed_out, browser, "--json", sign_in_seconds=0.5)
    assert (result.exit_code, error_of(result)["code"]) == (3, "SIGN_IN_TIMED_OUT")
    assert (browser.pages[0].status_code, "Not signed in" in browser.pages[0].text) == (400, True)
    assert signed_out.server.codes, "no code was requested"
    assert not (signed_out.directory / "config").exists()


FOREIGN_QUERIES = (
    "error=access_denied",
    "error=access_denied&state=guessed",
    "code=stolen",
    "code=stolen&state=",
    "code=&error=",
)


def test_a_request_of_another_page_does_not_end_the_sign_in(signed_out: Terminal) -> None:
    """Any open page can redirect the browser to loopback."""
    statuses: list[int] = []

    def send_foreign_queries(redirect: str) -> str:
        with httpx.Client(trust_env=False) as http:
            statuses.extend(http.get(f"{redirect.partition('?')[0]}?{query}").status_code for query in FOREIGN_QUERIES)
        return redirect

    browser = Browser(send_foreign_queries)
    assert login(signed_out, browser).exit_code == 0
    assert (statuses, browser.pages[0].status_code) == ([400] * len(FOREIGN_QUERIES), 200)


def test_a_denied_sign_in_is_reported(signed_out: Terminal) -> None:
    signed_out.server.sign_in_error = "access_denied"
    browser = Browser()
    result = login(signed_out, browser, "--json")
    assert (result.exit_code, error_of(result)["code"]) == (3, "SIGN_IN_DENIED")
    assert "not today" in error_of(result)["message"]
    assert "Not signed in" in browser.pages[0].text


def test_an_error_description_is_escaped(signed_out: Terminal) -> None:
    signed_out.server.sign_in_error = "access_denied"
    browser = Browser(lambda redirect: redirect.replace("not+today", "%3Cscript%3Ealert(1)%3C/script%3E%1b%5B31m"))
    result = login(signed_out, browser)
    assert "<script>" not in browser.pages[0].text
    assert "\x1b" not in result.output


def test_a_code_that_the_pool_refuses_is_a_failed_sign_in(signed_out: Terminal) -> None:
    browser = Browser(lambda redirect: re.sub(r"code=[^&]+", "code=stolen", redirect))
    result = login(signed_out, browser, "--json")
    assert (result.exit_code, error_of(result)["code"]) == (3, "SIGN_IN_ENDED")


def test_a_taken_port_is_reported_before_the_browser_opens(signed_out: Terminal) -> None:
    browser = Browser()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = signed_out.run(
            "--json", "login", "--url", signed_out.server.url, open_browser=browser, redirect_port=port
        )
    assert (result.exit_code, error_of(result)["code"]) == (2, "PORT_TAKEN")
    assert not browser.visited


def test_both_loopback_addresses_must_be_free(signed_out: Terminal) -> None:
    browser = Browser()
    with socket.socket(socket.AF_INET6) as taken:
        try:
            taken.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        taken.listen()
        port = taken.getsockname()[1]
        result = signed_out.run(
            "--json", "login", "--url", signed_out.server.url, open_browser=browser, redirect_port=port
        )
    assert (result.exit_code, error_of(result)["code"]) == (2, "PORT_TAKEN")
    assert not browser.visited


def test_a_request_without_a_response_does_not_end_the_sign_in(signed_out: Terminal) -> None:
    """A request without a query, and a response to another path."""

    def send_other_requests(redirect: str) -> str:
        with httpx.Client(trust_env=False) as http:
            assert http.get(redirect.partition("?")[0]).status_code == 404
            assert http.get(redirect.replace("/?", "/elsewhere?")).status_code == 404
        return redirect

    browser = Browser(send_other_requests)
    assert login(signed_out, browser).exit_code == 0
    assert browser.pages[0].status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost"},
        {"origin": "https://evil.example"},
        {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
        {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    ],
    ids=str,
)
def test_a_request_that_is_no_navigation_to_this_server_is_refused(headers: dict[str, str]) -> None:
    port = free_port()
    navigation = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    with CallbackServer(lambda _query: None, port) as server, httpx.Client(trust_env=False) as http:
        url = f"http://127.0.0.1:{port}/?code=right"
        assert http.get(url, headers=headers).status_code == 403
        assert http.get(url, headers=navigation).status_code == 200
        assert server.wait(1) == "code=right"


def test_only_the_first_response_is_accepted() -> None:
    server = CallbackServer(
        lambda query: None if query == "code=right" else NotSignedIn("SIGN_IN_DENIED", "no"), free_port()
    )
    assert server.accept("code=right")[0] == 200
    assert server.accept("code=other")[0] == 409
    assert server.wait(0) == "code=right"
    with pytest.raises(NotSignedIn, match="SIGN_IN_TIMED_OUT"):
        server.wait(0.001)


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("http://lobby.example", 2, "INVALID_URL"),
        ("ftp://127.0.0.1", 2, "INVALID_URL"),
        ("https://user:password@lobby.example", 2, "INVALID_URL"),  # pragma: allowlist secret
        ("lobby", 2, "INVALID_URL"),
        (None, 2, "WRONG_USE"),
    ],
)
def test_an_unsafe_address_is_refused(signed_out: Terminal, url: str | None, status: int, code: str) -> None:
    result = signed_out.run("--json", "login", *(["--url", url] if url else []))
    assert (result.exit_code, error_of(result)["code"]) == (status, code)


@pytest.mark.parametrize("change", [{"token_url": "http://192.0.2.1/token"}, {"authorize_url": 5}, {"client_id": None}])
def test_a_lobby_with_invalid_sign_in_endpoints_is_refused(
    signed_out: Terminal, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, headers, body = signed_out.server.sign_in_json()
    endpoints = json.loads(body) | change
    if change.get("client_id", "") is None:
        del endpoints["client_id"]
    monkeypatch.setattr(signed_out.server, "sign_in_json", lambda: (status, headers, json.dumps(endpoints)))
    assert login(signed_out, Browser()).exit_code in (2, 4)


def test_an_address_without_a_lobby_is_reported(signed_out: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (200, {"content-type": "text/html"}, "<!doctype html>")
    monkeypatch.setattr(signed_out.server, "sign_in_json", lambda: page)
    result = login(signed_out, Browser(), "--json")
    assert (result.exit_code, error_of(result)["code"]) == (4, "NOT_A_LOBBY")
