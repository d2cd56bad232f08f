"""AWS IoT's rules for the attributes, types and groups of things."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.registry_limits import attributes_problem, group_problem, updated
from tests.infra.local.emulated_cloud import aws


def attributes(number: int) -> dict[str, str]:
    return {f"name{each}": "value" for each in range(number)}


@pytest.fixture
def iot(emulator: Emulator) -> Any:
    return aws(emulator, 1, "iot")


@pytest.fixture
def types(iot: Any) -> tuple[str, str]:
    """A thing type, and a deprecated one."""
    for name in ("current", "former"):
        iot.create_thing_type(thingTypeName=name)
    iot.deprecate_thing_type(thingTypeName="former")
    return "current", "former"


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("given", "has_type", "problem"),
    [
        (attributes(3), False, None),
        (attributes(4), False, "got 4 attributes of a thing without a type, want 3"),
        (attributes(50), True, None),
        (attributes(51), True, "got 51 attributes of a thing with a type, want 50"),
        ({"a" * 128: "x" * 800}, False, None),
        ({"a" * 129: "x"}, False, "want a name"),
        ({"a": "x" * 801}, False, "want a value"),
        ({"a b": "x"}, False, "want a name"),
        ({"a": "b c"}, False, "want a value"),
        ({"a": "=[]"}, False, None),
        ({"a=": "x"}, False, "want a name"),
    ],
)
def test_attributes_have_limits(given: dict[str, str], has_type: bool, problem: str | None) -> None:
    found = attributes_problem(given, has_type=has_type)
    assert found is None if problem is None else problem in str(found)


def test_an_empty_value_removes_an_attribute() -> None:
    assert updated({"a": "1", "b": "2"}, {"attributes": {"a": ""}, "merge": True}) == {"b": "2"}
    assert updated({"a": "1", "b": "2"}, {"attributes": {"c": "3"}}) == {"c": "3"}


def test_a_thing_is_in_ten_groups_and_in_one_of_a_hierarchy() -> None:
    groups: dict[str, Any] = {f"group{number}": {} for number in range(11)}
    groups["child"] = {"thingGroupMetadata": {"parentGroupName": "group0"}}
    groups["grandchild"] = {"thingGroupMetadata": {"parentGroupName": "child"}}
    ten = [f"group{number}" for number in range(10)]
    assert group_problem("group10", ten[:9], groups) is None
    assert "want at most 10" in str(group_problem("group10", ten, groups))
    assert group_problem("group9", ten, groups) is None, "the thing is in it already"
    assert "same hierarchy" in str(group_problem("grandchild", ["group0"], groups))
    assert group_problem("grandchild", ["group1", "deleted"], groups) is None


def test_a_thing_with_too_many_attributes_is_not_created(iot: Any, types: tuple[str, str]) -> None:
    with pytest.raises(ClientError, match="without a type") as refused:
        iot.create_thing(thingName="many", attributePayload={"attributes": attributes(4)})
    assert code(refused) == "InvalidRequestException"
    iot.create_thing(thingName="many", thingTypeName=types[0], attributePayload={"attributes": attributes(4)})


def test_a_thing_keeps_its_type_while_it_has_too_many_attributes_without_one(iot: Any, types: tuple[str, str]) -> None:
    iot.create_thing(thingName="typed", thingTypeName=types[0], attributePayload={"attributes": attributes(4)})
    with pytest.raises(ClientError, match="got 4 attributes of a thing without a type"):
        iot.update_thing(thingName="typed", removeThingType=True)
    removal = {"attributes": {"name0": ""}, "merge": True}
    iot.update_thing(thingName="typed", removeThingType=True, attributePayload=removal)
    assert "thingTypeName" not in iot.describe_thing(thingName="typed")


def test_no_thing_gets_a_deprecated_type(iot: Any, types: tuple[str, str]) -> None:
    current, former = types
    with pytest.raises(ClientError, match="deprecated thing type: former") as refused:
        iot.create_thing(thingName="new", thingTypeName=former)
    assert code(refused) == "InvalidRequestException"
    iot.create_thing(thingName="changing", thingTypeName=current)
    with pytest.raises(ClientError, match="deprecated thing type: former"):
        iot.update_thing(thingName="changing", thingTypeName=former)


def test_a_thing_keeps_a_type_that_was_deprecated_later(iot: Any) -> None:
    iot.create_thing_type(thingTypeName="ageing")
    iot.create_thing(thingName="old", thingTypeName="ageing")
    iot.deprecate_thing_type(thingTypeName="ageing")
    iot.update_thing(thingName="old", attributePayload={"attributes": attributes(5)})
    assert iot.describe_thing(thingName="old")["thingTypeName"] == "ageing"


def test_a_type_has_three_searchable_attributes(iot: Any) -> None:
    with pytest.raises(ClientError, match="got 4 searchable attributes"):
        iot.create_thing_type(thingTypeName="four", thingTypeProperties={"searchableAttributes": ["a", "b", "c", "d"]})


def test_a_thing_is_not_added_to_two_groups_of_a_hierarchy(iot: Any) -> None:
    iot.create_thing(thingName="grouped")
    iot.create_thing_group(thingGroupName="root")
    for name in ("left", "right"):
        iot.create_thing_group(thingGroupName=name, parentGroupName="root")
    iot.add_thing_to_thing_group(thingGroupName="left", thingName="grouped")
    with pytest.raises(ClientError, match="same hierarchy"):
        iot.add_thing_to_thing_group(thingGroupName="right", thingName="grouped")
    iot.remove_thing_from_thing_group(thingGroupName="left", thingName="grouped")
    iot.add_thing_to_thing_group(thingGroupName="right", thingName="grouped")
