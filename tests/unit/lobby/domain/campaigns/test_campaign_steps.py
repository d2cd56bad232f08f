"""The next step of a campaign's feeder, for each state of its record."""

from dataclasses import replace

import pytest

from lobby.domain.campaigns.campaign import Campaign, CampaignState, Source, SourceKind
from lobby.domain.campaigns.campaign_progress import Prepared, Progress
from lobby.domain.campaigns.campaign_steps import END, Action, Step, most_waiting, next_step
from lobby.domain.lanes.lane import lane_to
from tests.unit.lobby.domain.sample_campaigns import NOW, ago, campaign, progress, with_progress
from tests.unit.lobby.domain.sample_devices import A, B

S = CampaignState
LANE = lane_to(B)
ALL_FED = replace(campaign(), progress=Progress(fed=3, outcomes={"done": 300}))


def step(found: Campaign, lanes: tuple[str, ...] = (LANE,), rate: float = 9.0) -> Step:
    return next_step(found, lanes, lambda _lane: rate, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (campaign(S.PREPARING), Step(Action.PREPARE)),
        (replace(campaign(S.PREPARING), source=Source(SourceKind.LIST)), END),
        (campaign(S.APPROVAL), END),
        (campaign(), Step(Action.FEED)),
        (campaign(S.PAUSED), END),
        (campaign(S.STOPPED), END),
        (campaign(S.STOPPING), Step(Action.CLOSE)),
        (campaign(S.CANCELLED), END),
        (campaign(S.DONE), END),
        (ALL_FED, Step(Action.FINISH)),
        (replace(campaign(), prepared=Prepared(complete=True)), Step(Action.FINISH)),
        (replace(campaign(), progress=progress(failed=20)), Step(Action.STOP, reason="FAILURE_RATE")),
    ],
)
def test_the_step_follows_from_the_state(found: Campaign, expected: Step) -> None:
    assert step(found) == expected


@pytest.mark.parametrize("state", [S.RUNNING, S.PAUSED, S.STOPPED, S.CANCELLED])
def test_devices_that_wait_are_looked_at_every_three_seconds_whatever_the_state(state: CampaignState) -> None:
    waiting = with_progress(campaign(state), fed=3, open={0: {LANE: 9}}, advanced_at=ago(2))
    assert step(with_progress(waiting, looked_at=ago(3))) == Step(Action.LOOK)
    assert step(with_progress(waiting, looked_at=ago(1))) == Step(Action.WAIT, 2)
    assert step(waiting) == Step(Action.LOOK)


def test_checks_are_less_frequent_without_progress() -> None:
    silent = with_progress(campaign(), fed=3, open={0: {LANE: 9}}, advanced_at=ago(200), looked_at=ago(3))
    assert step(silent) == Step(Action.WAIT, 12)


@pytest.mark.parametrize(
    ("waiting", "lanes", "action"),
    [
        ({LANE: 539}, (LANE,), Action.FEED),
        ({LANE: 540}, (LANE,), Action.WAIT),
        ({LANE: 540}, (LANE, lane_to(A)), Action.FEED),
        ({LANE: 540}, (), Action.FEED),
        ({lane_to(A): 540}, (LANE,), Action.FEED),
    ],
)
def test_a_page_is_fed_while_one_of_its_lanes_has_room(
    waiting: dict[str, int], lanes: tuple[str, ...], action: Action
) -> None:
    found = with_progress(campaign(), fed=1, open={0: waiting}, looked_at=ago(0))
    assert step(found, lanes).action is action


@pytest.mark.parametrize(("rate", "most"), [(0.1, 100), (9, 540), (500, 2000)])
def test_a_minutes_work_may_wait_in_a_lane(rate: float, most: int) -> None:
    assert most_waiting(rate) == most


@pytest.mark.parametrize(
    ("first", "action"),
    [
        ({"waiting": 1, "done": 4}, Action.WAIT),
        ({"awaited": 1, "done": 4}, Action.WAIT),
        ({"done": 5}, Action.FEED),
        ({"unchanged": 5, "done": 5}, Action.FEED),
        ({"unchanged": 5}, Action.STOP),
        ({"failed": 1, "done": 4}, Action.STOP),
    ],
)
def test_the_second_page_waits_for_the_canary(first: dict[str, int], action: Action) -> None:
    fed = with_progress(campaign(canary=5), fed=1, outcomes=first, first=first, looked_at=ago(0), advanced_at=ago(1))
    assert step(fed).action is action
    if action is not Action.STOP:
        assert step(with_progress(fed, canary_passed=True)).action is Action.FEED


def test_arrivals_are_awaited_for_ten_minutes() -> None:
    found = with_progress(ALL_FED, outcomes={"awaited": 300}, followed=(0, 1, 2), looked_at=ago(5))
    assert step(with_progress(found, advanced_at=ago(599))) == Step(Action.WAIT, 10)
    assert step(with_progress(found, advanced_at=ago(600))).action is Action.FINISH
    assert step(with_progress(found, advanced_at=ago(599), looked_at=ago(15))).action is Action.LOOK
