"""A user pool with its sign-in page, and a browser that keeps cookies and follows no redirects."""

import base64
import hashlib
import html
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

BACK = "http://127.0.0.1:21999/"
PASSWORD = "Right-Password-1 &+%\"'<"  # pragma: allowlist secret
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Page:
    """The sign-in page of a user pool."""

    http: httpx.Client
    pool: str
    client: str

    def authorize(self, **changes: str | None) -> httpx.Response:
        params = {
            "client_id": self.client,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid profile",
            "state": "a state/&=",
            "nonce": "a nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return self.http.get("/oauth2/authorize", params={k: v for k, v in (params | changes).items() if v is not None})

    def sign_in(self, user: str = "ada", password: str = PASSWORD, **changes: str | None) -> httpx.Response:
        page = self.authorize(**changes)
        assert page.status_code == 200, page.text
        fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        form = {name: html.unescape(value) for name, value in fields.items()}
        return self.http.post("/login", data=form | {"username": user, "password": password})

    def tokens(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "client_id": self.client, "code": code, "redirect_uri": BACK}
        return self.http.post("/oauth2/token", data=form | {"code_verifier": VERIFIER} | changes)

    def refresh(self, token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "client_id": self.client, "refresh_token": token}
        return self.http.post("/oauth2/token", data=form)


def redirect_params(response: httpx.Response) -> dict[str, str]:
    """Return the query parameters of the redirect to the callback URL."""
    assert response.status_code == 302, response.text
    assert response.headers["location"].startswith(f"{BACK}?")
    return dict(parse_qsl(urlsplit(response.headers["location"]).query, strict_parsing=True))


def make_client(cognito: Any, pool: str) -> str:
    client: str = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="console",
        CallbackURLs=[BACK],
        LogoutURLs=[BACK],
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "profile"],
        AllowedOAuthFlowsUserPoolClient=True,
        SupportedIdentityProviders=["COGNITO"],
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        AccessTokenValidity=60,
        TokenValidityUnits={"AccessToken": "minutes"},
    )["UserPoolClient"]["ClientId"]
    return client


@contextmanager
def open_page(cognito: Any, gateway: str) -> Iterator[Page]:
    """Create a user pool with one confirmed operator, ada."""
    pool = cognito.create_user_pool(PoolName="operators")["UserPool"]["Id"]
    name = {"UserPoolId": pool, "Username": "ada"}
    cognito.admin_create_user(**name, MessageAction="SUPPRESS", TemporaryPassword=PASSWORD)
    cognito.admin_set_user_password(**name, Password=PASSWORD, Permanent=True)
    cognito.create_group(UserPoolId=pool, GroupName="operator")
    cognito.admin_add_user_to_group(**name, GroupName="operator")
    with httpx.Client(base_url=gateway, timeout=30) as http:
        yield Page(http, pool, make_client(cognito, pool))
    cognito.delete_user_pool(UserPoolId=pool)
