"""The sign-in page's token endpoint issues and refreshes tokens as a standard OAuth 2.0 client expects them."""

import base64
import secrets
from typing import Any

import jwt
import pytest

from infra.local.emulator import Emulator
from tests.infra.local.emulated_cloud import aws
from tests.infra.local.sign_in_page import BACK, PASSWORD, Page, redirect_params

UNCHECKED: Any = {"verify_signature": False}


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options=UNCHECKED)
    return claims


def stable_claims(token: str) -> dict[str, Any]:
    """Return the claims that a refresh does not change."""
    changing = {"jti", "iat", "exp", "auth_time", "nonce"}
    return {name: value for name, value in claims_of(token).items() if name not in changing}


def test_a_sign_in_returns_tokens_with_user_groups_and_audience(page: Page) -> None:
    back = redirect_params(page.sign_in())
    assert (set(back), back["state"]) == ({"code", "state"}, "a state/&=")
    response = page.tokens(back["code"])
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    body = response.json()
    assert body["token_type"] == "Bearer"
    keys = jwt.PyJWKSet.from_dict(page.http.get(f"/{page.pool}/.well-known/jwks.json").json())
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{page.pool}"
    for name, audience in (("id_token", page.client), ("access_token", None)):
        key = keys[jwt.get_unverified_header(body[name])["kid"]]
        claims = jwt.decode(body[name], key, algorithms=["RS256"], issuer=issuer, audience=audience)
        assert claims["cognito:groups"] == ["operator"]
        assert claims["exp"] - claims["iat"] == body["expires_in"] == 3600
        if name == "id_token":
            assert (claims["nonce"], claims["cognito:username"]) == ("a nonce", "ada")
        else:
            assert (claims["client_id"], claims["token_use"]) == (page.client, "access")
            assert claims["scope"] == "openid profile"


@pytest.mark.parametrize(
    "changes",
    [
        *({"code_verifier": secrets.token_urlsafe(48)}, {"code_verifier": ""}, {"redirect_uri": f"{BACK}x"}),
        *({"client_id": "another"}, {"code": "another"}),
    ],
    ids=["verifier", "no-verifier", "redirect_uri", "client", "code"],
)
def test_a_code_is_valid_only_for_the_request_that_it_answers(page: Page, changes: dict[str, str]) -> None:
    code = redirect_params(page.sign_in())["code"]
    refused = page.tokens(**({"code": code} | changes))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert refused.headers["content-type"] == "application/json"


def test_a_code_can_be_used_once(page: Page) -> None:
    code = redirect_params(page.sign_in())["code"]
    assert page.tokens(code).status_code == 200
    assert page.tokens(code).json()["error"] == "invalid_grant"


def test_refreshed_tokens_keep_scope_and_groups(page: Page) -> None:
    first = page.tokens(redirect_params(page.sign_in())["code"]).json()
    for _ in range(2):
        response = page.refresh(first["refresh_token"])
        assert (response.status_code, response.json()["expires_in"]) == (200, first["expires_in"])
        for name in ("access_token", "id_token"):
            old, new = (stable_claims(body[name]) for body in (first, response.json()))
            assert new == old


@pytest.mark.parametrize("end", ["revoke_token", "global_sign_out", "admin_disable_user"])
def test_a_revoked_refresh_token_is_refused(page: Page, emulator: Emulator, end: str) -> None:
    cognito, tokens = aws(emulator, 0, "cognito-idp"), page.tokens(redirect_params(page.sign_in())["code"]).json()
    if end == "revoke_token":
        cognito.revoke_token(Token=tokens["refresh_token"], ClientId=page.client)
    elif end == "global_sign_out":
        cognito.admin_user_global_sign_out(UserPoolId=page.pool, Username="ada")
    else:
        cognito.admin_disable_user(UserPoolId=page.pool, Username="ada")
    refused = page.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c", base64.b64encode(b"{}").decode()])
def test_an_invalid_refresh_token_is_refused(page: Page, token: str) -> None:
    refused = page.refresh(token)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_the_token_endpoint_accepts_only_the_console_s_origin(page: Page, emulator: Emulator) -> None:
    own = emulator.layout.console_url.rstrip("/")
    form, preflight = {"grant_type": "authorization_code"}, {"access-control-request-method": "POST"}
    allowed = page.http.options("/oauth2/token", headers=preflight | {"origin": own})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, own)
    answer = page.http.post("/oauth2/token", data=form, headers={"origin": own})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (400, own)
    assert answer.headers["vary"] == "Origin"
    for refused in (
        page.http.options("/oauth2/token", headers=preflight | {"origin": BACK.rstrip("/")}),
        page.http.post("/oauth2/token", data=form, headers={"origin": BACK.rstrip("/")}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "FOREIGN_ORIGIN")
        assert "access-control-allow-origin" not in refused.headers


def test_a_refresh_token_of_initiate_auth_works_with_refresh_token_auth(page: Page, emulator: Emulator) -> None:
    cognito = aws(emulator, 0, "cognito-idp")
    password = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    first = cognito.initiate_auth(ClientId=page.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=password)
    parameters = {"REFRESH_TOKEN": first["AuthenticationResult"]["RefreshToken"]}
    more = cognito.initiate_auth(ClientId=page.client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)
    claims = claims_of(more["AuthenticationResult"]["AccessToken"])
    assert (claims["username"], claims["cognito:groups"]) == ("ada", ["operator"])
