"""An existing Cognito user pool for the lobby. It is checked before the deployment, and missing groups are created. A
pool is retained when the lobby is deleted; a deployment with `--user-pool` continues with its users. Later deployments
keep the supplied pool. Rejects a pool of another Region, one in which users may sign themselves up, and one of a tier
without managed login.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from infra.cloud.account import Caller
from infra.errors import InfraError
from infra.teardown.stacks import Stack
from infra.users.user_roles import ROLES
from lobby.deployment import NAMES
from lobby.names import shown

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

POOL: Final = "AWS::Cognito::UserPool"
DOMAIN: Final = "AWS::Cognito::UserPoolDomain"
_LITE: Final = "LITE"
"""The tier whose domains cannot have managed login (Cognito developer guide, "User pool feature plans")."""
_POOL_ID: Final = re.compile(r"(?P<region>[a-z0-9-]+)_[0-9A-Za-z]{1,55}")


class BadUserPool(InfraError):
    """The supplied user pool cannot be used: INVALID_USER_POOL, UNKNOWN_USER_POOL, OPEN_USER_POOL, LITE_USER_POOL."""


@dataclass(frozen=True)
class SuppliedPool:
    """`login_url` is the origin of the pool's own sign-in page, or None: the stack creates one."""

    id: str
    login_url: str | None

    @property
    def context(self) -> dict[str, str]:
        """The settings of the CDK app."""
        return {"userPoolId": self.id} | ({"loginUrl": self.login_url} if self.login_url else {})


def supplied_pool(identity: Caller, requested: str | None, stack: Stack) -> SuppliedPool | None:
    """Return the requested pool, or the pool that was supplied to the deployed stack; None if the stack has its own
    pool. Raise `BadUserPool`."""
    pool = _pool_of(stack) if requested is None else requested
    if pool is None:
        return None
    match = _POOL_ID.fullmatch(pool)
    if match is None or match["region"] != identity.region:
        want = f"the id of a pool in {identity.region}, such as {identity.region}_AbCdEfGhI"
        raise BadUserPool("INVALID_USER_POOL", f"got {shown(pool)}, want {want}")
    cognito = identity.session.client("cognito-idp")
    try:
        found: Any = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    except cognito.exceptions.ResourceNotFoundException:
        message = f"got {pool}, which account {identity.account} does not have in {identity.region}"
        raise BadUserPool("UNKNOWN_USER_POOL", message) from None
    if not found.get("AdminCreateUserConfig", {}).get("AllowAdminCreateUserOnly"):
        message = f"got {pool}, in which users sign themselves up, want one whose users an administrator creates"
        raise BadUserPool("OPEN_USER_POOL", message)
    if found.get("UserPoolTier") == _LITE:
        message = f"got {pool} with the tier {_LITE}, want ESSENTIALS or PLUS: the sign-in page uses managed login"
        raise BadUserPool("LITE_USER_POOL", message)
    return SuppliedPool(pool, _login_url(found, identity, stack))


def ensure_groups(cognito: "CognitoIdentityProviderClient", pool: str) -> None:
    """Create the groups of the roles that the pool lacks."""
    for precedence, (name, description) in enumerate(ROLES.items()):
        try:
            cognito.create_group(UserPoolId=pool, GroupName=name, Description=description, Precedence=precedence)
        except cognito.exceptions.GroupExistsException:
            continue


def _pool_of(stack: Stack) -> str | None:
    """Return the pool that was supplied to a deployed stack."""
    if stack.status() is None or stack.resources(POOL):
        return None
    return stack.outputs().get("UserPoolId")


def _login_url(pool: dict[str, Any], identity: Caller, stack: Stack) -> str | None:
    """Return the origin of the pool's own sign-in page. The domain that the deployed stack has created is not the
    pool's own: a deployment that took it for that would delete it."""
    if pool.get("CustomDomain"):
        return f"https://{pool['CustomDomain']}"
    domain = pool.get("Domain")
    if not domain or (domain == NAMES.name(identity.account) and stack.resources(DOMAIN)):
        return None
    return f"https://{domain}.auth.{identity.region}.amazoncognito.com"
