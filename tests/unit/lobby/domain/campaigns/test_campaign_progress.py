"""The outcomes of a campaign's devices, their sums, the automatic stop, the canary, and the estimate."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobby.domain import transitions
from lobby.domain.campaigns.campaign_progress import (
    CHANGED_SINCE,
    Outcome,
    PageState,
    Prepared,
    Progress,
    Result,
    as_fields,
    lanes_with_work,
    outcome_of,
    page_state,
    progress_of,
)
from lobby.domain.campaigns.campaign_rules import (
    MAX_FOLLOWED,
    Estimate,
    estimate,
    recorded,
    remaining_work,
    stop_reason,
)
from lobby.domain.commissioner_transitions import arrive, commission, fail, retire
from lobby.domain.device import Device
from lobby.domain.lanes.lane import lane_to
from lobby.domain.transitions import ClaimRequest
from lobby.names import CampaignName
from tests.unit.lobby.domain.sample_campaigns import NAME, ago, campaign, progress, with_progress
from tests.unit.lobby.domain.sample_devices import CERTID, A, B, T, arrived, claimed, inlobby


def moved() -> Device:
    return replace(transitions.move(arrived(), ClaimRequest(B), "campaign:to-b", T), campaign=NAME)


def released() -> Device:
    found = transitions.release(arrived(), T)
    assert found is not None
    return replace(found, campaign=NAME)


COMMISSIONED = commission(moved(), 2, "b.example", T)
CLEARED = replace(released(), targets_to_clear=(), needs_commissioner=False)
UNCLEARED = retire(released(), 2, A, "TARGET_LIMIT", "x")
EXPECTED = replace(transitions.claim(None, CERTID, ClaimRequest(B), "campaign:to-b", T), campaign=NAME)
REVOKED = replace(transitions.revoke(arrived(), CERTID, "stolen", T), campaign=NAME)


@pytest.mark.parametrize(
    ("device", "outcome", "code"),
    [
        (moved(), Outcome.WAITING, None),
        (COMMISSIONED, Outcome.AWAITED, None),
        (arrive(COMMISSIONED, T), Outcome.DONE, None),
        (fail(moved(), 2, "TARGET_LIMIT", "x", T), Outcome.FAILED, "TARGET_LIMIT"),
        (released(), Outcome.WAITING, None),
        (CLEARED, Outcome.DONE, None),
        (UNCLEARED, Outcome.FAILED, "TARGET_LIMIT"),
        (REVOKED, Outcome.WAITING, None),
        (replace(REVOKED, needs_commissioner=False, targets_to_clear=()), Outcome.DONE, None),
        (replace(moved(), generation=3, campaign=None), Outcome.SUPERSEDED, CHANGED_SINCE),
        (replace(moved(), generation=3, campaign=CampaignName("other")), Outcome.SUPERSEDED, CHANGED_SINCE),
        (replace(moved(), generation=1), Outcome.SUPERSEDED, CHANGED_SINCE),
        (replace(moved(), campaign=None), Outcome.SUPERSEDED, CHANGED_SINCE),
        (None, Outcome.SUPERSEDED, CHANGED_SINCE),
    ],
)
def test_the_outcome_follows_from_the_row(device: Device | None, outcome: Outcome, code: str | None) -> None:
    assert outcome_of(device, 2, NAME) == Result(outcome, code, 2)


def test_a_generation_that_a_renewal_has_added_belongs_to_the_campaign() -> None:
    assert outcome_of(replace(moved(), generation=3), 2, NAME) == Result(Outcome.WAITING, None, 3)


def test_a_device_that_never_connected_has_nothing_to_wait_for_in_a_lane() -> None:
    assert outcome_of(EXPECTED, 1, NAME).outcome is Outcome.AWAITED
    assert outcome_of(None, 0, NAME) == Result(Outcome.DONE, None, 0)
    assert (lanes_with_work(EXPECTED), lanes_with_work(None)) == ((), ())


def test_a_move_has_work_in_the_new_target_first_then_in_the_one_that_is_left() -> None:
    assert lanes_with_work(moved()) == (lane_to(B), lane_to(A))
    assert lanes_with_work(released()) == (lane_to(A),)


def test_devices_that_wait_are_counted_by_lane() -> None:
    results = [Result(Outcome.WAITING, None, 2), Result(Outcome.DONE, None, 2), Result(Outcome.REFUSED, "REVOKED")]
    assert page_state(results, [moved(), COMMISSIONED, None]).waiting == {lane_to(B): 1}


OUTCOMES = st.lists(st.sampled_from(Outcome), min_size=3, max_size=3)


@given(st.lists(st.tuples(st.integers(0, 4), OUTCOMES), max_size=20))
def test_sums_are_those_of_the_last_state_of_each_page(changes: list[tuple[int, list[Outcome]]]) -> None:
    untried = PageState((Result(),) * 3)
    found, pages = Progress(), dict.fromkeys(range(5), untried)
    for page, new in changes:
        after = PageState(tuple(Result(outcome, outcome.value.upper(), 1) for outcome in new))
        found = recorded(found, page, pages[page] if page in dict(changes) else untried, after, T)
        pages[page] = after
    totals = {outcome.value: sum(page.outcomes[outcome] for page in pages.values()) for outcome in Outcome}
    del totals["pending"]
    assert found.outcomes == {outcome: count for outcome, count in totals.items() if count}
    assert sum(found.first.values()) == sum(pages[0].outcomes.values()) - pages[0].outcomes[Outcome.PENDING]
    assert sum(found.reasons.values()) == totals["failed"] + totals["refused"]
    assert set(found.open) == {number for number, page in pages.items() if page.outcomes[Outcome.WAITING]}
    assert progress_of(as_fields(found)) == found


def test_only_the_last_pages_are_followed_until_their_devices_arrive() -> None:
    found = Progress()
    for page in range(MAX_FOLLOWED + 3):
        found = recorded(found, page, PageState((Result(),)), PageState((Result(Outcome.AWAITED, None, 1),)), T)
    assert found.followed == tuple(range(3, MAX_FOLLOWED + 3))


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ({"done": 90, "failed": 10}, None),
        ({"done": 89, "failed": 11}, "FAILURE_RATE"),
        ({"awaited": 5, "refused": 5}, "FAILURE_RATE"),
        ({"done": 4, "failed": 5}, None),
        ({"superseded": 50, "done": 50, "failed": 5}, None),
        ({"superseded": 50, "done": 40, "failed": 5}, "FAILURE_RATE"),
        ({"waiting": 1000, "failed": 9}, None),
    ],
)
def test_a_campaign_stops_above_its_failure_rate(counts: dict[str, int], reason: str | None) -> None:
    assert stop_reason(replace(campaign(), progress=progress(**counts))) == reason


@pytest.mark.parametrize("per_cent", [0, 7, 10, 29, 57, 58, 100])
def test_a_failure_rate_that_is_reached_exactly_does_not_stop_a_campaign(per_cent: int) -> None:
    found = replace(campaign(), tolerance=per_cent / 100)
    assert stop_reason(with_progress(found, outcomes={"done": 100 - per_cent, "failed": per_cent})) is None
    if per_cent < 100:
        more = {"done": 99 - per_cent, "failed": per_cent + 1}
        assert stop_reason(with_progress(found, outcomes=more)) == "FAILURE_RATE"


def test_failures_before_a_resumption_do_not_count() -> None:
    found = replace(campaign(), progress=replace(progress(done=60, failed=20), tolerated=(20, 70)))
    assert stop_reason(found) is None
    assert stop_reason(with_progress(found, outcomes={"done": 60, "failed": 23})) == "FAILURE_RATE"


@pytest.mark.parametrize(
    ("counts", "waited", "reason"),
    [
        ({"done": 5}, 3600, None),
        ({"done": 4, "failed": 1}, 0, "CANARY_FAILED"),
        ({"done": 4, "refused": 1}, 0, "CANARY_FAILED"),
        ({"done": 5, "unchanged": 1}, 3600, None),
        ({"done": 4, "unchanged": 1}, 0, "CANARY_NOT_ARRIVED"),
        ({"done": 4, "superseded": 1}, 0, "CANARY_NOT_ARRIVED"),
        ({"unchanged": 100}, 0, "CANARY_NOT_ARRIVED"),
        ({"done": 4, "awaited": 1}, 899, None),
        ({"done": 4, "awaited": 1}, 900, "CANARY_NOT_ARRIVED"),
    ],
)
def test_every_device_of_the_canary_must_arrive(counts: dict[str, int], waited: int, reason: str | None) -> None:
    found = replace(campaign(canary=5), progress=replace(progress(**counts), advanced_at=ago(waited)))
    assert stop_reason(with_progress(found, looked_at=ago(0))) == reason


def test_a_canary_is_checked_after_its_time_before_the_campaign_stops() -> None:
    """A feeder that did not run for a while, for example during a pause, has the result of an old check."""
    waiting = replace(campaign(canary=1), progress=replace(progress(awaited=1), advanced_at=ago(3600)))
    assert [stop_reason(with_progress(waiting, looked_at=at)) for at in (None, ago(3600), ago(2701))] == [None] * 3
    assert stop_reason(with_progress(waiting, looked_at=ago(2700))) == "CANARY_NOT_ARRIVED"


def test_devices_that_need_no_change_may_be_all_there_is() -> None:
    assert (
        stop_reason(replace(campaign(canary=5, prepared=Prepared(1, 3, 0, 3)), progress=progress(unchanged=3))) is None
    )


def test_a_canary_whose_target_does_not_answer_waits() -> None:
    found = replace(
        campaign(canary=1), progress=replace(progress(waiting=1), advanced_at=ago(3600), open={0: {"x": 1}})
    )
    assert stop_reason(found) is None


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        ({}, Estimate(0.0)),
        ({str(A): 90}, Estimate(10.0, lane_to(A))),
        ({str(A): 90, str(B): 20}, Estimate(20.0, lane_to(B))),
        ({str(A): 0}, Estimate(0.0)),
    ],
)
def test_the_slowest_lane_limits_a_campaign(work: dict[str, int], expected: Estimate) -> None:
    assert estimate(work, lambda lane: 1.0 if lane == lane_to(B) else 9.0) == expected


def test_the_remaining_time_is_in_proportion_to_the_devices_without_an_outcome() -> None:
    assert remaining_work(campaign()) == {str(B): 300}
    half = with_progress(campaign(), outcomes={"done": 100, "waiting": 50, "failed": 50})
    assert remaining_work(half) == {str(B): 150}
    assert remaining_work(replace(campaign(), prepared=Prepared())) == {}


def test_devices_that_wait_to_be_admitted_are_not_changed_by_a_look() -> None:
    assert outcome_of(replace(claimed(), campaign=NAME), 1, NAME).outcome is Outcome.WAITING
    assert outcome_of(inlobby(), 1, NAME).outcome is Outcome.SUPERSEDED
