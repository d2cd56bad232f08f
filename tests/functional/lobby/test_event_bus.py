"""The event bus: only events that a rule can match are sent, because EventBridge would discard and bill the others."""

import pytest
from botocore.exceptions import ClientError

from lobby.aws.bus_rules import BusRules
from lobby.aws.event_bus import EventBus
from lobby.domain.device import GENESIS, Entry
from lobby.domain.events.device_events import DeviceEvent
from lobby.domain.states import Event
from lobby.names import Fingerprint
from tests.functional.lobby.fake_bus import FakeBus

ONE = Fingerprint("1a" * 32)


def happened(*events: Event) -> list[DeviceEvent]:
    entries = [
        Entry(ONE, seq, "2026-11-30T12:00:00.000Z", "user:ann", event, None, None, 0, None, None, GENESIS)
        for seq, event in enumerate(events, 1)
    ]
    return [DeviceEvent(entry, None, "123456789012/eu-west-1") for entry in entries]


CLAIM, REVOKE = happened(Event.CLAIM, Event.REVOKE)


@pytest.fixture
def fake() -> FakeBus:
    return FakeBus()


@pytest.fixture
def bus(fake: FakeBus) -> EventBus:
    return EventBus(fake, "device-lobby", BusRules(fake, "device-lobby").wanted, lambda _attempt: None)


def test_only_events_that_a_rule_can_match_are_sent(bus: EventBus, fake: FakeBus) -> None:
    fake.patterns = [{"detail-type": ["device.admit"]}, {"detail-type": ["device.revoke"]}]
    assert bus.publish([CLAIM, REVOKE]) == {}
    assert fake.ids == [REVOKE.id]


def test_nothing_is_sent_if_no_rule_matches(bus: EventBus, fake: FakeBus) -> None:
    fake.patterns = [{"detail-type": ["device.admit"]}]
    fake.fails = ClientError({"Error": {"Code": "InternalFailure"}}, "PutEvents")
    assert bus.publish([CLAIM, REVOKE]) == {}
    assert fake.calls == []


def test_a_new_rule_receives_the_next_event(bus: EventBus, fake: FakeBus) -> None:
    fake.patterns = [{"detail-type": ["device.admit"]}]
    bus.publish([CLAIM])
    fake.patterns.append({"detail-type": [{"prefix": "device."}]})
    bus.publish([REVOKE])
    assert (fake.ids, fake.listed) == ([REVOKE.id], 2)


def test_every_event_is_sent_if_the_rules_cannot_be_read(bus: EventBus, fake: FakeBus) -> None:
    fake.rules_fail = ClientError({"Error": {"Code": "ThrottlingException"}}, "ListRules")
    assert bus.publish([CLAIM, REVOKE]) == {}
    assert fake.ids == [CLAIM.id, REVOKE.id]


def test_the_rules_are_not_read_without_events(bus: EventBus, fake: FakeBus) -> None:
    assert bus.publish([]) == {}
    assert fake.listed == 0
