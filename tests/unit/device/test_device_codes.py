"""The code that proves somebody is here: announced by who can show it, shown once, and gone when it is of no use."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from device.disk import Disk
from device.machine.events import Close, Note, Publish, Show, Store
from device.machine.plan import Endpoint, Plan
from device.machine.state import State
from device.storage import Storage
from lobby.names import PresenceCode
from lobby.wire import PresenceChallenge, Reset
from tests.unit.device.platter import Platter
from tests.unit.device.refusals import ERRORS, Refusals
from tests.unit.device.walk import LOBBY, PLAN, ROUTE, THING, Walk
from tests.unit.device.world import AN_HOUR, STATE, Broker, Saying, World

CODE = PresenceCode("48291375")
QUESTION = PresenceChallenge(CODE, 1)
SHOWING = replace(PLAN, show_codes=True)
NO_QUESTION = {
    "a number": b'{"presence": 48291375}',
    "true": b'{"presence": true}',
    "nothing": b'{"presence": null}',
    "empty": b'{"presence": ""}',
    "short": b'{"presence": "4829137"}',
    "long": b'{"presence": "482913755"}',
    "spaced": b'{"presence": "4829 1375"}',
    "wide digits": '{"presence": "４８２９１３７５"}'.encode(),
    "letters": b'{"presence": "4829137a"}',
    "an escape": b'{"presence": "\\u001b[2J4829"}',
    "a list": b'{"presence": ["48291375"]}',
    "an object": b'{"presence": {"code": "48291375"}}',
    "a path": b'{"presence": "../../etc"}',
    "a generation that is none": b'{"presence": "48291375", "generation": "1"}',
    "a generation below zero": b'{"presence": "48291375", "generation": -1}',
    "long beyond reason": b'{"presence": "' + b"4" * 120_000 + b'"}',
}


def waiting(plan: Plan = SHOWING) -> Walk:
    return Walk(plan).arrive()


def hellos(walk: Walk) -> list[dict[str, object]]:
    return [json.loads(publish.payload) for publish in walk.done(Publish)]


def spoken(plan: Plan) -> dict[str, object]:
    walk = waiting(plan)
    (hello,) = hellos(walk.later(60 * 1.1))
    return hello


def test_a_device_that_can_show_a_code_says_so_in_its_hello_and_others_say_nothing_of_it() -> None:
    assert spoken(SHOWING)["presence"] is True
    assert "presence" not in spoken(PLAN)


def test_in_its_target_it_says_nothing_of_it_either() -> None:
    walk = Walk(SHOWING, route=ROUTE).arrive()
    assert ["presence" in said for said in hellos(walk.later(60 * 1.1))] == [False]


def test_a_code_is_shown_and_said_once_however_often_it_is_repeated() -> None:
    walk = waiting().hear(QUESTION.encode())
    assert walk.done(Show) == [Show(CODE)]
    assert walk.done(Note)[-1] == Note("presence_code", {"code": CODE, "generation": 1})
    assert not walk.done(Close)
    for _ in range(3):
        assert walk.hear(QUESTION.encode()).last == ()


def test_another_claim_s_code_takes_its_place() -> None:
    walk = waiting().hear(QUESTION.encode()).hear(PresenceChallenge(PresenceCode("00000000"), 2).encode())
    assert walk.done(Show) == [Show("00000000")]


def test_a_route_takes_it_away_and_is_followed() -> None:
    walk = waiting().hear(QUESTION.encode()).hear(ROUTE.encode())
    assert walk.done(Show) == [Show(None)]
    assert walk.done(Store) == [Store(ROUTE)]
    assert walk.state.shown is None


def test_so_does_a_reset() -> None:
    walk = waiting().hear(QUESTION.encode()).hear(Reset().encode())
    assert walk.done(Show) == [Show(None)]


def test_a_lost_connection_leaves_it_there_as_the_claim_still_waits() -> None:
    walk = waiting().hear(QUESTION.encode()).fail()
    assert walk.done(Show) == []
    walk.later(walk.longest_wait).arrive()
    assert walk.hear(QUESTION.encode()).last == ()


def test_one_that_was_not_told_to_show_codes_shows_none() -> None:
    walk = waiting(PLAN).hear(QUESTION.encode())
    assert (walk.events, walk.done(Show)) == (["message_ignored"], [])


def test_a_target_cannot_have_it_show_anything() -> None:
    walk = Walk(SHOWING, route=ROUTE).arrive().hear(QUESTION.encode())
    assert (walk.events, walk.done(Show)) == (["message_ignored"], [])


def test_a_code_for_another_device_is_not_shown() -> None:
    walk = waiting().hear(QUESTION.encode(), topic=f"lobby/{THING}-2")
    assert (walk.events, walk.done(Show)) == (["message_ignored"], [])


@pytest.mark.parametrize("name", NO_QUESTION)
def test_what_is_no_code_is_noted_and_shows_nothing(name: str) -> None:
    walk = waiting()
    before = walk.standing
    walk.hear(NO_QUESTION[name])
    assert (walk.events, walk.done(Show)) == (["message_ignored"], [])
    assert walk.standing == before
    assert all(len(str(note.fields)) < 400 for note in walk.done(Note))


def test_a_lobby_that_sends_one_code_after_another_does_not_fill_the_log() -> None:
    walk, lines = waiting(), 0
    for number in range(100):
        walk.hear(PresenceChallenge(PresenceCode(f"{number:08}"), number).encode())
        lines += len(walk.events)
    assert lines == PLAN.timing.tell_at_most
    assert isinstance(walk.state, State)


def test_a_route_with_a_presence_field_is_a_route() -> None:
    body = json.loads(ROUTE.encode()) | {"presence": CODE}
    walk = waiting().hear(json.dumps(body).encode())
    assert walk.done(Store) == [Store(ROUTE)]


def test_the_file_has_the_code_as_a_line_for_the_owner_and_goes_away(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "state")
    storage.show(CODE)
    file = tmp_path / "state" / "presence-code"
    assert (file.read_text(), file.stat().st_mode & 0o777) == (f"{CODE}\n", 0o600)
    storage.show("00000000")
    assert file.read_text() == "00000000\n"
    storage.show(None)
    storage.show(None)
    assert list((tmp_path / "state").iterdir()) == []


def test_a_route_that_is_kept_stays_when_codes_come_and_go() -> None:
    platter = Platter({"device": {}})
    storage = Storage(STATE, platter)
    storage.store(ROUTE)
    storage.show(CODE)
    storage.show(None)
    assert storage.load().route == ROUTE


@pytest.mark.parametrize("error", ERRORS)
def test_a_disk_that_refuses_leaves_the_code_in_the_log_and_the_device_on_its_way(error: str, tmp_path: Path) -> None:
    world = World({LOBBY: Saying(QUESTION.encode()), Endpoint(ROUTE.iotep): Broker()}, SHOWING)
    refusing = Refusals(("open", "unlink", "mkdir"), error)
    world.live(lambda: world.counts["presence_code"], refusing.calls, AN_HOUR, tmp_path)
    assert [told["code"] for _, event, told in world.log if event == "presence_code"] == [CODE]
    assert world.counts["presence_code_not_stored"]
    assert not world.counts["fault"]


def test_from_code_to_target_in_a_world_and_nothing_of_it_is_left() -> None:
    world = World({LOBBY: Saying(QUESTION.encode()), Endpoint(ROUTE.iotep): Broker()}, SHOWING)
    platter = Platter({"device": {}})

    def confirmed(event: str, _fields: object) -> None:
        if event == "presence_code":
            world.brokers[LOBBY] = Saying(ROUTE.encode())

    world.listeners.append(confirmed)
    world.live(lambda: world.counts["alive_sent"], platter, AN_HOUR)
    assert not world.counts["fault"]
    with pytest.raises(FileNotFoundError):
        Disk(platter).read(STATE / "presence-code", 100)


def test_what_an_earlier_life_showed_is_gone_at_the_next_start() -> None:
    platter = Platter({"device": {}})
    Storage(STATE, platter).show(CODE)
    world = World({LOBBY: Broker()}, SHOWING)
    world.live(lambda: world.counts["hello_sent"], platter, AN_HOUR)
    with pytest.raises(FileNotFoundError):
        Disk(platter).read(STATE / "presence-code", 100)
