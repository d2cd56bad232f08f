"""Following devices: what each state means to whoever waits, and when the waiting ends."""

from collections.abc import Sequence
from typing import Any

import pytest

from admin_api.cli.commands.watching import Change, changes
from admin_api.cli.follow import LONGEST_PAUSE, Following, Goal, Progress, Verdict, goal_of, verdict
from lobby.domain.states import State
from lobby.names import Fingerprint

ONE, TWO = Fingerprint("1" * 64), Fingerprint("2" * 64)


def device(state: str, certid: str = ONE, **more: Any) -> dict[str, Any]:
    return {"certid": certid, "devstate": state, "reason": None, "message": None, "previousTargets": [], **more}


@pytest.mark.parametrize(
    ("state", "arrival", "eventual"),
    [
        ("expected", Verdict.WAIT, Verdict.WAIT),
        ("knocking", Verdict.LOST, Verdict.WAIT),
        ("inlobby", Verdict.LOST, Verdict.WAIT),
        ("claimed", Verdict.WAIT, Verdict.WAIT),
        ("commissioned", Verdict.WAIT, Verdict.WAIT),
        ("arrived", Verdict.REACHED, Verdict.REACHED),
        ("failed", Verdict.LOST, Verdict.LOST),
        ("refused", Verdict.LOST, Verdict.LOST),
        ("revoked", Verdict.LOST, Verdict.LOST),
    ],
)
def test_a_state_says_whether_to_wait_on(state: str, arrival: Verdict, eventual: Verdict) -> None:
    assert verdict(device(state), Goal.ARRIVAL) is arrival
    assert verdict(device(state), Goal.EVENTUAL_ARRIVAL) is eventual


def test_every_state_is_judged() -> None:
    for state in State:
        assert all(verdict(device(state), goal) for goal in Goal)
        assert goal_of(device(state)) in Goal


def test_what_is_gone_is_lost_and_what_may_still_come_is_waited_for() -> None:
    assert [verdict(None, goal) for goal in Goal] == [Verdict.LOST, Verdict.WAIT, Verdict.LOST]


def test_clearing_is_reached_where_nothing_is_left() -> None:
    left = device("inlobby", previousTargets=[{"account": "1", "region": "r"}])
    assert verdict(left, Goal.CLEARED) is Verdict.WAIT
    assert verdict(device("revoked"), Goal.CLEARED) is Verdict.REACHED


class World:
    """Devices whose states change as time goes by. Its clock goes on by its pauses."""

    def __init__(self, **stories: list[tuple[float, str]]) -> None:
        self.now = 100.0
        self.stories = {Fingerprint(name[1] * 64): story for name, story in stories.items()}
        self.pauses: list[float] = []
        self.told: list[Progress] = []
        self.asked: list[int] = []

    def look(self, certids: Sequence[Fingerprint]) -> dict[Fingerprint, dict[str, Any]]:
        self.asked.append(len(certids))
        since = self.now - 100
        now = {certid: [state for at, state in self.stories[certid] if at <= since] for certid in certids}
        return {certid: device(states[-1], certid) for certid, states in now.items() if states}

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def follow(self, timeout: float, goal: Goal = Goal.ARRIVAL) -> list[Progress]:
        following = Following(self.look, lambda: self.now, self.pause, self.told.append)
        return following.until(dict.fromkeys(self.stories, goal), timeout)


def test_every_change_is_told_once_with_its_second() -> None:
    world = World(d1=[(0, "claimed"), (2, "commissioned"), (5, "arrived")])
    (end,) = world.follow(60)
    assert [seen.state for seen in world.told] == ["claimed", "commissioned", "arrived"]
    assert 5 <= end.seconds < 5 + LONGEST_PAUSE
    assert end.verdict is Verdict.REACHED


def test_pauses_grow_to_a_bound_and_end_with_the_time() -> None:
    world = World(d1=[(0, "expected")])
    (end,) = world.follow(60)
    assert end.verdict is Verdict.WAIT
    assert sum(world.pauses) == pytest.approx(60)
    assert sorted(world.pauses[:-1]) == world.pauses[:-1]
    assert max(world.pauses) == LONGEST_PAUSE
    assert len(world.told) == 1


def test_who_has_ended_is_not_asked_about_again_and_the_order_stays() -> None:
    world = World(d1=[(0, "claimed"), (9, "arrived")], d2=[(0, "failed")])
    ends = world.follow(60)
    assert [(end.certid, end.state) for end in ends] == [(ONE, "arrived"), (TWO, "failed")]
    assert world.asked[0] == 2
    assert set(world.asked[1:]) == {1}


def test_without_time_it_looks_once() -> None:
    world = World(d1=[(0, "claimed")])
    world.follow(0)
    assert (world.asked, world.pauses) == ([1], [])


def test_a_device_that_is_not_known_yet_is_waited_for_where_that_is_wished() -> None:
    world = World(d1=[(3, "inlobby"), (6, "arrived")])
    (end,) = world.follow(60, Goal.EVENTUAL_ARRIVAL)
    assert [seen.state for seen in world.told] == ["unknown", "inlobby", "arrived"]
    assert end.verdict is Verdict.REACHED


def row(certid: str, **changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "certid": certid,
        "devstate": "inlobby",
        "enteredAt": "t",
        "reason": None,
        "targetaccount": None,
        "targetregion": None,
        "devicename": "a",
        "generation": 0,
        "allowedActions": [],
    }
    return made | changed


def test_from_one_look_to_the_next_devices_come_change_and_leave() -> None:
    before = [row("a"), row("b"), row("c")]
    after = [
        row("d"),
        row("a"),
        row("b", devicename="new"),
    ]
    assert list(changes(before, after)) == [
        Change("came", row("d")),
        Change("changed", row("b", devicename="new")),
        Change("left", row("c")),
    ]
    assert not list(changes(before, [row("a", allowedActions=["x"]), row("b"), row("c")]))
