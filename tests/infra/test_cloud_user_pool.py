"""A supplied user pool is checked, kept by later deployments, and completed with the groups of the roles."""

from typing import Any

import boto3
import pytest

from infra.cloud.account import Caller
from infra.cloud.user_pool import DOMAIN, BadUserPool, ensure_groups, supplied_pool
from lobby.names import AccountId, Region

POOL = "eu-west-1_Supplied1"


class Cognito:
    """Cognito with these pools and groups."""

    exceptions = boto3.client("cognito-idp", region_name="eu-west-1").exceptions

    def __init__(self, pools: dict[str, dict[str, Any]], groups: tuple[str, ...] = ()) -> None:
        self.pools, self.groups = pools, dict.fromkeys(groups, "theirs")

    def describe_user_pool(self, UserPoolId: str) -> Any:  # noqa: N803 - boto3's parameter
        if UserPoolId not in self.pools:
            raise self.exceptions.ResourceNotFoundException({}, "DescribeUserPool")
        closed = {"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True}}
        return {"UserPool": closed | self.pools[UserPoolId]}

    def create_group(self, GroupName: str, Description: str, **_rest: object) -> None:  # noqa: N803
        if GroupName in self.groups:
            raise self.exceptions.GroupExistsException({}, "CreateGroup")
        self.groups[GroupName] = Description


class Session:
    """A session whose only service is Cognito."""

    def __init__(self, cognito: Cognito) -> None:
        self._cognito = cognito

    def client(self, _service: str) -> Cognito:
        return self._cognito


class Stack:
    """The lobby's stack, with its own pool or with a supplied one."""

    def __init__(
        self, status: str | None = None, own: tuple[str, ...] = (), pool: str | None = None, domain: str | None = None
    ) -> None:
        self._status, self._own, self._pool, self._domain = status, own, pool, domain

    def status(self) -> str | None:
        return self._status

    def resources(self, kind: str) -> list[str]:
        if kind == DOMAIN:
            return [self._domain] if self._domain else []
        return list(self._own)

    def outputs(self) -> dict[str, str]:
        return {"UserPoolId": self._pool} if self._pool else {}


def asked(requested: str | None, stack: Any, **pools: dict[str, Any]) -> Any:
    session: Any = Session(Cognito({POOL: {}} | {f"eu-west-1_{name}": found for name, found in pools.items()}))
    identity = Caller(AccountId("123456789012"), Region("eu-west-1"), "arn", session)
    return supplied_pool(identity, requested, stack)


def test_without_a_request_a_new_lobby_and_one_with_its_own_pool_need_none() -> None:
    assert asked(None, Stack()) is None
    assert asked(None, Stack("ROLLBACK_COMPLETE")) is None
    assert asked(None, Stack("UPDATE_COMPLETE", ("eu-west-1_Own",), "eu-west-1_Own")) is None


def test_a_later_deployment_keeps_the_pool_that_was_supplied() -> None:
    assert asked(None, Stack("UPDATE_COMPLETE", (), POOL)).context == {"userPoolId": POOL}


@pytest.mark.parametrize(
    ("properties", "login"),
    [
        ({}, None),
        ({"Domain": "acme"}, "https://acme.auth.eu-west-1.amazoncognito.com"),
        ({"Domain": "acme", "CustomDomain": "login.acme.example"}, "https://login.acme.example"),
    ],
)
def test_the_sign_in_page_of_the_pool_is_used(properties: dict[str, Any], login: str | None) -> None:
    pool = asked("eu-west-1_Other", Stack(), Other=properties)
    assert pool.context == {"userPoolId": "eu-west-1_Other"} | ({"loginUrl": login} if login else {})


@pytest.mark.parametrize("requested", [None, "eu-west-1_Other"])
def test_a_later_deployment_keeps_the_domain_that_the_stack_has_created(requested: str | None) -> None:
    """Without the domain in its template, CloudFormation would delete it, and nobody could sign in."""
    domain = "device-lobby-123456789012"
    deployed = Stack("UPDATE_COMPLETE", (), "eu-west-1_Other", domain)
    assert asked(requested, deployed, Other={"Domain": domain}).login_url is None
    of_others = asked(requested, Stack("UPDATE_COMPLETE", (), "eu-west-1_Other"), Other={"Domain": domain})
    assert of_others.login_url == f"https://{domain}.auth.eu-west-1.amazoncognito.com"


@pytest.mark.parametrize(
    ("requested", "code"),
    [
        ("", "INVALID_USER_POOL"),
        ("pool", "INVALID_USER_POOL"),
        ("eu-north-1_Abc", "INVALID_USER_POOL"),
        ("eu-west-1_Ab c", "INVALID_USER_POOL"),
        ("eu-west-1_Absent", "UNKNOWN_USER_POOL"),
        ("eu-west-1_Open", "OPEN_USER_POOL"),
        ("eu-west-1_Lite", "LITE_USER_POOL"),
    ],
)
def test_an_unsuitable_pool_is_rejected(requested: str, code: str) -> None:
    open_pool = {"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False}}
    with pytest.raises(BadUserPool, match=code):
        asked(requested, Stack(), Open=open_pool, Lite={"UserPoolTier": "LITE", "Domain": "acme"})


def test_only_missing_groups_are_created() -> None:
    cognito: Any = Cognito({}, ("admin",))
    ensure_groups(cognito, POOL)
    ensure_groups(cognito, POOL)
    assert list(cognito.groups) == ["admin", "operator", "technician", "viewer"]
    assert cognito.groups["admin"] == "theirs"
