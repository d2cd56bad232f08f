"""Makes the people of the local deployment: one user for each role, in the same user pool as in AWS.

The passwords are random, kept from one start to the next, and of no use elsewhere. The
technician may claim for the first target only, so that a refusal can be tried, too.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.local.lobby_file import LocalOperator, write_private
from infra.passwords import new_password
from lobby.names import Target

_KEPT: Final = "operators.json"
ROLES: Final = ("admin", "operator", "technician", "viewer")


def ensure_operators(
    cognito: Any, pool: str, known: tuple[LocalOperator, ...], technicians_target: Target
) -> tuple[LocalOperator, ...]:
    """The operators, made or set anew. Repeating it changes nothing but what is missing."""
    kept = {operator.role: operator for operator in known}
    made = tuple(kept.get(role) or LocalOperator(role, new_password(), role) for role in ROLES)
    own_group = f"target:{technicians_target}"
    _unless(cognito.create_group, "GroupExistsException", UserPoolId=pool, GroupName=own_group)
    for operator in made:
        name = {"UserPoolId": pool, "Username": operator.user}
        _unless(
            cognito.admin_create_user,
            "UsernameExistsException",
            **name,
            MessageAction="SUPPRESS",
            TemporaryPassword=operator.password,
        )
        cognito.admin_set_user_password(**name, Password=operator.password, Permanent=True)
        for group in (operator.role, *([own_group] if operator.role == "technician" else [])):
            cognito.admin_add_user_to_group(**name, GroupName=group)
    return made


def read_operators(directory: Path) -> tuple[LocalOperator, ...]:
    """Those of the last start; none where there was none."""
    try:
        return tuple(LocalOperator(**each) for each in json.loads((directory / _KEPT).read_text()))
    except FileNotFoundError:
        return ()


def write_operators(directory: Path, operators: tuple[LocalOperator, ...]) -> None:
    """Kept for the next start, readable by the owner only."""
    write_private(directory / _KEPT, json.dumps([asdict(operator) for operator in operators], indent=2))


def _unless(call: Any, already: str, **what: Any) -> None:
    try:
        call(**what)
    except ClientError as error:
        if error.response["Error"]["Code"] != already:
            raise
