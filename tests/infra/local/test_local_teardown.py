"""Targets are removed from the local cloud: devices, stack, then the role. The local cloud refuses the same calls as
AWS."""

import pytest

from infra import stack_names
from infra.errors import InfraError
from infra.teardown.regions import regions_with
from infra.teardown.stacks import IOT_POLICY
from infra.teardown.target import TargetRemoval
from lobby.domain.targets.target import TARGET_ROLE
from lobby.names import Target
from tests.infra.local.empty_accounts import ELSEWHERE, HERE, POLICY, ROLE, TARGET, Account, account

__all__ = ["account"]


def test_a_target_is_removed_with_its_devices_and_its_role(account: Account) -> None:
    account.deploy(stack_names.TARGET, TARGET)
    account.deploy(stack_names.ROLE, ROLE)
    account.register("sensor-1")
    account.remove()
    assert account.left() == (0, 0)
    assert (account.stack().status(), account.has_role()) == (None, False)


def test_a_removal_can_be_repeated_after_its_end(account: Account) -> None:
    account.deploy(stack_names.TARGET, TARGET)
    account.remove()
    assert account.remove() == []


def test_the_role_stays_for_the_other_regions_of_the_account(account: Account) -> None:
    account.deploy(stack_names.TARGET, TARGET)
    account.deploy(stack_names.ROLE, ROLE)
    account.deploy(stack_names.TARGET, TARGET, ELSEWHERE)
    assert f"the role {TARGET_ROLE} stays: targets in eu-north-1" in account.remove()
    assert account.has_role()


def test_the_role_is_removed_with_the_last_target_also_from_another_region(account: Account) -> None:
    account.deploy(stack_names.ROLE, ROLE, ELSEWHERE)
    account.deploy(stack_names.TARGET, TARGET)
    account.remove()
    assert not account.has_role()


def test_removing_a_stack_of_an_earlier_version_keeps_the_role_of_other_regions(account: Account) -> None:
    account.deploy(stack_names.TARGET, {"Resources": TARGET["Resources"] | ROLE["Resources"]})
    account.deploy(stack_names.TARGET, TARGET, ELSEWHERE)
    with pytest.raises(InfraError, match=r"ROLE_IN_STACK: .*eu-north-1.*deploy\.sh target"):
        account.remove()
    assert account.stack().status() == "CREATE_COMPLETE"


def test_kept_devices_keep_their_policies_in_the_stack(account: Account) -> None:
    account.deploy(stack_names.TARGET, TARGET)
    device = account.register("sensor-1")
    for _ in range(2):
        account.remove(keep_devices=True)
        assert account.left() == (1, 1)
        assert account.stack().resources(IOT_POLICY) == [POLICY]
        assert account.stack().resources("AWS::SNS::Topic") == []
        attached = account.client("iot").list_attached_policies(target=device)["policies"]
        assert [each["policyName"] for each in attached] == [POLICY]
    account.remove()
    assert (account.left(), account.stack().status()) == ((0, 0), None)


def test_a_stack_whose_policy_is_attached_cannot_be_deleted_and_names_it(account: Account) -> None:
    account.deploy(stack_names.TARGET, TARGET)
    account.register("sensor-1")
    with pytest.raises(InfraError, match=r"STACK_NOT_DELETED: .*DELETE_FAILED: DefaultPolicy \(.*attached"):
        account.stack().delete(lambda _line: None)
    account.remove()
    assert account.stack().status() is None


def test_a_region_that_does_not_answer_is_unknown(account: Account) -> None:
    session = account.emulator.session(account.id, HERE)
    session.endpoint_url = "http://127.0.0.1:9"
    assert regions_with(session, [stack_names.TARGET], [HERE]).unknown == (HERE,)


def test_a_thing_type_is_deprecated_first_and_deleted_five_minutes_later(account: Account) -> None:
    kind = {"Type": "AWS::IoT::ThingType", "Properties": {"ThingTypeName": "sensor"}}
    account.deploy(stack_names.TARGET, {"Resources": TARGET["Resources"] | {"Kind": kind}})
    waits: list[float] = []
    lines: list[str] = []
    removal = TargetRemoval(
        account.emulator.session(account.id, HERE),
        Target(account.id, HERE),
        lines.append,
        waits.append,
        regions=(HERE,),
    )
    with pytest.raises(InfraError, match=r"STACK_NOT_DELETED: .*Kind"):
        removal.run(keep_devices=False)  # the emulator's clock has not advanced
    assert 290 < waits[0] <= 300
    assert "AWS deletes the thing type sensor 5 minutes after its deprecation" in lines[0]
    metadata = account.client("iot").describe_thing_type(thingTypeName="sensor")["thingTypeMetadata"]
    assert metadata["deprecated"]
