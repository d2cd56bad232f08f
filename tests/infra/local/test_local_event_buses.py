"""EventBridge does not delete a bus with rules or a rule with targets, and refuses single events."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.emulator import Emulator
from infra.local.ministack.event_buses import MAX_BYTES, entry_problem, size_of
from tests.infra.local.emulated_cloud import aws, queue, until

TEMPLATE = json.dumps(
    {
        "Resources": {
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "of-stack"}},
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {"Name": "own", "EventBusName": {"Ref": "Bus"}, "EventPattern": {"source": ["x"]}},
            },
        }
    }
)


def entry(bus: str = "default", **changed: Any) -> dict[str, Any]:
    return {"Source": "lobby", "DetailType": "device.claim", "Detail": "{}", "EventBusName": bus} | changed


@pytest.fixture
def events(emulator: Emulator) -> Any:
    return aws(emulator, 1, "events")


def add_rule(events: Any, bus: str, name: str = "others") -> None:
    events.put_rule(Name=name, EventBusName=bus, EventPattern='{"source": ["lobby"]}')


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"Source": ""}, "InvalidArgument"),
        ({"DetailType": None}, "InvalidArgument"),
        ({"Detail": None}, "InvalidArgument"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Detail": "{"}, "MalformedDetail"),
    ],
)
def test_an_event_needs_a_source_a_type_and_an_object_as_detail(changed: dict[str, Any], code: str | None) -> None:
    problem = entry_problem(entry(**changed))
    assert (problem and problem[0]) == code


def test_the_size_of_an_event_is_that_of_its_texts_and_its_time() -> None:
    assert size_of(entry()) == len("lobby" + "device.claim" + "{}")
    assert size_of(entry(Source="ü", Time=0, Resources=["abc"])) == 2 + len("device.claim" + "{}" + "abc") + 14


def test_a_bus_with_rules_and_a_rule_with_targets_are_not_deleted(emulator: Emulator) -> None:
    events, (_, arn) = aws(emulator, 0, "events"), queue(emulator, "events-of-others")
    events.create_event_bus(Name="shared")
    add_rule(events, "shared")
    events.put_targets(Rule="others", EventBusName="shared", Targets=[{"Id": "queue", "Arn": arn}])
    with pytest.raises(ClientError, match=r"ValidationException.* EventBus can't be deleted since it has rules\."):
        events.delete_event_bus(Name="shared")
    with pytest.raises(ClientError, match=r"ValidationException.* Rule can't be deleted since it has targets\."):
        events.delete_rule(Name="others", EventBusName="shared")
    assert [each["Name"] for each in events.list_rules(EventBusName="shared")["Rules"]] == ["others"]
    events.remove_targets(Rule="others", EventBusName="shared", Ids=["queue"])
    events.delete_rule(Name="others", EventBusName="shared")
    events.delete_event_bus(Name="shared")


def test_a_stack_is_not_deleted_while_others_have_rules_on_its_bus(emulator: Emulator, events: Any) -> None:
    stacks = aws(emulator, 1, "cloudformation")
    stacks.create_stack(StackName="bus", TemplateBody=TEMPLATE)
    stacks.get_waiter("stack_create_complete").wait(StackName="bus", WaiterConfig={"Delay": 0.1})
    add_rule(events, "of-stack")
    stacks.delete_stack(StackName="bus")
    until(lambda: stacks.describe_stacks(StackName="bus")["Stacks"][0]["StackStatus"] == "DELETE_FAILED")
    assert [each["Name"] for each in events.list_rules(EventBusName="of-stack")["Rules"]] == ["others"]
    events.delete_rule(Name="others", EventBusName="of-stack")
    stacks.delete_stack(StackName="bus")
    stacks.get_waiter("stack_delete_complete").wait(StackName="bus", WaiterConfig={"Delay": 0.1})


def test_events_are_refused_one_by_one(events: Any) -> None:
    bad = entry(Detail="no object")
    answer = events.put_events(Entries=[entry(), bad, entry()])
    assert answer["FailedEntryCount"] == 1
    assert [each.get("ErrorCode") for each in answer["Entries"]] == [None, "MalformedDetail", None]
    assert events.put_events(Entries=[bad])["FailedEntryCount"] == 1


def test_a_request_with_too_many_bytes_is_refused(events: Any) -> None:
    half = entry(Detail=json.dumps({"text": "x" * (MAX_BYTES // 2)}))
    assert events.put_events(Entries=[half])["FailedEntryCount"] == 0
    with pytest.raises(ClientError, match=r"ValidationException.*over the limit"):
        events.put_events(Entries=[half, half])
