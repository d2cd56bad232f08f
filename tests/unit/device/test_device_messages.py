"""Messages from hell: none kills a device, none that means nothing moves it, none of it fills log, disk or memory."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.inbox import MOST_WAITING, Inbox
from device.machine.events import Acked, Closed, Heard, Note, StopAsked, Store
from device.machine.plan import Endpoint
from device.machine.state import Phase
from device.storage import Storage
from lobby.wire import Reset, Route
from tests.unit.device.hell import NONSENSE, STRANGE
from tests.unit.device.platter import Platter
from tests.unit.device.walk import LOBBY, ROUTE, THING, Walk
from tests.unit.device.world import AN_HOUR, STATE, Broker, Line, Saying, World

HOME = ROUTE.encode()
NEWER = replace(ROUTE, generation=5, config="red")
_HOST = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")


@pytest.mark.parametrize("place", ["lobby", "target"])
@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_noted_and_moves_nothing(name: str, place: str) -> None:
    walk = Walk(route=ROUTE if place == "target" else None).arrive()
    before = walk.standing
    walk.hear(NONSENSE[name])
    assert walk.events == ["message_ignored"]
    assert walk.standing == before


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_strange_and_means_something_is_kept_and_leads_back_where_it_leads_nowhere(name: str) -> None:
    world = World({LOBBY: Saying(STRANGE[name]), Endpoint(ROUTE.iotep): Broker()})
    platter = Platter({"device": {}})
    world.live(lambda: world.counts["route_stored"], platter, AN_HOUR)
    kept = Storage(STATE, platter).load()
    assert kept.route is not None, kept.fault
    world.brokers[LOBBY] = Saying(Route(ROUTE.iotep, "x", 8883, 10**4000).encode())
    world.new_page()
    world.live(lambda: world.counts["alive_sent"], platter, AN_HOUR)
    assert not world.counts["fault"]
    assert Storage(STATE, platter).load().route != kept.route


class _Mad(Saying):
    """Says everything at once, over and over."""

    def subscribed(self, link: Line) -> None:
        super().subscribed(link)
        for message in self.messages:
            link.push(message)


def test_all_of_it_at_once_is_outlived_and_the_route_after_it_followed() -> None:
    world = World({LOBBY: _Mad(*NONSENSE.values(), HOME), Endpoint(ROUTE.iotep): _Mad(*NONSENSE.values())})
    world.live_for(AN_HOUR)
    assert world.counts["arrived_at_target"] == 1
    assert not world.counts["fault"]
    assert len(world.log) < 60 * (world.plan.timing.tell_at_most + 5)


def _means_something(payload: bytes) -> bool:
    """As anybody would judge it who has read the protocol and not the code."""
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    if not isinstance(body, dict):
        return False
    host = body.get("iotep")
    return body.get("config") == "factory reset" or (isinstance(host, str) and host != "" and set(host) <= _HOST)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just("factory reset"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)
_FIELDS = {"iotep": _VALUES | st.just("a.example"), "config": _VALUES, "port": _VALUES, "generation": _VALUES}
_TORN = st.builds(
    lambda whole, at, byte: whole[:at] + byte + whole[at + 1 :],
    st.sampled_from([HOME, NEWER.encode(), Reset().encode()]),
    st.integers(0, 60),
    st.binary(max_size=2),
)
PAYLOADS = st.one_of(
    st.binary(max_size=60),
    _VALUES.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional=_FIELDS).map(lambda body: json.dumps(body).encode()),
    _TORN,
    st.sampled_from([*NONSENSE.values(), *STRANGE.values()]),
)
TOPICS = st.sampled_from([f"lobby/{THING}"] * 4 + ["lobby/other", f"lobby/{THING}/", "", "\0", "lobby/+", "$aws/x"])


@settings(max_examples=300, deadline=None)
@given(st.none() | st.just(ROUTE), st.lists(st.tuples(TOPICS, PAYLOADS), min_size=1, max_size=12))
def test_no_message_kills_a_device_or_moves_it_unless_it_means_something(
    route: Route | None, said: list[tuple[str, bytes]]
) -> None:
    weigh(route, said)


def weigh(route: Route | None, said: list[tuple[str, bytes]]) -> None:
    """What the fuzz asks, for the bench, too."""
    walk = Walk(route=route).arrive()
    platter = Platter({"device": {"state": {}}})
    for topic, payload in said:
        walk.hear(payload, topic)
        meant = topic == f"lobby/{THING}" and _means_something(payload)
        assert walk.state.phase is Phase.SERVING or meant
        for kept in walk.done(Store):
            Storage(STATE, platter).store(kept.route)
            assert repr(Storage(STATE, platter).load().route) == repr(kept.route)
        if walk.state.phase is Phase.LEAVING:
            walk.goodbye().arrive()
    assert walk.state.next_deadline is not None


def test_what_fills_the_log_is_counted_instead() -> None:
    walk, lines = Walk().arrive(), 0
    for _ in range(5000):
        lines += len(walk.hear(b"nonsense").events)
    assert lines == walk.plan.timing.tell_at_most
    told = [note.fields for note in walk.later(61).done(Note) if note.event == "messages_untold"]
    assert told == [{"lines": 5000 - lines}]
    assert walk.feed(Acked(1)).hear(b"nonsense").events == ["message_ignored"]


@pytest.mark.parametrize("kept", [None, ROUTE], ids=["in lobby", "fallen back"])
def test_thousands_of_resets_in_the_lobby_ask_the_disk_once(kept: Route | None) -> None:
    world = World({LOBBY: Saying(*[Reset().encode()] * 1000)})
    platter = Platter({"device": {"state": {}}})
    if kept:
        Storage(STATE, platter).store(kept)
        world.brokers[Endpoint(kept.iotep)] = Saying(Reset().encode())
    world.live_for(600, platter)
    assert world.counts["route_forgotten"] == 1
    assert world.counts["hello_sent"] >= 9


def test_thousands_of_routes_on_the_way_out_ask_the_disk_twice() -> None:
    routes = [replace(ROUTE, generation=number) for number in range(1, 1001)]
    world = World({LOBBY: _Slow(*[route.encode() for route in routes]), Endpoint(ROUTE.iotep): Broker()})
    platter = Platter({"device": {"state": {}}})
    world.live_for(60, platter)
    assert world.counts["route_stored"] == 2
    assert Storage(STATE, platter).load().route == routes[-1]
    assert world.counts["arrived_at_target"] == 1


class _Slow(Saying):
    """Takes its time with a goodbye, and goes on talking; its messages come one by one."""

    def published(self, link: Line, topic: str) -> None:
        Broker.published(self, link, topic)
        for number, message in enumerate(self.messages):
            link.push(message, after=0.001 * number)

    def closed(self, link: Line) -> None:
        link.world.arrange(3, lambda: Broker.closed(self, link))


def test_a_route_not_yet_on_disk_when_the_device_is_stopped_is_kept() -> None:
    walk = Walk().arrive().hear(HOME).hear(NEWER.encode())
    assert not walk.done(Store)
    walk.feed(StopAsked()).feed(Closed(walk.state.link))
    assert walk.state.phase is Phase.ENDED
    assert walk.done(Store) == [Store(NEWER)]


def test_generations_that_go_backwards_are_followed_by_nobody_but_a_lobby_that_insists() -> None:
    older = [replace(ROUTE, generation=number) for number in (3, 2, 1, 0)]
    walk = Walk(route=ROUTE).arrive()
    for _ in range(3):
        for route in older:
            assert not walk.hear(route.encode()).done(Store)
    walk.fall_back()
    for route in older:
        assert not walk.hear(route.encode()).done(Store)
    assert walk.hear(older[-1].encode()).done(Store)


def test_more_messages_than_can_wait_are_dropped_and_counted_and_nothing_else_is() -> None:
    inbox = Inbox()
    for number in range(MOST_WAITING + 1000):
        inbox.put(Heard(1, "lobby/x", bytes(number)))
    for _ in range(200):
        inbox.put(Acked(1))
    assert inbox.count_dropped() == 1000
    assert inbox.count_dropped() == 0
    taken = [inbox.take(0) for _ in range(MOST_WAITING + 200)]
    assert taken.count(Acked(1)) == 200
    assert inbox.take(0) is None
