"""Creates the operators of the local deployment: one user per role, in the same user pool as in AWS.

The passwords are random and kept between starts. The technician may claim only for the first target, so that users can
see a refused claim.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.local.lobby_file import LocalOperator, write_private
from infra.users.passwords import new_password
from lobby import strict_json
from lobby.names import Target

_FILE: Final = "operators.json"
ROLES: Final = ("admin", "operator", "technician", "viewer")


def ensure_operators(
    cognito: Any, pool: str, known: tuple[LocalOperator, ...], technicians_target: Target
) -> tuple[LocalOperator, ...]:
    """Create the operators of all roles that do not exist, set their passwords and groups, and return all of them."""
    by_role = {operator.role: operator for operator in known}
    operators = tuple(by_role.get(role) or LocalOperator(role, new_password(), role) for role in ROLES)
    target_group = f"target:{technicians_target}"
    _unless_exists(cognito.create_group, "GroupExistsException", UserPoolId=pool, GroupName=target_group)
    for operator in operators:
        name = {"UserPoolId": pool, "Username": operator.user}
        _unless_exists(
            cognito.admin_create_user,
            "UsernameExistsException",
            **name,
            MessageAction="SUPPRESS",
            TemporaryPassword=operator.password,
        )
        cognito.admin_set_user_password(**name, Password=operator.password, Permanent=True)
        for group in (operator.role, *([target_group] if operator.role == "technician" else [])):
            cognito.admin_add_user_to_group(**name, GroupName=group)
    return operators


def read_operators(directory: Path) -> tuple[LocalOperator, ...]:
    """Return the operators of the last start, or none."""
    try:
        return tuple(LocalOperator(**each) for each in strict_json.loads((directory / _FILE).read_text()))
    except FileNotFoundError:
        return ()


def write_operators(directory: Path, operators: tuple[LocalOperator, ...]) -> None:
    """Store the operators for the next start, readable only by the owner."""
    write_private(directory / _FILE, json.dumps([asdict(operator) for operator in operators], indent=2))


def _unless_exists(call: Any, exists_code: str, **params: Any) -> None:
    try:
        call(**params)
    except ClientError as error:
        if error.response["Error"]["Code"] != exists_code:
            raise
