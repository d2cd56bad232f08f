"""The sign-in page keeps a session for an hour and still performs all of its checks."""

import re
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from infra.local.emulator import Emulator
from infra.local.ministack.managed_login import COOKIE, SECONDS, LoginSessions, cookie_values, without_cookie
from tests.infra.local.emulated_cloud import aws
from tests.infra.local.sign_in_page import BACK, CHALLENGE, PASSWORD, Page, make_client, redirect_params

USERS: dict[str, Any] = {"ada": {"Enabled": True, "UserStatus": "CONFIRMED"}, "bob": {"UserStatus": "CONFIRMED"}}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> LoginSessions:
    names = iter(f"secret-{number}" for number in range(100))
    return LoginSessions(clock, lambda: next(names))


def test_a_session_expires_an_hour_after_the_sign_in_regardless_of_use(sessions: LoginSessions, clock: Clock) -> None:
    token = sessions.begin("pool", "ada", USERS)
    for passed in (0, 1800, SECONDS - 1):
        clock.now = 1000 + passed
        assert sessions.user(token, "pool", USERS) == "ada"
    clock.now = 1000 + SECONDS
    assert sessions.user(token, "pool", USERS) is None


def test_sessions_are_separate(sessions: LoginSessions) -> None:
    tokens = {name: sessions.begin("pool", name, USERS) for name in USERS}
    assert {name: sessions.user(token, "pool", USERS) for name, token in tokens.items()} == {"ada": "ada", "bob": "bob"}
    sessions.end(tokens["ada"])
    sessions.end("never there")
    assert [sessions.user(token, "pool", USERS) for token in tokens.values()] == [None, "bob"]


@pytest.mark.parametrize("token", ["", "secret-1", "secret-00", "SECRET-0", " secret-0"])
def test_a_guessed_token_has_no_session(sessions: LoginSessions, token: str) -> None:
    sessions.begin("pool", "ada", USERS)
    assert sessions.user(token, "pool", USERS) is None


def test_a_session_is_invalid_in_another_user_pool(sessions: LoginSessions) -> None:
    assert sessions.user(sessions.begin("pool", "ada", USERS), "other-pool", USERS) is None


@pytest.mark.parametrize(
    "now",
    [
        {"ada": {"Enabled": False, "UserStatus": "CONFIRMED"}},
        {"ada": {"Enabled": True, "UserStatus": "FORCE_CHANGE_PASSWORD"}},
        {},
    ],
    ids=["disabled", "password reset", "deleted"],
)
def test_a_session_ends_when_its_user_may_not_sign_in(sessions: LoginSessions, now: dict[str, Any]) -> None:
    users = {"ada": dict(USERS["ada"])}
    token = sessions.begin("pool", "ada", users)
    users["ada"].update(now.get("ada", {}))
    if not now:
        del users["ada"]
    assert sessions.user(token, "pool", users) is None


def test_a_session_is_invalid_for_a_new_user_with_the_same_name(sessions: LoginSessions) -> None:
    token = sessions.begin("pool", "ada", USERS)
    assert sessions.user(token, "pool", {"ada": dict(USERS["ada"])}) is None


def test_the_cookie_is_http_only_and_same_site(page: Page) -> None:
    (cookie,) = page.sign_in().headers.get_list("set-cookie")
    value, *attributes = cookie.split("; ")
    assert re.fullmatch(r"cognito=[\w-]{43}", value)
    assert sorted(attributes) == ["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"]


def test_a_signed_in_user_is_not_asked_again(page: Page) -> None:
    redirect_params(page.sign_in())
    back = redirect_params(again := page.authorize(state="another", nonce="another"))
    assert back["state"] == "another"
    assert "set-cookie" not in again.headers, "use does not extend the session"
    claims = jwt.decode(page.tokens(back["code"]).json()["id_token"], options={"verify_signature": False})
    assert (claims["nonce"], claims["cognito:username"]) == ("another", "ada")


def test_a_wrong_password_starts_no_session(page: Page) -> None:
    response = page.sign_in(password="Wrong-Password-1")
    assert (response.status_code, "set-cookie" in response.headers) == (200, False)
    assert "Incorrect username or password." in response.text
    assert page.authorize().status_code == 200


def test_a_sign_in_that_ends_with_an_error_starts_no_session(page: Page) -> None:
    form = {"client_id": page.client, "redirect_uri": BACK, "username": "ada", "password": PASSWORD}
    response = page.http.post("/login", data=form | {"code_challenge": CHALLENGE, "code_challenge_method": "plain"})
    assert redirect_params(response) == {"error": "invalid_request"}
    assert page.http.post("/login", data=form | {"redirect_uri": "http://evil.example/"}).status_code == 400
    assert page.authorize().status_code == 200


REFUSED: dict[str, tuple[dict[str, str | None], int]] = {
    "redirect_uri": ({"redirect_uri": "http://evil.example/"}, 400),
    "redirect_uri-path": ({"redirect_uri": f"{BACK}more"}, 400),
    "no-redirect_uri": ({"redirect_uri": None}, 400),
    "client": ({"client_id": "another"}, 400),
    "no-client": ({"client_id": None}, 400),
    "response_type": ({"response_type": "token"}, 400),
    "scope": ({"scope": "openid admin"}, 302),
    "plain": ({"code_challenge_method": "plain"}, 302),
}


@pytest.mark.parametrize(("changes", "status"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("signed_in", [False, True])
def test_a_session_does_not_bypass_the_checks_of_the_page(
    page: Page, changes: dict[str, str | None], status: int, signed_in: bool
) -> None:
    if signed_in:
        redirect_params(page.sign_in())
    response = page.authorize(**changes)
    assert response.status_code == status
    assert "code=" not in response.headers.get("location", "")
    if status == 302:
        assert redirect_params(response)["error"] == "invalid_request"


def test_prompt_login_shows_the_page_and_the_next_request_does_not(page: Page) -> None:
    redirect_params(page.sign_in())
    assert page.authorize(prompt="login").status_code == 200
    assert "code" in redirect_params(page.sign_in(prompt="login"))
    assert "code" in redirect_params(page.authorize())


def test_prompt_none_never_shows_the_page(page: Page) -> None:
    assert redirect_params(page.authorize(prompt="none")) == {"error": "login_required", "state": "a state/&="}
    redirect_params(page.sign_in())
    assert "code" in redirect_params(page.authorize(prompt="none"))


def test_signing_out_ends_the_session_of_every_copy_of_the_cookie(page: Page) -> None:
    redirect_params(page.sign_in())
    copy = page.http.cookies[COOKIE]
    out = page.http.get("/logout", params={"client_id": page.client, "logout_uri": BACK})
    assert (out.status_code, out.headers["location"]) == (302, BACK)
    assert COOKIE not in page.http.cookies
    page.http.cookies.set(COOKIE, copy)
    assert page.authorize().status_code == 200


def test_a_refused_sign_out_keeps_the_session(page: Page) -> None:
    redirect_params(page.sign_in())
    out = page.http.get("/logout", params={"client_id": page.client, "logout_uri": "http://evil.example/"})
    assert out.status_code == 400
    assert "code" in redirect_params(page.authorize())


def test_a_session_is_valid_for_another_client_but_not_for_another_pool(page: Page, emulator: Emulator) -> None:
    redirect_params(page.sign_in())
    cognito = aws(emulator, 0, "cognito-idp")
    assert "code" in redirect_params(page.authorize(client_id=make_client(cognito, page.pool)))
    other = cognito.create_user_pool(PoolName="others")["UserPool"]["Id"]
    cognito.admin_create_user(UserPoolId=other, Username="ada", MessageAction="SUPPRESS")
    assert page.authorize(client_id=make_client(cognito, other)).status_code == 200


def _disable(cognito: Any, name: dict[str, str]) -> None:
    cognito.admin_disable_user(**name)


def _replace(cognito: Any, name: dict[str, str]) -> None:
    cognito.admin_delete_user(**name)
    cognito.admin_create_user(**name, MessageAction="SUPPRESS", TemporaryPassword=PASSWORD)
    cognito.admin_set_user_password(**name, Password=PASSWORD, Permanent=True)


@pytest.mark.parametrize("change", [_disable, _replace])
def test_a_disabled_or_replaced_user_is_asked(
    page: Page, emulator: Emulator, change: Callable[[Any, dict[str, str]], None]
) -> None:
    redirect_params(page.sign_in())
    change(aws(emulator, 0, "cognito-idp"), {"UserPoolId": page.pool, "Username": "ada"})
    assert page.authorize().status_code == 200


@pytest.mark.parametrize(
    ("header", "values", "rest"),
    [
        ("", [], ""),
        ("cognito=a", ["a"], ""),
        ("x=1; cognito=a; y=2", ["a"], "x=1; y=2"),
        ("cognito=a;cognito=b", ["a", "b"], ""),
        ("cognito=a=b==", ["a=b=="], ""),
        ("xcognito=1; Cognito=2", [], "xcognito=1; Cognito=2"),
        (' ;; odd{}"=1;cognito=a', ["a"], 'odd{}"=1'),
        ("cognito", [""], ""),
    ],
)
def test_cookies_are_selected_and_removed_by_name(header: str, values: list[str], rest: str) -> None:
    assert cookie_values("cognito", header) == values
    assert without_cookie("cognito", header) == rest
