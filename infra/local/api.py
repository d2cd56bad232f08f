"""A client of the GraphQL API for the demo, the benchmarks and the end-to-end tests.

It signs in to the user pool like any script, and keeps one HTTP connection. It raises `ApiRefused` with the API's
codes. A request that Lambda throttles did not run, so it is repeated.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import httpx
from botocore import UNSIGNED
from botocore.config import Config

from infra.local.emulator import LocalSession
from infra.local.lobby_file import LobbyFile, LocalOperator
from lobby import strict_json
from lobby.names import parse_account, parse_region

MAX_ATTEMPTS: Final = 60
"""Attempts of a throttled request, including the first."""
DELAY: Final = 0.5
"""Seconds between two attempts. The local cloud runs few Lambdas at a time, and most of them end quickly."""
_RESPONSE_SECONDS: Final = 120
"""Maximum wait for a response. The first request starts the Lambda, which takes half a minute on a busy machine."""


class ApiRefused(Exception):
    """The API returned an error. `code` is its `extensions.code`, or the HTTP status."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """The GraphQL API, signed in as one operator."""

    def __init__(
        self,
        lobby: LobbyFile,
        operator: LocalOperator,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = lobby.graphql_url
        self._sleep = sleep
        # Connect to loopback directly, without the proxy of the environment.
        self._http = httpx.Client(
            timeout=_RESPONSE_SECONDS,
            trust_env=False,
            headers={"authorization": f"Bearer {sign_in(lobby, operator)}"},
            transport=transport,
        )

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the `data` of the response. Raise `ApiRefused` if there are errors."""
        response = self._post({"query": query, "variables": variables})
        if response.headers.get("content-type", "").split(";")[0] not in (
            "application/json",
            "application/graphql-response+json",
        ):
            raise ApiRefused(str(response.status_code), response.text[:300])
        body = strict_json.loads(response.text)
        if body.get("errors"):
            first = body["errors"][0]
            raise ApiRefused(first.get("extensions", {}).get("code", "ERROR"), first["message"])
        if response.status_code != httpx.codes.OK or "data" not in body:
            raise ApiRefused(str(response.status_code), response.text[:300])
        return body["data"]

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        for _ in range(1, MAX_ATTEMPTS):
            response = self._http.post(self._url, json=body)
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS or "TooManyRequestsException" not in response.text:
                return response
            self._sleep(DELAY)
        return self._http.post(self._url, json=body)

    def device(self, certid: str) -> Any:
        """Return the device, or None if it is not in the ledger."""
        query = "query($id: ID!) { device(certid: $id) { certid devicename devstate reason message endpoint } }"
        return self.ask(query, id=certid)["device"]

    def close(self) -> None:
        self._http.close()


def sign_in(lobby: LobbyFile, operator: LocalOperator) -> str:
    """Return an access token of the user pool."""
    account, region = parse_account(lobby.lobby_account), parse_region(lobby.lobby_region)
    session = LocalSession(lobby.aws_endpoint_url, lobby.aws_secret_access_key, account, region)
    cognito = session.client("cognito-idp", config=Config(signature_version=UNSIGNED))
    response = cognito.initiate_auth(
        ClientId=lobby.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": operator.user, "PASSWORD": operator.password},
    )
    return str(response["AuthenticationResult"]["AccessToken"])
