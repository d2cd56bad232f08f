"""The role of an earlier version's target stack moves to its own stack: the same role, usable all the time."""

import json
from pathlib import Path
from typing import Any

from infra import stack_names
from infra.cloud.role_upgrade import is_adoptable, retain_role
from infra.local.assembly import StackArtifact, deploy
from lobby.domain.target import TARGET_ROLE
from tests.infra.local.test_local_teardown import HERE, ROLE, TARGET, Account, account

__all__ = ["account"]
NEW_TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}


def role_template(directory: Path, **attributes: str) -> dict[str, Any]:
    """Write the new template of the role's stack and return it."""
    resource = ROLE["Resources"]["CommissionerRole"] | attributes
    resource["Properties"] = resource["Properties"] | {"AssumeRolePolicyDocument": NEW_TRUST}
    template = {"Resources": {"CommissionerRole": resource}}
    (directory / "DeviceLobbyRole-1.template.json").write_text(json.dumps(template))
    return template


def found(account: Account) -> tuple[str, Any]:
    """Return the role's unique id and whom it trusts."""
    role = account.client("iam").get_role(RoleName=TARGET_ROLE)["Role"]
    return role["RoleId"], role["AssumeRolePolicyDocument"]["Statement"]


def deploy_new(account: Account, name: str, template: dict[str, Any], directory: Path) -> None:
    path = directory / f"{name}.json"
    path.write_text(json.dumps(template))
    deploy(StackArtifact(name, "", path, (), None), {}, account.emulator.session(account.id, HERE).client)


def test_the_role_moves_to_its_own_stack_and_exists_all_the_time(account: Account, tmp_path: Path) -> None:
    account.deploy(stack_names.TARGET, {"Resources": TARGET["Resources"] | ROLE["Resources"]})
    session, role_id = account.emulator.session(account.id, HERE), found(account)[0]
    role_template(tmp_path)
    for _ in range(2):
        assert retain_role(account.stack(), tmp_path, "DeviceLobbyRole-1")
        assert found(account) == (role_id, NEW_TRUST["Statement"])
        assert not is_adoptable(session, account.stack(stack_names.ROLE))
    deploy_new(account, stack_names.TARGET, TARGET, tmp_path)
    assert not retain_role(account.stack(), tmp_path, "DeviceLobbyRole-1")
    assert found(account) == (role_id, NEW_TRUST["Statement"])
    assert is_adoptable(session, account.stack(stack_names.ROLE))
    deploy_new(account, stack_names.ROLE, role_template(tmp_path, DeletionPolicy="Retain"), tmp_path)
    assert not is_adoptable(session, account.stack(stack_names.ROLE))
    deploy_new(account, stack_names.ROLE, role_template(tmp_path), tmp_path)
    assert found(account) == (role_id, NEW_TRUST["Statement"])
    account.remove()
    assert not account.has_role()


def test_an_account_without_the_role_has_nothing_to_move(account: Account, tmp_path: Path) -> None:
    session = account.emulator.session(account.id, HERE)
    assert not retain_role(account.stack(), tmp_path, "DeviceLobbyRole-1")
    assert not is_adoptable(session, account.stack(stack_names.ROLE))
