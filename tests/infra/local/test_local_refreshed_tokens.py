"""What the sign-in page's token endpoint gives out, and renews: what a standards-keeping client takes."""

import base64
import secrets
from typing import Any

import jwt
import pytest

from infra.local.emulator import Emulator
from tests.infra.local.sign_in_page import BACK, PASSWORD, Page, told
from tests.infra.local.test_local_cloud import of

UNCHECKED: Any = {"verify_signature": False}


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options=UNCHECKED)
    return found


def lasting(token: str) -> dict[str, Any]:
    """What a renewal leaves as it is."""
    passing = {"jti", "iat", "exp", "auth_time", "nonce"}
    return {name: value for name, value in claims_of(token).items() if name not in passing}


def test_a_sign_in_leads_to_tokens_that_say_who_and_for_whom(page: Page) -> None:
    back = told(page.sign_in())
    assert (set(back), back["state"]) == ({"code", "state"}, "a state/&=")
    answer = page.tokens(back["code"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    body = answer.json()
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
def test_a_code_is_good_only_for_whoever_asked_for_it(page: Page, changes: dict[str, str]) -> None:
    code = told(page.sign_in())["code"]
    refused = page.tokens(**({"code": code} | changes))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert refused.headers["content-type"] == "application/json"


def test_a_code_is_good_once(page: Page) -> None:
    code = told(page.sign_in())["code"]
    assert page.tokens(code).status_code == 200
    assert page.tokens(code).json()["error"] == "invalid_grant"


def test_refreshed_tokens_keep_scope_and_groups(page: Page) -> None:
    first = page.tokens(told(page.sign_in())["code"]).json()
    for _ in range(2):
        answer = page.refresh(first["refresh_token"])
        assert (answer.status_code, answer.json()["expires_in"]) == (200, first["expires_in"])
        for name in ("access_token", "id_token"):
            old, new = (lasting(body[name]) for body in (first, answer.json()))
            assert new == old


@pytest.mark.parametrize("end", ["revoke_token", "global_sign_out", "admin_disable_user"])
def test_a_refresh_token_that_was_ended_is_refused(page: Page, plain_cloud: Emulator, end: str) -> None:
    cognito, tokens = of(plain_cloud, 0, "cognito-idp"), page.tokens(told(page.sign_in())["code"]).json()
    if end == "revoke_token":
        cognito.revoke_token(Token=tokens["refresh_token"], ClientId=page.client)
    elif end == "global_sign_out":
        cognito.admin_user_global_sign_out(UserPoolId=page.pool, Username="ada")
    else:
        cognito.admin_disable_user(UserPoolId=page.pool, Username="ada")
    refused = page.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c", base64.b64encode(b"{}").decode()])
def test_what_is_no_refresh_token_is_refused(page: Page, token: str) -> None:
    refused = page.refresh(token)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_the_token_endpoint_answers_pages_of_another_origin(page: Page) -> None:
    origin = {"origin": BACK.rstrip("/")}
    preflight = page.http.options("/oauth2/token", headers=origin | {"access-control-request-method": "POST"})
    assert preflight.headers["access-control-allow-origin"] == "*"
    answer = page.http.post("/oauth2/token", data={"grant_type": "authorization_code"}, headers=origin)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (400, "*")


def test_a_refresh_token_for_a_password_is_taken_by_refresh_token_auth(page: Page, plain_cloud: Emulator) -> None:
    cognito = of(plain_cloud, 0, "cognito-idp")
    password = {"USERNAME": "ada", "PASSWORD": PASSWORD}
    first = cognito.initiate_auth(ClientId=page.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=password)
    parameters = {"REFRESH_TOKEN": first["AuthenticationResult"]["RefreshToken"]}
    more = cognito.initiate_auth(ClientId=page.client, AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)
    claims = claims_of(more["AuthenticationResult"]["AccessToken"])
    assert (claims["username"], claims["cognito:groups"]) == ("ada", ["operator"])
