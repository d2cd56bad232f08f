"""Authentication of the deployed API: the gateway and the application are tested independently.

The gateway alone must refuse every forged token. Then the Lambda function is invoked directly with the same
tokens. They are signed with the key of the emulated user pool; on AWS that key is not accessible. There are also real
tokens: of another pool, of another client of the same pool, and of users without a role.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm

from admin_api.roles import Role
from infra.local.api import ApiRefused
from infra.users.passwords import new_password
from lobby.names import Target
from tests import operations
from tests.authorization_bypasses import BYPASSES, bypass_document
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment
from tests.forged_tokens import FORGED, Forged, Pool
from tests.functional.admin_api.api_on_moto import event_of

T = TypeVar("T")
WORKERS = 4
BEHIND = [
    FORGED[way]
    for way in (
        "no header",
        "not a token",
        "expired",
        "not yet valid",
        "another pool",
        "another client",
        "an id token",
        "duplicate token_use",
        "username with a line break",
        "unknown key",
        "another key with the pool's key id",
        "no key id",
        "alg none",
        "HS256 with the public key as the secret",
        "replaced claims",
        "no group",
        "group that is not a role",
    )
]
REQUEST = {"query": "{ targets { account } }"}
UNAUTHORIZED = {"message": "Unauthorized"}


@pytest.fixture(scope="module")
def pool(deployed: Deployment) -> Pool:
    """The deployed user pool, with the key that the emulator signs access tokens with."""
    name = deployed.file.user_pool_id
    path = deployed.layout.state_dir / "services" / "cognito-pool-keys" / f"{name}-access.pem"
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    jwks = httpx.get(f"{deployed.layout.endpoint_url}/{name}/.well-known/jwks.json", timeout=TIMEOUT_SECONDS).json()[
        "keys"
    ]
    kid = next(jwk["kid"] for jwk in jwks if _is_of(jwk, key))
    issuer = f"https://cognito-idp.{deployed.lobby.region}.amazonaws.com/{name}"
    return Pool(issuer, deployed.file.user_pool_client_id, kid, lambda: key)


def _is_of(jwk: dict[str, Any], key: rsa.RSAPrivateKey) -> bool:
    public: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return bool(public["n"] == jwk["n"])


def _at_the_gateway(deployed: Deployment, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"authorization": authorization}
    return httpx.post(deployed.file.graphql_url, json=REQUEST, headers=headers, timeout=TIMEOUT_SECONDS)


def _behind_the_gateway(deployed: Deployment, authorization: str | None) -> tuple[int, dict[str, Any]]:
    """Return the response of the Lambda function to the event that the gateway would pass on."""
    event = event_of(REQUEST, authorization=authorization)
    response = deployed.client(deployed.lobby, "lambda").invoke(
        FunctionName="device-lobby-admin-api", Payload=json.dumps(event).encode()
    )
    assert "FunctionError" not in response
    response = json.loads(response["Payload"].read())
    return response["statusCode"], json.loads(response["body"])


def _of_each(ask: Callable[[Forged], T], which: Callable[[Forged], bool] = lambda _: True) -> dict[str, T]:
    """Return the result of `ask` for each row, a few at a time."""
    rows = {way: row for way, row in FORGED.items() if which(row)}
    with ThreadPoolExecutor(WORKERS) as workers:
        return dict(zip(rows, workers.map(ask, rows.values()), strict=True))


def test_the_token_that_the_forged_ones_are_made_from_is_accepted(deployed: Deployment, pool: Pool) -> None:
    assert _at_the_gateway(deployed, pool.admin()).status_code == httpx.codes.OK
    assert _behind_the_gateway(deployed, pool.admin())[0] == httpx.codes.OK


def test_the_gateway_alone_accepts_no_forged_token(deployed: Deployment, pool: Pool) -> None:
    """The emulated gateway returns 500 for a token with a part that is not an object."""
    got = _of_each(lambda row: _at_the_gateway(deployed, row.header(pool)), lambda row: row.gateway)
    refused = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.INTERNAL_SERVER_ERROR)
    accepted = {
        way: response
        for way, response in got.items()
        if response.status_code not in refused or '"data"' in response.text
    }
    assert {way: (response.status_code, response.text[:200]) for way, response in accepted.items()} == {}


@pytest.mark.full
def test_the_application_refuses_what_the_gateway_accepts(deployed: Deployment, pool: Pool) -> None:
    """A stricter gateway is not an error."""
    got = _of_each(lambda row: _at_the_gateway(deployed, row.header(pool)).status_code, lambda row: not row.gateway)
    assert {way: status for way, status in got.items() if status not in (401, 403)} == {}


@pytest.mark.full
def test_the_application_alone_accepts_no_forged_token(deployed: Deployment, pool: Pool) -> None:
    """One token of each kind. `test_api_roles.py` tests the application with every row."""
    got = _of_each(lambda row: _behind_the_gateway(deployed, row.header(pool)), lambda row: row in BEHIND)
    assert {way: status for way, (status, _) in got.items() if status != FORGED[way].status} == {}
    assert {way: body for way, (_, body) in got.items() if body.get("data") or not _is_refusal(body, FORGED[way])} == {}


def _is_refusal(body: dict[str, Any], row: Forged) -> bool:
    code = "UNAUTHENTICATED" if row.status == httpx.codes.UNAUTHORIZED else "FORBIDDEN"
    return [error["extensions"]["code"] for error in body["errors"]] == [code]


# Real tokens.


@dataclass
class Strangers:
    """Users without access that are created for a test, and their real tokens."""

    deployed: Deployment
    cognito: Any
    created: list[tuple[str, str]] = field(default_factory=list)

    def token(self, pool: str, client: str, user: str, *groups: str, kind: str = "AccessToken") -> str:
        password = new_password()
        name = {"UserPoolId": pool, "Username": user}
        self.cognito.admin_create_user(**name, MessageAction="SUPPRESS", TemporaryPassword=password)
        self.created.append((pool, user))
        self.cognito.admin_set_user_password(**name, Password=password, Permanent=True)
        for group in groups:
            self.cognito.admin_add_user_to_group(**name, GroupName=group)
        response = self.cognito.initiate_auth(
            ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": user, "PASSWORD": password}
        )
        return f"Bearer {response['AuthenticationResult'][kind]}"

    def client(self, pool: str) -> str:
        return str(
            self.cognito.create_user_pool_client(
                UserPoolId=pool, ClientName="another", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"]
            )["UserPoolClient"]["ClientId"]
        )

    def close(self) -> None:
        for pool, user in self.created:
            self.cognito.admin_delete_user(UserPoolId=pool, Username=user)


@pytest.fixture(scope="module")
def strangers(deployed: Deployment) -> Iterator[Strangers]:
    created = Strangers(deployed, deployed.client(deployed.lobby, "cognito-idp"))
    yield created
    created.close()


def test_real_tokens_for_another_pool_or_client_are_refused_by_both(deployed: Deployment, strangers: Strangers) -> None:
    ours = deployed.file.user_pool_id
    other = strangers.cognito.create_user_pool(PoolName="another-pool")["UserPool"]["Id"]
    strangers.cognito.create_group(UserPoolId=other, GroupName="admin")
    tokens = {
        "another pool": strangers.token(other, strangers.client(other), "mallory-1", "admin"),
        "another client of the pool": strangers.token(ours, strangers.client(ours), "mallory-2", "admin"),
    }
    for whose, token in tokens.items():
        assert _at_the_gateway(deployed, token).json() == UNAUTHORIZED, whose
        assert _behind_the_gateway(deployed, token)[0] == httpx.codes.UNAUTHORIZED, whose
    strangers.cognito.delete_user_pool(UserPoolId=other)
    strangers.created = [(pool, user) for pool, user in strangers.created if pool != other]


@pytest.mark.full
def test_users_without_a_role_and_tokens_for_other_uses_are_refused(deployed: Deployment, strangers: Strangers) -> None:
    ours, client = deployed.file.user_pool_id, deployed.file.user_pool_client_id
    engineers = f"engineers-{secrets.token_hex(4)}"
    strangers.cognito.create_group(UserPoolId=ours, GroupName=engineers)
    tokens = {
        "no group": strangers.token(ours, client, "nobody-1"),
        "an unknown group": strangers.token(ours, client, "nobody-2", engineers),
        "a target's group only": strangers.token(ours, client, "nobody-3", f"target:{deployed.targets[0]}"),
        "an identity token": strangers.token(ours, client, "user-1", "admin", kind="IdToken"),
        "a refresh token": strangers.token(ours, client, "user-2", "admin", kind="RefreshToken"),
    }
    for whose, token in tokens.items():
        assert _at_the_gateway(deployed, token).status_code in (401, 403), whose
        assert _behind_the_gateway(deployed, token)[0] in (401, 403), whose


# Roles.

ALL = "fields(includeDeprecated: true) { name }"
SCHEMA = f"{{ __schema {{ queryType {{ {ALL} }} mutationType {{ {ALL} }} }} }}"


def test_every_operation_of_the_deployed_schema_has_a_row(deployed: Deployment) -> None:
    schema = deployed.api("viewer").ask(SCHEMA)["__schema"]
    fields = {field["name"] for kind in ("queryType", "mutationType") for field in schema[kind]["fields"]}
    assert fields == set(operations.OPERATIONS)


@pytest.mark.full
@pytest.mark.parametrize("role", Role)
def test_each_role_has_exactly_its_operations(deployed: Deployment, first: Target, role: Role) -> None:
    """Each operation on an unknown certificate: an allowed operation reaches the ledger and fails there."""
    got = {operation: _may(deployed, role, operation, first) for operation in operations.OPERATIONS}
    assert got == {operation: operations.allowed(role, operation) for operation in operations.OPERATIONS}


def _may(deployed: Deployment, role: Role, operation: str, target: Target) -> bool:
    certid = secrets.token_hex(32)
    question = operations.document(operation, target)
    try:
        deployed.api(role).ask(question, **(operations.variables(operation, certid) or {}))
    except ApiRefused as refusal:
        if refusal.code == "FORBIDDEN":
            return deployed.device(certid) is not None
        if refusal.code not in ("UNKNOWN_DEVICE", operations.REFUSED.get(operation)):
            raise
    return True


@pytest.mark.full
def test_a_technician_reaches_no_other_target_by_any_notation(
    deployed: Deployment, first: Target, second: Target
) -> None:
    technician = deployed.api("technician")
    for way in BYPASSES:
        certid = secrets.token_hex(32)
        with pytest.raises(ApiRefused, match=r"FORBIDDEN|INVALID_ACCOUNT|INVALID_REGION"):
            technician.ask(bypass_document(way, first, second), id=certid)
        device = deployed.device(certid)
        assert device is None or device["targetaccount"] == first.account, way
