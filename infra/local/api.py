"""A signed-in person's way to the GraphQL API: what the demo, the bench and the end-to-end tests use.

It signs in against the user pool as any script can, and keeps one HTTP connection. Raises `ApiRefused` with the
API's own codes; it knows nothing of the ledger.
"""

from typing import Any

import boto3
import httpx
from botocore import UNSIGNED
from botocore.config import Config

from infra.local.lobby_file import LobbyFile, LocalOperator


class ApiRefused(Exception):
    """The API's answer was an error. `code` is its `extensions.code`, or the HTTP status."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """GraphQL as one operator."""

    def __init__(self, lobby: LobbyFile, operator: LocalOperator) -> None:
        self._url = lobby.graphql_url
        self._http = httpx.Client(timeout=30, headers={"authorization": f"Bearer {sign_in(lobby, operator)}"})

    def ask(self, query: str, **variables: Any) -> Any:
        """The `data` of the answer. Raises `ApiRefused`."""
        answer = self._http.post(self._url, json={"query": query, "variables": variables})
        if answer.headers.get("content-type", "").split(";")[0] not in (
            "application/json",
            "application/graphql-response+json",
        ):
            raise ApiRefused(str(answer.status_code), answer.text[:300])
        body = answer.json()
        if body.get("errors"):
            first = body["errors"][0]
            raise ApiRefused(first.get("extensions", {}).get("code", "ERROR"), first["message"])
        if answer.status_code != httpx.codes.OK or "data" not in body:
            raise ApiRefused(str(answer.status_code), answer.text[:300])
        return body["data"]

    def device(self, certid: str) -> Any:
        """The device as the API shows it, or None."""
        query = "query($id: ID!) { device(certid: $id) { certid devicename devstate reason message endpoint } }"
        return self.ask(query, id=certid)["device"]

    def close(self) -> None:
        self._http.close()


def sign_in(lobby: LobbyFile, operator: LocalOperator) -> str:
    """An access token of the user pool."""
    cognito = boto3.client(
        "cognito-idp",
        region_name=lobby.lobby_region,
        endpoint_url=lobby.aws_endpoint_url,
        config=Config(signature_version=UNSIGNED),
    )
    answer = cognito.initiate_auth(
        ClientId=lobby.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": operator.user, "PASSWORD": operator.password},
    )
    return str(answer["AuthenticationResult"]["AccessToken"])
