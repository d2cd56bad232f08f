"""The journey, event by event."""

import json
from dataclasses import replace

import pytest

from device.machine.advance import advance
from device.machine.events import (
    Acked,
    Begin,
    Close,
    Closed,
    Exit,
    Failed,
    Forget,
    Granted,
    NotSaved,
    Open,
    Opened,
    Publish,
    ResetAsked,
    Saved,
    StopAsked,
    Store,
    Subscribe,
    Trouble,
)
from device.machine.plan import Plan, Timing
from device.machine.state import Phase, Place, State, Timer
from lobby.wire import HELLO_TOPIC, Reset, Route
from tests.unit.device.walk import LOBBY, OTHER_LOBBY, PLAN, ROUTE, THING, Walk


def test_without_a_route_the_lobby_is_dialled_and_listened_to_before_a_word_is_said() -> None:
    walk = Walk()
    assert walk.done(Open) == [Open(1, LOBBY)]
    walk.feed(Opened(1))
    assert walk.done(Subscribe) == [Subscribe(1, f"lobby/{THING}")]
    assert not walk.done(Publish)
    walk.feed(Granted(1))
    assert [p.topic for p in walk.done(Publish)] == [HELLO_TOPIC]


def test_with_a_route_the_target_is_dialled_first() -> None:
    walk = Walk(route=ROUTE)
    assert [str(one.endpoint) for one in walk.done(Open)] == ["target.example:8883"]
    walk.arrive()
    assert walk.state.place is Place.TARGET


def test_after_a_death_another_is_asked_first_as_it_may_have_been_the_first_one_that_it_died_of() -> None:
    plan, asked = replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY)), list[str]()
    for deaths in range(6):
        _, actions = advance(State(), Begin(ROUTE, deaths), plan=plan, now=0, draw=lambda _, longest: longest)
        asked += [one.endpoint.host for one in actions if isinstance(one, Open)]
    assert asked == [f"{who}.example" for who in ("target", "lobby-1", "target", "lobby-2", "target", "lobby-1")]
    _, actions = advance(State(), Begin(None, 1), plan=plan, now=0, draw=lambda _, longest: longest)
    assert [one.endpoint for one in actions if isinstance(one, Open)] == [OTHER_LOBBY]


def test_the_hello_is_repeated_only_after_the_last_one_was_acknowledged() -> None:
    walk = Walk().arrive()
    assert walk.later(60 * 1.1).done(Publish)
    walk.feed(Acked(1))
    assert not walk.later(60).done(Publish)
    assert walk.later(10).done(Publish)


def test_a_route_is_stored_before_the_lobby_is_left_and_its_target_dialled() -> None:
    walk = Walk().arrive().hear(ROUTE.encode())
    kept = [type(action) for action in walk.last if isinstance(action, Store | Close)]
    assert kept == [Store, Close]
    walk.goodbye()
    assert [str(one.endpoint) for one in walk.done(Open)] == ["target.example:8883"]
    assert "arrived_at_target" in [*walk.feed(Opened(2)).events, *walk.feed(Granted(2)).events]


def test_a_route_without_a_port_means_the_port_in_use() -> None:
    walk = Walk(replace(PLAN, lobbies=(OTHER_LOBBY,))).arrive().hear(b'{"iotep":"t.example","config":"x"}')
    assert walk.done(Store) == [Store(Route("t.example", "x", 8884, None))]


def test_a_first_connect_that_is_hung_up_is_tried_again_soon_at_the_same_lobby() -> None:
    walk = Walk(replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY)))
    waits = []
    for _ in range(2):
        walk.fail(Trouble.REFUSED)
        waits.append(walk.longest_wait)
        walk.later(walk.longest_wait)
        assert walk.done(Open)[0].endpoint == LOBBY
    assert waits == [1.5, 3.0]


def test_a_device_that_stays_refused_knocks_ever_more_rarely_and_at_every_lobby() -> None:
    walk = Walk(replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY)))
    start, dialled = walk.now, []
    for _ in range(40):
        walk.fail(Trouble.REFUSED).later(walk.longest_wait)
        dialled.append(walk.done(Open)[0].endpoint)
    assert {LOBBY, OTHER_LOBBY} == set(dialled)
    assert walk.now - start > 30 * 59


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.SILENT, Trouble.UNTRUSTED, Trouble.LOCAL])
def test_a_lobby_that_is_not_there_gives_way_to_the_next_at_once(trouble: Trouble) -> None:
    walk = Walk(replace(PLAN, lobbies=(LOBBY, OTHER_LOBBY))).fail(trouble).later(0)
    assert [one.endpoint for one in walk.done(Open)] == [OTHER_LOBBY]
    assert walk.fail(trouble).longest_wait == 1.5


@pytest.mark.parametrize("heard", [[], [Opened(1)], [Opened(1), Granted(1)]], ids=["connect", "suback", "puback"])
def test_a_broker_that_owes_an_answer_too_long_is_given_up(heard: list[Opened | Granted]) -> None:
    walk = Walk()
    for event in heard:
        walk.feed(event)
    walk.later(10)
    assert walk.done(Close) == [Close(1)]
    assert walk.state.phase is Phase.RESTING


def test_a_target_that_stays_unreachable_sends_the_device_to_the_lobby_with_its_route_kept() -> None:
    walk = Walk(route=ROUTE)
    walk.fail().later(walk.longest_wait).fail().later(walk.longest_wait).fail()
    assert "fallback_to_lobby" in walk.events
    assert not walk.done(Forget)
    assert walk.later(walk.longest_wait).done(Open)[0].endpoint == LOBBY
    assert walk.state.route == ROUTE


def test_a_target_that_fails_for_long_sends_the_device_to_the_lobby_however_few_the_attempts() -> None:
    walk = Walk(replace(PLAN, timing=Timing(fallback_attempts=1000, fallback_seconds=20, retry_base=8)), route=ROUTE)
    while walk.state.place is Place.TARGET:
        walk.fail().later(walk.longest_wait)
    assert walk.now - 1000 < 40


def test_a_connection_that_never_holds_counts_as_failing() -> None:
    walk = Walk(route=ROUTE)
    for _ in range(3):
        walk.arrive().fail(Trouble.REFUSED).later(walk.longest_wait)
    assert walk.state.place is Place.LOBBY


def test_a_connection_that_held_starts_the_count_anew() -> None:
    walk = Walk(route=ROUTE)
    for _ in range(6):
        walk.arrive().later(31).fail(Trouble.REFUSED).later(walk.longest_wait)
    assert walk.state.place is Place.TARGET
    assert walk.state.failures == 1


def test_the_same_route_after_a_fallback_is_tried_again_with_growing_patience() -> None:
    walk, waits = Walk(route=ROUTE), []
    for _ in range(4):
        walk.fall_back().hear(ROUTE.encode())
        assert walk.events[-1] == "route_repeated"
        waits.append(walk.state.deadlines[Timer.REVISIT] - walk.now)
        while walk.state.phase is not Phase.LEAVING:
            walk.later(walk.longest_wait).feed(Acked(walk.state.link))
        walk.goodbye()
        assert str(walk.state.endpoint) == "target.example:8883"
    assert waits == sorted(waits)
    assert waits[-1] > 7 * waits[0]


def test_after_a_fallback_a_new_route_is_followed_at_once() -> None:
    walk = Walk(route=ROUTE).fall_back().hear(replace(ROUTE, generation=5).encode())
    assert walk.done(Store)
    assert str(walk.goodbye().state.endpoint) == "target.example:8883"


def test_with_lobby_and_target_both_gone_the_device_looks_at_the_two_in_turn() -> None:
    walk, dialled = Walk(route=ROUTE), set[tuple[bool, str]]()
    for _ in range(60):
        walk.fail().later(walk.longest_wait)
        dialled.update((walk.now > 2000, one.endpoint.host) for one in walk.done(Open))
    assert {(True, "lobby-1.example"), (True, "target.example")} <= dialled


@pytest.mark.parametrize(
    ("payload", "topic"),
    [
        (b"", None),
        (b"\xff\xfe\x00", None),
        (b"not json", None),
        (b"[]", None),
        (b"null", None),
        (b"42", None),
        (b"{}", None),
        (b'{"iotep": 7}', None),
        (b'{"iotep": "a b"}', None),
        (b'{"iotep": "t.example", "config": 3}', None),
        (b'{"iotep": "t.example", "config": "x", "port": 99999}', None),
        (b'{"iotep": "t.example", "config": "x", "generation": true}', None),
        (b"[" * 100_000, None),
        (b'{"a":' * 50_000, None),
        (b" " * 200_000, None),
        (b"9" * 10_000, None),
        (Reset().encode(), "lobby/another"),
        (ROUTE.encode(), f"lobby/{THING}/x"),
    ],
)
@pytest.mark.parametrize("route", [None, Route("elsewhere.example", "x", 8883, 1)], ids=["in lobby", "in target"])
def test_any_other_message_is_noted_and_ignored(payload: bytes, topic: str | None, route: Route | None) -> None:
    walk = Walk(route=route).arrive()
    before = walk.standing
    walk.hear(payload, topic or f"lobby/{THING}")
    assert walk.events == ["message_ignored"]
    assert walk.standing == before


def test_a_reset_in_the_target_forgets_the_route_and_leads_to_the_lobby() -> None:
    walk = Walk(route=ROUTE).arrive().hear(Reset().encode())
    assert walk.done(Forget)
    assert walk.done(Close)
    assert walk.goodbye().done(Open)[0].endpoint == LOBBY
    assert walk.arrive().hear(replace(ROUTE, generation=1).encode()).done(Store)


@pytest.mark.parametrize("phase", ["connecting", "resting", "serving"])
def test_a_reset_by_command_works_in_every_phase(phase: str) -> None:
    walk = Walk(route=ROUTE)
    if phase == "resting":
        walk.fail()
    elif phase == "serving":
        walk.arrive()
    walk.feed(ResetAsked())
    assert walk.done(Forget)
    if phase != "resting":
        walk.feed(Closed(walk.state.link))
    walk.later(0)
    assert walk.state.endpoint == LOBBY


def test_a_reset_in_the_lobby_forgets_and_stays_connected() -> None:
    walk = Walk(route=ROUTE).fall_back().hear(Reset().encode())
    assert walk.done(Forget)
    assert not walk.done(Close)


def test_a_device_sent_to_and_fro_waits_longer_each_time() -> None:
    walk, start = Walk().arrive(), 1000.0
    for _ in range(12):
        for message in (ROUTE, Reset()):
            walk.hear(message.encode()).goodbye()
            walk.later(walk.longest_wait if walk.state.phase is Phase.RESTING else 0).arrive()
    assert walk.now - start > 600


def test_an_older_route_is_ignored_in_the_target_however_often_it_comes() -> None:
    walk = Walk(route=ROUTE).arrive()
    for _ in range(3):
        walk.hear(Route("old.example", "x", 8883, 3).encode())
        assert walk.events == ["route_received", "message_ignored"]


def test_an_older_route_is_believed_when_the_lobby_repeats_it() -> None:
    older = Route("old.example", "x", 8883, 3)
    walk = Walk(route=ROUTE).fall_back().hear(older.encode())
    assert walk.events == ["route_received", "message_ignored"]
    assert walk.hear(older.encode()).done(Store) == [Store(older)]


@pytest.mark.parametrize(
    "heard",
    [
        Route("next.example", "blue", None, 5),
        Route("target.example", "blue", 8884, 5),
        Route("target.example.next.example", "blue", None, 5),
        Route("lobby-1.example", "blue", None, 5),
        Route("target.example", "red", None, None),
    ],
    ids=["another host", "another port", "a longer name", "the lobby", "no generation"],
)
def test_a_target_sends_the_device_nowhere_but_back(heard: Route) -> None:
    walk = Walk(route=ROUTE).arrive()
    before = walk.standing
    for _ in range(3):
        walk.hear(heard.encode())
        assert walk.events == ["route_received", "message_ignored"]
    assert walk.standing == before
    assert walk.hear(Reset().encode()).goodbye().state.endpoint == LOBBY


def test_what_a_target_said_of_another_place_does_not_make_the_lobby_believed_sooner() -> None:
    older = Route("old.example", "x", 8883, 3)
    walk = Walk(route=ROUTE).arrive().hear(older.encode()).fall_back()
    assert walk.state.place is Place.LOBBY
    assert walk.hear(older.encode()).events == ["route_received", "message_ignored"]


def test_only_a_new_config_is_stored_and_the_device_comes_anew_so_that_the_target_sees_it() -> None:
    walk = Walk(route=ROUTE).arrive().hear(replace(ROUTE, config={"led": 1}, generation=5).encode())
    assert walk.done(Store)
    assert walk.done(Close)
    assert walk.goodbye().done(Open)[0].endpoint.host == ROUTE.iotep


def test_the_route_it_is_already_on_changes_nothing() -> None:
    walk = Walk(route=ROUTE).arrive().hear(ROUTE.encode())
    assert walk.events == ["route_received", "message_ignored"]


def test_a_newer_route_heard_on_the_way_out_is_the_one_followed() -> None:
    walk = Walk().arrive().hear(ROUTE.encode()).hear(replace(ROUTE, iotep="newer.example", generation=9).encode())
    assert walk.goodbye().done(Open)[0].endpoint.host == "newer.example"


def test_a_full_disk_does_not_stop_the_journey_and_is_tried_again() -> None:
    walk = Walk().arrive().hear(ROUTE.encode()).feed(NotSaved("disk full"))
    assert walk.events == ["route_not_stored"]
    walk.goodbye().arrive()
    assert walk.state.place is Place.TARGET
    assert walk.later(30).done(Store) == [Store(ROUTE)]
    assert walk.feed(Saved()).events == ["route_stored"]
    assert not walk.later(60).done(Store)


def test_news_of_an_earlier_link_changes_nothing() -> None:
    walk = Walk().fail().later(1)
    before = walk.state
    for event in (Opened(1), Granted(1), Acked(1), Failed(1, Trouble.REFUSED), Closed(1)):
        assert walk.feed(event).last == ()
    assert walk.state == before


@pytest.mark.parametrize("phase", ["connecting", "resting", "serving"])
def test_a_stop_says_goodbye_and_ends(phase: str) -> None:
    walk = Walk()
    if phase == "resting":
        assert walk.fail().feed(StopAsked()).done(Exit)
        return
    if phase == "serving":
        walk.arrive()
    assert walk.feed(StopAsked()).done(Close)
    assert walk.feed(StopAsked()).state.phase is Phase.LEAVING
    assert walk.feed(Closed(1)).done(Exit)
    assert walk.hear(ROUTE.encode()).last == ()


def test_a_goodbye_that_is_never_answered_ends_all_the_same() -> None:
    assert Walk().arrive().feed(StopAsked()).later(10).done(Exit)


def test_exit_on_arrival_ends_in_the_target_and_not_in_the_lobby() -> None:
    walk = Walk(Plan(THING, (LOBBY,), exit_on_arrival=True)).arrive()
    assert walk.state.phase is Phase.SERVING
    walk.hear(ROUTE.encode()).goodbye().arrive()
    assert walk.feed(Closed(walk.state.link)).done(Exit)


def test_messages_say_which_version_speaks() -> None:
    walk = Walk().feed(Opened(1)).feed(Granted(1))
    assert set(json.loads(walk.done(Publish)[0].payload)) == {"version"}
