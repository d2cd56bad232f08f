"""Gives Lambda functions session credentials that nobody can compute.

Difference from AWS: the credentials of an execution role are random. MiniStack derives the access key, the secret and
the session token of a function from its ARN and its role's ARN with a hash, so anyone who knows these names can sign as
the role.

The patch derives the same values with the deployment's secret as the key of an HMAC. They are the same for all
processes of a function, as MiniStack requires, and expire with the deployment.

Unnecessary when: MiniStack's `execution_credentials` returns random secrets.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_RUNTIME: Final = "ministack.core.lambda_runtime"
CREDENTIALS: Final = PatchPoint(_RUNTIME, "execution_credentials", ("config",))
IMPORTED: Final = PatchPoint("ministack.services.lambda_svc", "execution_credentials", ("config",))
ACCOUNT: Final = PatchPoint(_RUNTIME, "_account_region_from_function_config", ("config",))
REGISTER: Final = PatchPoint("ministack.services.sts", "register_session", ("access_key", "session"))
PATCH_POINTS: Final = (CREDENTIALS, IMPORTED, ACCOUNT, REGISTER)
Credentials = dict[str, str]
_regions: Final[dict[str, str]] = {}
"""The Region of the function with this access key."""


def region_of_key(access_key: str) -> str | None:
    """Return the Region of the Lambda function that has this access key, or None for another caller."""
    return _regions.get(access_key)


def apply(secret: str) -> None:
    """Replace the function and the name under which the Lambda service has imported it."""
    for patch_point in (CREDENTIALS, IMPORTED):
        patch_point.wrap(lambda _original: credentials_from(secret))


def credentials_from(secret: str) -> Callable[[Mapping[str, Any]], Credentials]:
    """Return a function that registers the session of a Lambda function's role and returns its credentials."""

    def derive(purpose: str, function: str, role: str) -> str:
        return hmac.new(secret.encode(), f"{purpose}:{function}:{role}".encode(), hashlib.sha256).hexdigest()

    def credentials(config: Mapping[str, Any]) -> Credentials:
        account, region = ACCOUNT.resolve()(config)
        function, role = config["FunctionArn"], config.get("Role", "")
        role_name, session_name = role.rsplit("/", 1)[-1], config.get("FunctionName", "function")[:64]
        key = f"ASIA{derive('key', function, role)[:16].upper()}"
        session = {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}",
            "UserId": f"{role_name}:{session_name}",
            "SecretAccessKey": derive("secret", function, role),
            "SessionToken": derive("token", function, role),
        }
        REGISTER.resolve()(key, session)
        _regions[key] = region
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }

    return credentials
