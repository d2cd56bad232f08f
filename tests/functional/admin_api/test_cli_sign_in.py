"""`lobbyctl login` and `logout`: code with PKCE against a user pool on loopback, and what is kept of it."""

import json
import re
import socket
import stat
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import Result

from admin_api.cli.errors import NotSignedIn
from admin_api.cli.loopback import Loopback
from tests.functional.admin_api.lobby_over_http import LobbyServer, Terminal, error_of


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Browser:
    """Goes where it is sent and follows the way back. `twist` may change the way back."""

    def __init__(self, twist: Callable[[str], str] = str) -> None:
        self.pages: list[httpx.Response] = []
        self.went: list[str] = []
        self._twist = twist
        self._threads: list[threading.Thread] = []

    def __call__(self, address: str) -> bool:
        self.went.append(address)
        thread = threading.Thread(target=self._go, args=(address,))
        thread.start()
        self._threads.append(thread)
        return True

    def _go(self, address: str) -> None:
        with httpx.Client(trust_env=False) as http:
            back = self._twist(http.get(address).headers["location"])
            origin = re.match(r"http://localhost:\d+", back)
            assert origin
            assert http.get(f"{origin[0]}/favicon.ico").status_code == 404
            self.pages.append(http.get(back))

    def closed(self) -> None:
        for thread in self._threads:
            thread.join()


@pytest.fixture
def away(server: LobbyServer, tmp_path: Path) -> Terminal:
    """Not beside any local deployment."""
    return Terminal(tmp_path, server)


def login(away: Terminal, browser: Browser, *words: str, **around: Any) -> Result:
    done = away.run("login", "--url", away.served.url, *words, browse=browser, redirect_port=free_port(), **around)
    browser.closed()
    return done


def kept(away: Terminal) -> Path:
    (found,) = (away.directory / "config" / "lobbies").iterdir()
    return found


def test_a_sign_in_is_kept_for_its_owner_only_and_used_from_then_on(away: Terminal) -> None:
    assert away.run("whoami").exit_code == 3
    browser = Browser()
    done = login(away, browser)
    assert done.exit_code == 0, done.output
    assert f"signed in to {away.served.url} as operator (operator)" in done.stdout
    assert "Signed in" in browser.pages[0].text
    assert browser.pages[0].headers["cache-control"] == "no-store"
    assert stat.S_IMODE(kept(away).stat().st_mode) == 0o600
    assert stat.S_IMODE(kept(away).parent.stat().st_mode) == 0o700
    tokens = json.loads(kept(away).read_text())
    assert tokens["access_token"] not in done.output
    assert tokens["refresh_token"] not in done.output
    (me,) = away.records("whoami")
    assert (me["name"], me["signedIn"]) == ("operator", "by lobbyctl login")
    assert away.records("whoami", "--url", away.served.url + "/somewhere") == [me]
    assert away.run("whoami", environment={"LOBBYCTL_URL": away.served.url}).exit_code == 0
    assert away.run("whoami", "--url", "https://another.example").exit_code == 3


def test_a_sign_in_that_a_nearer_deployment_hides_says_so(terminal: Terminal) -> None:
    done = login(terminal, Browser())
    assert (done.exit_code, "lobby.json comes first" in done.stderr) == (0, True)
    assert "lobby.json" in terminal.records("whoami")[0]["signedIn"]
    assert terminal.records("whoami", "--url", terminal.served.url)[0]["signedIn"] == "by lobbyctl login"
    assert login(terminal, Browser(), "--lobby", str(terminal.lobby_file)).exit_code == 2


def test_without_a_browser_the_address_is_printed(away: Terminal) -> None:
    browser, port = Browser(), free_port()
    done = away.run(
        "login",
        "--url",
        away.served.url,
        "--no-browser",
        browse=browser,
        redirect_port=port,
        sign_in_seconds=0.01,
        secret=lambda: "a-state-that-nobody-guesses",
    )
    address = next(line for line in done.stderr.splitlines() if line.startswith(away.served.url))
    assert "code_challenge_method=S256" in address
    assert "state=a-state-that-nobody-guesses" in address
    assert f"redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2F" in address
    assert "ssh -L" in done.stderr
    assert not browser.went


def test_a_browser_that_does_not_come_back_is_waited_for_no_longer_than_is_said(away: Terminal) -> None:
    done = away.run("--json", "login", "--url", away.served.url, sign_in_seconds=0.05, redirect_port=free_port())
    assert (done.exit_code, error_of(done)["code"]) == (3, "SIGN_IN_TIMED_OUT")
    assert not (away.directory / "config").exists()


def test_the_answer_to_another_sign_in_is_refused(away: Terminal) -> None:
    away.served.twists_state = True
    browser = Browser()
    done = login(away, browser, "--json", sign_in_seconds=0.5)
    assert (done.exit_code, error_of(done)["code"]) == (3, "SIGN_IN_TIMED_OUT")
    assert (browser.pages[0].status_code, "Not signed in" in browser.pages[0].text) == (400, True)
    assert away.served.codes, "the code was not even asked for"
    assert not (away.directory / "config").exists()


FOREIGN = (
    "error=access_denied",
    "error=access_denied&state=guessed",
    "code=stolen",
    "code=stolen&state=",
    "code=&error=",
)


def test_what_another_page_sends_does_not_end_the_sign_in(away: Terminal) -> None:
    """Any page that the person has open can send its visitor to loopback."""
    statuses: list[int] = []

    def foreign_first(back: str) -> str:
        with httpx.Client(trust_env=False) as http:
            statuses.extend(http.get(f"{back.partition('?')[0]}?{query}").status_code for query in FOREIGN)
        return back

    browser = Browser(foreign_first)
    assert login(away, browser).exit_code == 0
    assert (statuses, browser.pages[0].status_code) == ([400] * len(FOREIGN), 200)


def test_a_no_of_the_sign_in_page_is_told(away: Terminal) -> None:
    away.served.denies = "access_denied"
    browser = Browser()
    done = login(away, browser, "--json")
    assert (done.exit_code, error_of(done)["code"]) == (3, "SIGN_IN_DENIED")
    assert "not today" in error_of(done)["message"]
    assert "Not signed in" in browser.pages[0].text


def test_what_comes_back_is_shown_as_text_and_never_as_a_page(away: Terminal) -> None:
    away.served.denies = "access_denied"
    browser = Browser(lambda back: back.replace("not+today", "%3Cscript%3Ealert(1)%3C/script%3E%1b%5B31m"))
    done = login(away, browser)
    assert "<script>" not in browser.pages[0].text
    assert "\x1b" not in done.output


def test_a_code_that_the_pool_does_not_take_is_no_sign_in(away: Terminal) -> None:
    browser = Browser(lambda back: re.sub(r"code=[^&]+", "code=stolen", back))
    done = login(away, browser, "--json")
    assert (done.exit_code, error_of(done)["code"]) == (3, "SIGN_IN_ENDED")


def test_a_port_that_is_taken_is_told_before_anybody_is_sent_away(away: Terminal) -> None:
    browser = Browser()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = away.run("--json", "login", "--url", away.served.url, browse=browser, redirect_port=port)
    assert (done.exit_code, error_of(done)["code"]) == (2, "PORT_TAKEN")
    assert not browser.went


def test_nobody_else_can_take_the_answer_on_localhosts_other_address(away: Terminal) -> None:
    browser = Browser()
    with socket.socket(socket.AF_INET6) as taken:
        try:
            taken.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        taken.listen()
        port = taken.getsockname()[1]
        done = away.run("--json", "login", "--url", away.served.url, browse=browser, redirect_port=port)
    assert (done.exit_code, error_of(done)["code"]) == (2, "PORT_TAKEN")
    assert not browser.went


def test_what_is_no_answer_does_not_end_the_sign_in(away: Terminal) -> None:
    """A look at the address, or an answer to another path."""

    def look_around_first(back: str) -> str:
        with httpx.Client(trust_env=False) as http:
            assert http.get(back.partition("?")[0]).status_code == 404
            assert http.get(back.replace("/?", "/elsewhere?")).status_code == 404
        return back

    browser = Browser(look_around_first)
    assert login(away, browser).exit_code == 0
    assert browser.pages[0].status_code == 200


def test_only_the_first_answer_counts() -> None:
    loopback = Loopback(
        lambda query: None if query == "code=right" else NotSignedIn("SIGN_IN_DENIED", "no"), free_port()
    )
    assert loopback.take("code=right")[0] == 200
    assert loopback.take("code=other")[0] == 409
    assert loopback.wait(0) == "code=right"
    with pytest.raises(NotSignedIn, match="SIGN_IN_TIMED_OUT"):
        loopback.wait(0.001)


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
def test_an_address_that_nobody_should_sign_in_at_is_refused(
    away: Terminal, url: str | None, status: int, code: str
) -> None:
    done = away.run("--json", "login", *(["--url", url] if url else []))
    assert (done.exit_code, error_of(done)["code"]) == (status, code)


@pytest.mark.parametrize("change", [{"token_url": "http://192.0.2.1/token"}, {"authorize_url": 5}, {"client_id": None}])
def test_a_lobby_that_sends_one_elsewhere_in_the_clear_is_refused(
    away: Terminal, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, headers, body = away.served.sign_in_json()
    told = json.loads(body) | change
    if change.get("client_id", "") is None:
        del told["client_id"]
    monkeypatch.setattr(away.served, "sign_in_json", lambda: (status, headers, json.dumps(told)))
    assert login(away, Browser()).exit_code in (2, 4)


def test_an_address_without_a_lobby_is_told(away: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (200, {"content-type": "text/html"}, "<!doctype html>")
    monkeypatch.setattr(away.served, "sign_in_json", lambda: page)
    done = login(away, Browser(), "--json")
    assert (done.exit_code, error_of(done)["code"]) == (4, "NOT_A_LOBBY")


def test_an_access_token_is_renewed_before_it_ends_and_kept(away: Terminal) -> None:
    login(away, Browser())
    before = json.loads(kept(away).read_text())
    away.late = timedelta(seconds=3550)
    assert away.run("whoami").exit_code == 0
    after = json.loads(kept(away).read_text())
    assert away.served.refreshed == 1
    assert after["expires_at"] > before["expires_at"]
    assert after["refresh_token"] == before["refresh_token"]
    assert stat.S_IMODE(kept(away).stat().st_mode) == 0o600
    assert away.run("whoami").exit_code == 0
    assert away.served.refreshed == 1


def test_a_token_that_is_refused_before_its_time_is_renewed_once(away: Terminal) -> None:
    login(away, Browser())
    away.served.canned = [(401, {"content-type": "application/json"}, '{"message": "Unauthorized"}')]
    assert away.run("whoami").exit_code == 0
    assert away.served.refreshed == 1


def test_a_sign_in_that_has_ended_says_how_to_begin_anew(away: Terminal) -> None:
    login(away, Browser())
    away.served.refreshes = False
    away.late = timedelta(hours=13)
    done = away.run("--json", "whoami")
    assert (done.exit_code, error_of(done)["code"]) == (3, "NOT_SIGNED_IN")
    assert f"lobbyctl login --url {away.served.url}" in error_of(done)["message"]
    assert login(away, Browser()).exit_code == 0


@pytest.mark.parametrize(
    ("spoil", "code"), [("mode", "TOKENS_EXPOSED"), ("text", "TOKENS_BROKEN"), ("url", "TOKENS_BROKEN")]
)
def test_kept_tokens_that_cannot_be_trusted_are_not_used(away: Terminal, spoil: str, code: str) -> None:
    login(away, Browser())
    path = kept(away)
    if spoil == "mode":
        path.chmod(0o644)
    elif spoil == "text":
        path.write_text("{}")
    else:
        path.write_text(path.read_text().replace(away.served.url, "https://elsewhere.example"))
    done = away.run("--json", "whoami", "--url", away.served.url)
    assert (done.exit_code, error_of(done)["code"]) == (3, code)


def test_a_sign_out_revokes_the_tokens_and_deletes_them(away: Terminal) -> None:
    login(away, Browser())
    refresh = json.loads(kept(away).read_text())["refresh_token"]
    done = away.run("logout")
    assert done.exit_code == 0
    assert away.served.revoked == [refresh]
    assert not list((away.directory / "config" / "lobbies").iterdir())
    assert away.run("whoami").exit_code == 3
    assert away.run("logout").exit_code == 0


def test_a_sign_out_that_cannot_be_told_deletes_the_tokens_all_the_same(
    away: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(away, Browser())
    monkeypatch.setattr(away.served, "revoke", lambda _body: (500, {}, ""))
    assert away.run("logout").exit_code == 3
    assert not list((away.directory / "config" / "lobbies").iterdir())


def test_a_role_cannot_be_chosen_where_one_is_signed_in_as_oneself(away: Terminal) -> None:
    login(away, Browser())
    done = away.run("--json", "whoami", "--as", "admin")
    assert (done.exit_code, error_of(done)["code"]) == (2, "WRONG_USE")


def test_tokens_that_cannot_be_kept_are_told(away: Terminal) -> None:
    (away.directory / "config").write_text("a file where a directory should be")
    done = login(away, Browser(), "--json")
    assert (done.exit_code, error_of(done)["code"]) == (1, "FILE_SYSTEM")


def test_of_several_sign_ins_the_last_one_counts(away: Terminal) -> None:
    login(away, Browser())
    other = json.loads(kept(away).read_text()) | {"url": "https://old.example", "signed_in_at": 5.0}
    path = kept(away).with_name("old.example.json")
    path.write_text(json.dumps(other))
    path.chmod(0o600)
    assert away.records("whoami")[0]["graphqlUrl"] == f"{away.served.url}/graphql"
