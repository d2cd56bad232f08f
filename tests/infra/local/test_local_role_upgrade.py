"""The role of an earlier version's target stack moves to its own stack: it stays the same role and is always usable."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra import stack_names
from infra.cloud.role_upgrade import RoleUnknown, is_adoptable, retain_role, role_elsewhere
from infra.local.assembly import StackArtifact, deploy
from infra.teardown.regions import Found
from lobby.domain.targets.target import TARGET_ROLE
from tests.infra.local.empty_accounts import ELSEWHERE, HERE, ROLE, TARGET, Account, account

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
    """Return the role's unique id and its trusted principals."""
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
        assert not is_adoptable(session, HERE)
    deploy_new(account, stack_names.TARGET, TARGET, tmp_path)
    assert not retain_role(account.stack(), tmp_path, "DeviceLobbyRole-1")
    assert found(account) == (role_id, NEW_TRUST["Statement"])
    assert is_adoptable(session, HERE)
    deploy_new(account, stack_names.ROLE, role_template(tmp_path, DeletionPolicy="Retain"), tmp_path)
    assert not is_adoptable(session, HERE)
    deploy_new(account, stack_names.ROLE, role_template(tmp_path), tmp_path)
    assert found(account) == (role_id, NEW_TRUST["Statement"])
    account.remove()
    assert not account.has_role()


def test_an_account_without_the_role_has_nothing_to_move(account: Account, tmp_path: Path) -> None:
    session = account.emulator.session(account.id, HERE)
    assert not retain_role(account.stack(), tmp_path, "DeviceLobbyRole-1")
    assert not is_adoptable(session, HERE)


@pytest.mark.parametrize("name", [stack_names.ROLE, stack_names.TARGET], ids=["own stack", "stack of 0.2.0"])
def test_a_role_that_belongs_to_another_region_is_not_adopted(account: Account, name: str) -> None:
    account.deploy(name, ROLE, ELSEWHERE)
    session = account.emulator.session(account.id, HERE)
    assert role_elsewhere(session, HERE, [HERE, ELSEWHERE]) == ELSEWHERE
    assert role_elsewhere(account.emulator.session(account.id, ELSEWHERE), ELSEWHERE, [HERE, ELSEWHERE]) is None


def test_a_role_without_a_stack_is_not_adopted_while_a_region_is_unknown(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = account.emulator.session(account.id, HERE)
    assert role_elsewhere(session, HERE, [HERE]) is None
    account.client("iam").create_role(RoleName=TARGET_ROLE, AssumeRolePolicyDocument=json.dumps(NEW_TRUST))
    assert role_elsewhere(session, HERE, [HERE, ELSEWHERE]) is None
    assert is_adoptable(session, HERE)
    unknown = Found({stack_names.ROLE: (), stack_names.TARGET: ()}, (ELSEWHERE,))
    monkeypatch.setattr("infra.cloud.role_upgrade.regions_with", lambda *_: unknown)
    with pytest.raises(RoleUnknown, match=f"ROLE_UNKNOWN: .*{ELSEWHERE}"):
        role_elsewhere(session, HERE)
