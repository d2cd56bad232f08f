"""A trust policy that names a role does not trust a new role of the same name; a condition on its ARN does."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator, LocalSession
from infra.local.ministack.role_principals import role_arn, with_id
from tests.infra.local.emulated_cloud import aws

LOBBY, TARGET = 0, 1
ROLE = "arn:aws:iam::100000000001:role/device-lobby-commissioner"


def test_only_the_deleted_role_is_replaced_and_only_as_a_principal() -> None:
    other = "arn:aws:iam::100000000001:role/other"
    condition = {"ArnEquals": {"aws:PrincipalArn": ROLE}}
    trust = {"Statement": [{"Principal": {"AWS": [ROLE, other]}, "Condition": condition}, {"Principal": "*"}]}
    statements = json.loads(with_id(json.dumps(trust), ROLE, "AROAX"))["Statement"]
    assert statements == [{"Principal": {"AWS": ["AROAX", other]}, "Condition": condition}, {"Principal": "*"}]


@pytest.mark.parametrize("trust", ["", "{", "[]", "{}"])
def test_a_malformed_trust_policy_is_not_changed(trust: str) -> None:
    assert with_id(trust, ROLE, "AROAX") == trust


def test_the_principal_of_a_session_is_its_role() -> None:
    assert role_arn("arn:aws:sts::100000000001:assumed-role/device-lobby-commissioner/x") == ROLE
    assert role_arn("arn:aws:iam::100000000001:root") == "arn:aws:iam::100000000001:root"


def _document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def _caller(emulator: Emulator, name: str) -> Any:
    """Create a role in the lobby's account and return an STS client of a session of it."""
    iam, lobby = aws(emulator, LOBBY, "iam"), emulator.layout.lobby
    root = {"AWS": f"arn:aws:iam::{lobby.account}:root"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(Principal=root, Action="sts:AssumeRole"))[
        "Role"
    ]["Arn"]
    iam.put_role_policy(
        RoleName=name, PolicyName="enter", PolicyDocument=_document(Action="sts:AssumeRole", Resource="*")
    )
    keys = aws(emulator, LOBBY, "sts").assume_role(RoleArn=arn, RoleSessionName="caller")["Credentials"]
    session: LocalSession = emulator.session(lobby.account, lobby.region)
    return session.client(
        "sts",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def _delete(emulator: Emulator, name: str) -> None:
    iam = aws(emulator, LOBBY, "iam")
    iam.delete_role_policy(RoleName=name, PolicyName="enter")
    iam.delete_role(RoleName=name)


def _can_enter(caller: Any, role: str) -> bool:
    try:
        caller.assume_role(RoleArn=role, RoleSessionName="entered")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.parametrize(("by_condition", "trusts_the_new_role"), [(False, False), (True, True)])
def test_a_new_role_of_the_same_name_is_trusted_only_by_a_condition(
    emulator: Emulator, by_condition: bool, trusts_the_new_role: bool
) -> None:
    name, lobby = f"caller-{by_condition}", emulator.layout.lobby
    arn = f"arn:aws:iam::{lobby.account}:role/{name}"
    root = f"arn:aws:iam::{lobby.account}:root"
    trust: dict[str, Any] = {"Principal": {"AWS": root if by_condition else arn}, "Action": "sts:AssumeRole"}
    if by_condition:
        trust["Condition"] = {"ArnEquals": {"aws:PrincipalArn": arn}}
    entered = aws(emulator, TARGET, "iam").create_role(
        RoleName=f"entered-{by_condition}", AssumeRolePolicyDocument=_document(**trust)
    )["Role"]["Arn"]
    caller, other = _caller(emulator, name), _caller(emulator, f"other-{by_condition}")
    assert (_can_enter(caller, entered), _can_enter(other, entered)) == (True, False)
    _delete(emulator, name)
    assert _can_enter(_caller(emulator, name), entered) is trusts_the_new_role
