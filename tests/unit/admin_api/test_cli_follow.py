"""Following devices: the result of each state, and when following ends."""

from collections.abc import Sequence
from typing import Any

import pytest

from admin_api.cli.commands.watching import Change, changes
from admin_api.cli.follow import MAX_PAUSE, Follower, Goal, Progress, Verdict, assess, goal_of
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
def test_each_state_has_a_verdict(state: str, arrival: Verdict, eventual: Verdict) -> None:
    assert assess(device(state), Goal.ARRIVAL) is arrival
    assert assess(device(state), Goal.EVENTUAL_ARRIVAL) is eventual


@pytest.mark.parametrize("known", [{"reason": "CODE_NOT_SHOWN"}, {"showsCode": False}])
def test_a_code_that_the_client_cannot_show_ends_following(known: dict[str, Any]) -> None:
    assert assess(device("proving", showsCode=True), Goal.ARRIVAL) is Verdict.WAIT
    assert assess(device("proving", showsCode=None), Goal.ARRIVAL) is Verdict.WAIT
    for goal in (Goal.ARRIVAL, Goal.EVENTUAL_ARRIVAL):
        assert assess(device("proving", **known), goal) is Verdict.LOST


def test_every_state_has_a_verdict_and_a_goal() -> None:
    for state in State:
        assert all(assess(device(state), goal) for goal in Goal)
        assert goal_of(device(state)) in Goal


def test_an_unknown_device_is_lost_unless_it_may_still_connect() -> None:
    assert [assess(None, goal) for goal in Goal] == [Verdict.LOST, Verdict.WAIT, Verdict.LOST, Verdict.LOST]


def test_clearing_is_reached_without_previous_targets() -> None:
    uncleared = device("inlobby", previousTargets=[{"account": "1", "region": "r"}])
    assert assess(uncleared, Goal.CLEARED) is Verdict.WAIT
    assert assess(device("revoked"), Goal.CLEARED) is Verdict.REACHED


class Timeline:
    """Devices whose states change at given times. Its clock advances by the pauses."""

    def __init__(self, **states: list[tuple[float, str]]) -> None:
        self.now = 100.0
        self.states = {Fingerprint(name[1] * 64): changes for name, changes in states.items()}
        self.pauses: list[float] = []
        self.changes: list[Progress] = []
        self.lookups: list[int] = []

    def lookup(self, certids: Sequence[Fingerprint]) -> dict[Fingerprint, dict[str, Any]]:
        self.lookups.append(len(certids))
        elapsed = self.now - 100
        past = {certid: [state for at, state in self.states[certid] if at <= elapsed] for certid in certids}
        return {certid: device(states[-1], certid) for certid, states in past.items() if states}

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def follow(self, timeout: float, goal: Goal = Goal.ARRIVAL) -> list[Progress]:
        follower = Follower(self.lookup, lambda: self.now, self.pause, self.changes.append)
        return follower.follow(dict.fromkeys(self.states, goal), timeout)


def test_every_change_is_reported_once_with_its_time() -> None:
    timeline = Timeline(d1=[(0, "claimed"), (2, "commissioned"), (5, "arrived")])
    (end,) = timeline.follow(60)
    assert [progress.state for progress in timeline.changes] == ["claimed", "commissioned", "arrived"]
    assert 5 <= end.seconds < 5 + MAX_PAUSE
    assert end.verdict is Verdict.REACHED


def test_pauses_grow_to_a_limit_and_end_at_the_timeout() -> None:
    timeline = Timeline(d1=[(0, "expected")])
    (end,) = timeline.follow(60)
    assert end.verdict is Verdict.WAIT
    assert sum(timeline.pauses) == pytest.approx(60)
    assert sorted(timeline.pauses[:-1]) == timeline.pauses[:-1]
    assert max(timeline.pauses) == MAX_PAUSE
    assert len(timeline.changes) == 1


def test_a_device_that_has_ended_is_not_polled_again_and_the_order_is_kept() -> None:
    timeline = Timeline(d1=[(0, "claimed"), (9, "arrived")], d2=[(0, "failed")])
    ends = timeline.follow(60)
    assert [(end.certid, end.state) for end in ends] == [(ONE, "arrived"), (TWO, "failed")]
    assert timeline.lookups[0] == 2
    assert set(timeline.lookups[1:]) == {1}


def test_a_timeout_of_zero_polls_once() -> None:
    timeline = Timeline(d1=[(0, "claimed")])
    timeline.follow(0)
    assert (timeline.lookups, timeline.pauses) == ([1], [])


def test_an_unknown_device_is_waited_for_with_the_eventual_goal() -> None:
    timeline = Timeline(d1=[(3, "inlobby"), (6, "arrived")])
    (end,) = timeline.follow(60, Goal.EVENTUAL_ARRIVAL)
    assert [progress.state for progress in timeline.changes] == ["unknown", "inlobby", "arrived"]
    assert end.verdict is Verdict.REACHED


def row(certid: str, **changed: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
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
    return fields | changed


def test_changes_between_two_polls() -> None:
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
