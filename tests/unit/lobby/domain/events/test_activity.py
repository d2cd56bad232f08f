"""Which entries of histories the activity log contains, for each event and kind of actor."""

from typing import Final

import pytest

from lobby.domain.device import Entry
from lobby.domain.events.activity import activity_of
from lobby.domain.events.device_events import DeviceEvent
from lobby.domain.states import Event, State
from lobby.names import ActorKind
from tests.unit.lobby.domain.sample_devices import CERTID, A, T

BY_SERVICES: Final = {
    Event.ADMIT: False,
    Event.REFUSE: False,
    Event.HELLO: False,
    Event.CLAIM: True,
    Event.CONFIRM: True,
    Event.MISMATCH: False,
    Event.COMMISSION: False,
    Event.FAIL: False,
    Event.ARRIVE: False,
    Event.MOVE: True,
    Event.CONFIGURE: True,
    Event.RELEASE: True,
    Event.RETRY: True,
    Event.RETIRE: False,
    Event.REVOKE: True,
    Event.WAKE: True,
    Event.DEACTIVATE: True,
    Event.DUE: True,
    Event.RENEW: False,
    Event.PREPARE: True,
    Event.PREPARED: False,
    Event.EVACUATE: True,
    Event.RETURN: True,
    Event.STANDBY: False,
    Event.SUSPECT: True,
    Event.DISMISS: True,
    Event.QUARANTINE: True,
    Event.LIFT: True,
    **dict.fromkeys((Event.OFFER, Event.WITHDRAW, Event.TRANSFER, Event.ACCEPT), False),
}
"""Event → whether the log contains it if a service has caused it."""


def event_by(actor: str, event: Event) -> DeviceEvent:
    entry = Entry(CERTID, 3, T, actor, event, State.ARRIVED, State.CLAIMED, 2, "Region down", str(A), "0" * 64)
    return DeviceEvent(entry.with_hash(), None, "lobby")


@pytest.mark.parametrize("event", Event)
def test_each_event_of_a_service_is_classified(event: Event) -> None:
    assert (activity_of(event_by("service:arrivals", event)) is not None) is BY_SERVICES[event]


@pytest.mark.parametrize("event", [Event.PREPARE, Event.EVACUATE, Event.RETURN])
@pytest.mark.parametrize("kind", [ActorKind.USER, ActorKind.CAMPAIGN, ActorKind.SERVICE])
def test_the_change_of_a_standby_is_listed_with_its_actor_and_reason(kind: ActorKind, event: Event) -> None:
    activity = activity_of(event_by(f"{kind}:ann", event))
    assert activity is not None
    assert (activity.actor, activity.event, activity.target) == (f"{kind}:ann", event.value, str(A))
    assert activity.reason == "Region down"
