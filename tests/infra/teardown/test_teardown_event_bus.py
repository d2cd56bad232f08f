"""Rules that others have added to the lobby's event bus: EventBridge does not delete a bus that has rules."""

from typing import Any

import boto3
import pytest

from infra.teardown import lobby
from infra.teardown.lobby_regions import WholeRemoval
from infra.teardown.target import NotRemoved
from tests.aws import HOME, Calls, client

BUS = "device-lobby"
OWN = "device-lobby-notice-waiting"


class DeployedStack:
    """The lobby's stack with one rule. It can be read and not changed."""

    def __init__(self, status: str | None) -> None:
        self._status = status

    def status(self) -> str | None:
        return self._status

    def resources(self, kind: str) -> list[str]:
        return [f"{BUS}|{OWN}"] if kind == "AWS::Events::Rule" and self._status else []


@pytest.fixture
def bus(calls: Calls) -> Any:
    events = client("events")
    events.create_event_bus(Name=BUS)
    return events


def removal(monkeypatch: pytest.MonkeyPatch, status: str | None = "CREATE_COMPLETE") -> lobby.LobbyRemoval:
    monkeypatch.setattr(lobby, "Stack", lambda *_: DeployedStack(status))
    return lobby.LobbyRemoval(boto3.Session(region_name=HOME.region), HOME, lambda _line: None)


def add(events: Any, *rules: str) -> None:
    for name in rules:
        events.put_rule(Name=name, EventBusName=BUS, EventPattern='{"source": ["x"]}', State="ENABLED")


@pytest.mark.parametrize("keep_devices", [True, False])
def test_nothing_is_removed_while_others_have_rules_on_the_bus(
    bus: Any, monkeypatch: pytest.MonkeyPatch, keep_devices: bool
) -> None:
    add(bus, OWN, "to-my-queue", "archive-of-ours")
    bus_name = f"{BUS} in {HOME.region}"
    expected = f"RULES_LEFT: got 2 rules of others on the event bus {bus_name}: archive-of-ours, to-my-queue; delete"
    with pytest.raises(NotRemoved, match=expected):
        removal(monkeypatch).run(keep_devices=keep_devices)


@pytest.mark.parametrize("with_rules", range(3))
def test_no_door_is_closed_while_a_bus_of_any_region_has_rules_of_others(with_rules: int) -> None:
    changed: list[str] = []

    class Removal:
        def __init__(self, number: int) -> None:
            self._number = number

        def require_own_rules(self) -> None:
            if self._number == with_rules:
                raise NotRemoved("RULES_LEFT", "got 1 rule")

        def stop_admissions(self) -> None:
            changed.append("doors")

        def run(self, **_: bool) -> None:
            changed.append("stack")

    regions: Any = {name: Removal(number) for number, name in enumerate(("eu-west-1", "eu-central-1", "us-east-1"))}
    with pytest.raises(NotRemoved, match="RULES_LEFT"):
        WholeRemoval(regions, changed.append).run(keep_devices=False)
    assert changed == []


def test_the_rules_of_the_stack_are_its_own(bus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    add(bus, OWN)
    removal(monkeypatch).require_own_rules()


def test_a_lobby_without_a_stack_needs_no_check(bus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    add(bus, "to-my-queue")
    removal(monkeypatch, status=None).require_own_rules()


def test_a_lobby_without_a_bus_has_no_rules(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    removal(monkeypatch).require_own_rules()
