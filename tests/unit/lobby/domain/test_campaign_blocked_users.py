"""Campaigns of blocked users: who answers for a campaign, and who may resume or approve it."""

from dataclasses import replace

import pytest

from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import Campaign, CampaignState
from lobby.domain.campaigns.campaign_rules import FAILURE_RATE, USER_BLOCKED
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.errors import Conflict
from tests.unit.lobby.domain.sample_campaigns import campaign, with_progress
from tests.unit.lobby.domain.sample_devices import T

S = CampaignState
ANN, BOB, EVE = "user:ann", "user:bob", "user:eve"
STOPPED = campaign(S.STOPPED, why=USER_BLOCKED)
APPROVED = replace(STOPPED, approved_by=BOB)


def test_the_author_and_who_has_approved_it_answer_for_a_campaign() -> None:
    assert campaign().answerable == (ANN,)
    assert APPROVED.answerable == (ANN, BOB)
    assert replace(APPROVED, taken_over_by=EVE).answerable == (EVE, BOB)


def test_nobody_answers_for_the_work_of_a_standby() -> None:
    assert replace(campaign(), request=ChangeRequest(ChangeOperation.EVACUATE)).answerable == ()


@pytest.mark.parametrize(
    ("found", "blocked", "actor", "after"),
    [
        (STOPPED, [ANN], BOB, (BOB,)),
        (STOPPED, [], ANN, (ANN,)),
        (replace(STOPPED, taken_over_by=BOB), [BOB], EVE, (EVE,)),
        (APPROVED, [ANN], EVE, (EVE, BOB)),
        (APPROVED, [BOB], EVE, (ANN, EVE)),
        (APPROVED, [], ANN, (ANN, BOB)),
        (replace(APPROVED, state=S.PAUSED, why=None), [BOB], EVE, (ANN, EVE)),
    ],
)
def test_who_resumes_a_campaign_takes_the_place_of_the_blocked_user(
    found: Campaign, blocked: list[str], actor: str, after: tuple[str, ...]
) -> None:
    resumed = transitions.resumed(found, actor, blocked)
    assert (resumed.state, resumed.why, resumed.answerable) == (S.RUNNING, None, after)


@pytest.mark.parametrize(
    ("blocked", "actor", "code"),
    [
        ([ANN], BOB, "SECOND_PERSON_REQUIRED"),
        ([BOB], ANN, "SECOND_PERSON_REQUIRED"),
        ([ANN, BOB], EVE, "AUTHOR_BLOCKED"),
    ],
)
def test_two_users_must_still_answer_for_a_campaign_that_needed_two(blocked: list[str], actor: str, code: str) -> None:
    with pytest.raises(Conflict) as refused:
        transitions.resumed(APPROVED, actor, blocked)
    assert refused.value.code == code


def test_a_campaign_whose_author_is_blocked_is_not_approved() -> None:
    with pytest.raises(Conflict, match="want it cancelled") as refused:
        transitions.approved(campaign(S.APPROVAL), BOB, T, [ANN])
    assert refused.value.code == "AUTHOR_BLOCKED"
    assert transitions.approved(campaign(S.APPROVAL), BOB, T).state is S.RUNNING


@pytest.mark.parametrize(("why", "passed"), [(USER_BLOCKED, False), (FAILURE_RATE, True)])
def test_a_stop_because_of_a_block_does_not_end_the_canary(why: str, passed: bool) -> None:
    stopped = with_progress(replace(STOPPED, why=why, canary=3), fed=1)
    assert transitions.resumed(stopped, BOB).progress.canary_passed is passed
