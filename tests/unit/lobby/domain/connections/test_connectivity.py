"""Online status: the order of lifecycle events for any deliveries of AWS, and the status of a device in a target."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby.domain.connections.connectivity import (
    ConnectionChange,
    Connectivity,
    LifecycleEvent,
    Online,
    after,
    may_be_in_target,
    online_of,
)
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.names import Fingerprint, parse_target

MINUTE = 60_000
NOON = 1_795_348_800_000
"""2026-11-22T12:00:00Z"""
A = parse_target("1" * 12, "eu-west-1")
WAITING = Device(Fingerprint("1a" * 32), State.INLOBBY, "2026-11-22T11:00:00.000Z")


def connected(at: int = 0, session: str = "s1", version: int = 3) -> LifecycleEvent:
    return LifecycleEvent(ConnectionChange.CONNECTED, session, version, NOON + at)


def disconnected(at: int = MINUTE, session: str = "s1", version: int = 3) -> LifecycleEvent:
    return LifecycleEvent(ConnectionChange.DISCONNECTED, session, version, NOON + at)


def status_after(*events: LifecycleEvent, device: Device = WAITING) -> Connectivity | None:
    status: Connectivity | None = None
    for event in events:
        status = after(status, event, device)
    return status


def is_online(*events: LifecycleEvent) -> bool | None:
    status = status_after(*events)
    return None if status is None else status.online


@pytest.mark.parametrize(
    ("events", "online"),
    [
        pytest.param([connected()], True, id="connected"),
        pytest.param([connected(), disconnected()], False, id="disconnected"),
        pytest.param([disconnected(), connected()], False, id="the end of a connection first"),
        pytest.param([connected(), disconnected(-MINUTE)], False, id="the end has an earlier time"),
        pytest.param([connected(), disconnected(), connected()], False, id="the beginning again"),
        pytest.param([connected(), connected(5, "s2", 4), disconnected()], True, id="taken over, then the end"),
        pytest.param([disconnected(), connected(-MINUTE, "s2", 4)], True, id="a later version with an earlier time"),
        pytest.param([connected(0, "s2", 4), disconnected(2 * MINUTE)], True, id="an earlier version, a later time"),
        pytest.param([disconnected(0, "s1", 9), connected(61 * MINUTE, "s2", 0)], True, id="versions start again"),
        pytest.param([connected(61 * MINUTE, "s2", 0), disconnected(0, "s1", 9)], True, id="… and the old end is late"),
    ],
)
def test_the_status_is_that_of_the_last_connection(events: list[LifecycleEvent], online: bool) -> None:
    assert is_online(*events) is online


HERE, THERE = "lobby in eu-west-1", "lobby in us-east-1"


def at(place: str, event: LifecycleEvent) -> LifecycleEvent:
    return replace(event, place=place)


@pytest.mark.parametrize(
    ("events", "online"),
    [
        pytest.param(
            [at(HERE, connected(0, "s1", 57)), at(THERE, connected(MINUTE, "s2", 0))], True, id="connects elsewhere"
        ),
        pytest.param(
            [
                at(HERE, connected(0, "s1", 57)),
                at(THERE, connected(MINUTE, "s2", 0)),
                at(HERE, disconnected(2 * MINUTE, "s1", 57)),
            ],
            True,
            id="the old connection ends later",
        ),
        pytest.param(
            [
                at(HERE, disconnected(0, "s1", 57)),
                at(THERE, connected(-MINUTE, "s2", 0)),
                at(HERE, disconnected(20 * MINUTE, "s1", 57)),
                at(THERE, disconnected(30 * MINUTE, "s2", 0)),
            ],
            False,
            id="and then ends there",
        ),
        pytest.param(
            [at(HERE, disconnected(0, "s1", 57)), at(THERE, connected(-MINUTE, "s2", 0))],
            True,
            id="the end seems later than the new connection",
        ),
        pytest.param(
            [at(HERE, disconnected(0, "s1", 57)), at(THERE, connected(-9 * MINUTE, "s2", 90))],
            False,
            id="a connection from before is late",
        ),
        pytest.param(
            [at(HERE, connected(0, "s1", 1)), at(THERE, connected(-9 * MINUTE, "s2", 90))],
            True,
            id="a late one, online",
        ),
    ],
)
def test_regions_count_their_versions_separately(events: list[LifecycleEvent], online: bool) -> None:
    assert is_online(*events) is online


def test_a_repeated_event_changes_nothing() -> None:
    status = status_after(connected())
    assert after(status, connected(), WAITING) is status


@st.composite
def connections(draw: st.DrawFn) -> list[LifecycleEvent]:
    """Events in their true order, with AWS's versions, and times that are up to two minutes off."""
    events, now, version = list[LifecycleEvent](), NOON, draw(st.integers(0, 5))
    skew = st.integers(-2 * MINUTE, 2 * MINUTE)
    for number in range(draw(st.integers(1, 6))):
        session = f"session-{number}"
        events.append(LifecycleEvent(ConnectionChange.CONNECTED, session, version, now + draw(skew)))
        now += draw(st.integers(1, 200)) * draw(st.sampled_from([10, 1000, MINUTE]))
        events.append(LifecycleEvent(ConnectionChange.DISCONNECTED, session, version, now + draw(skew)))
        away = draw(st.sampled_from([10, 1000, MINUTE, 30 * MINUTE, 61 * MINUTE, 300 * MINUTE]))
        now += away
        version = 0 if away > 60 * MINUTE else version + draw(st.integers(1, 3))
    return events[: len(events) - draw(st.integers(0, 1))]


@given(connections(), st.data())
def test_duplicated_and_disordered_events_never_leave_a_wrong_status(
    events: list[LifecycleEvent], data: st.DataObject
) -> None:
    delivered = data.draw(st.permutations(events * 2))
    status = status_after(*delivered)
    assert status is not None
    assert status.last == events[-1]


@pytest.mark.parametrize(
    ("device", "may_be"),
    [
        (WAITING, False),
        (replace(WAITING, devstate=State.CLAIMED, target=A, generation=1), False),
        (replace(WAITING, devstate=State.COMMISSIONED), True),
        (replace(WAITING, devstate=State.ARRIVED), True),
        (replace(WAITING, devstate=State.FAILED, iotep="a.example"), True),
        (replace(WAITING, targets_to_clear=(A,)), True),
    ],
)
def test_a_device_may_be_in_a_target_that_it_was_sent_to(device: Device, may_be: bool) -> None:
    assert may_be_in_target(device) is may_be


IN_TARGET = replace(WAITING, devstate=State.ARRIVED, enteredat="2026-11-22T12:02:00.000Z")
SINCE = "2026-11-22T12:00:00.000Z"


@pytest.mark.parametrize(
    ("device", "events", "shown"),
    [
        pytest.param(WAITING, [], Online(), id="no event is known"),
        pytest.param(WAITING, [connected()], Online(True, SINCE), id="connected"),
        pytest.param(WAITING, [connected(-1), disconnected(0)], Online(False, SINCE), id="switched off"),
        pytest.param(IN_TARGET, [connected(-1), disconnected(0)], Online(), id="in its target"),
        pytest.param(IN_TARGET, [connected()], Online(), id="in its target, and the end in the lobby is not known"),
        pytest.param(
            replace(IN_TARGET, enteredat="2026-11-22T11:00:00.000Z"), [connected()], Online(True, SINCE), id="back"
        ),
        pytest.param(
            replace(WAITING, targets_to_clear=(A,)), [connected(-1), disconnected(0)], Online(), id="being released"
        ),
    ],
)
def test_an_unknown_status_is_neither_online_nor_offline(
    device: Device, events: list[LifecycleEvent], shown: Online
) -> None:
    assert online_of(device, status_after(*events, device=device)) == shown


def test_a_device_that_left_for_a_target_is_unknown_until_it_connects_to_the_lobby_again() -> None:
    left = status_after(connected(), disconnected(), device=IN_TARGET)
    assert online_of(WAITING, left) == Online()
    back = after(left, connected(9 * MINUTE, "s2", 4), WAITING)
    assert online_of(WAITING, back).online is True
    assert online_of(WAITING, after(back, disconnected(10 * MINUTE, "s2", 4), WAITING)).online is False
