"""Campaigns: states and events, approval by a second user, undo, and limits of the input."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import (
    Author,
    Campaign,
    CampaignEvent,
    CampaignState,
    Source,
    SourceKind,
    allowed,
    leaves_devices,
    needs_approval,
    require_limits,
    source_fields,
    source_of,
    state_after,
    undo_request,
)
from lobby.domain.campaigns.campaign_progress import Prepared
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.errors import Conflict, InvalidInput, LobbyError
from lobby.names import CampaignName
from tests.unit.lobby.domain.sample_campaigns import campaign, progress, with_progress
from tests.unit.lobby.domain.sample_devices import A, B, T

S, E, O = CampaignState, CampaignEvent, ChangeOperation  # noqa: E741
ALLOWED = {
    S.PREPARING: {E.PREPARED: S.RUNNING, E.CANCEL: S.STOPPING},
    S.APPROVAL: {E.APPROVED: S.RUNNING, E.CANCEL: S.CANCELLED},
    S.RUNNING: {E.PAUSED: S.PAUSED, E.STOPPED: S.STOPPED, E.FINISHED: S.DONE, E.CANCEL: S.STOPPING},
    S.PAUSED: {E.RESUMED: S.RUNNING, E.CANCEL: S.STOPPING},
    S.STOPPED: {E.RESUMED: S.RUNNING, E.CANCEL: S.STOPPING},
    S.STOPPING: {E.CANCELLED: S.CANCELLED},
    S.CANCELLED: {E.UNDONE: S.CANCELLED},
    S.DONE: {E.UNDONE: S.DONE},
}


@pytest.mark.parametrize("state", CampaignState)
@pytest.mark.parametrize("event", CampaignEvent)
def test_each_state_allows_exactly_these_events(state: CampaignState, event: CampaignEvent) -> None:
    following = ALLOWED[state].get(event)
    if following is None:
        with pytest.raises(Conflict, match="NOT_ALLOWED"):
            state_after(campaign(state), event)
    else:
        assert state_after(campaign(state), event) is following


APPLIED: dict[str, tuple[CampaignState, Callable[[Campaign], Campaign]]] = {
    "prepared": (S.PREPARING, lambda one: transitions.prepared(one, 1000, T)),
    "approved": (S.APPROVAL, lambda one: transitions.approved(one, "user:bob", T)),
    "paused": (S.RUNNING, transitions.paused),
    "resumed": (S.PAUSED, lambda one: transitions.resumed(one, "user:bob")),
    "resumed after a stop": (S.STOPPED, lambda one: transitions.resumed(one, "user:bob")),
    "cancelling": (S.RUNNING, lambda one: transitions.cancelling(one, T)),
    "cancelled": (S.STOPPING, lambda one: transitions.cancelled(one, T)),
    "finished": (S.RUNNING, lambda one: transitions.finished(one, T)),
    "undone": (S.DONE, lambda one: transitions.undone(one, CampaignName("back"))),
}


@pytest.mark.parametrize("name", APPLIED)
def test_an_event_that_was_applied_before_changes_nothing(name: str) -> None:
    state, apply = APPLIED[name]
    once = apply(campaign(state))
    assert once != campaign(state)
    assert apply(once) == once


@pytest.mark.parametrize(
    ("operation", "size", "needed"),
    [
        (O.MOVE, 1000, False),
        (O.MOVE, 1001, True),
        (O.RELEASE, 1001, True),
        (O.REVOKE, 1, True),
        (O.REVOKE, 0, False),
        (O.RETRY, 0, False),
    ],
)
def test_large_campaigns_and_all_revocations_need_approval(operation: ChangeOperation, size: int, needed: bool) -> None:
    request = ChangeRequest(operation, B if operation.needs_target else None)
    assert needs_approval(request, size, 1000) is needed
    found = replace(campaign(S.PREPARING), request=request, prepared=Prepared(1, 5000, size, complete=True))
    assert transitions.prepared(found, 1000, T).state is (S.APPROVAL if needed else S.RUNNING)


def test_devices_that_are_refused_now_count_for_the_approval() -> None:
    """For example a renewal of devices that are not commissioned yet: the rule allows it later, in the same
    generation."""
    found = replace(campaign(S.PREPARING), prepared=Prepared(1, 1100, 600, 99, {"NOT_ALLOWED": 401}, complete=True))
    assert transitions.prepared(found, 1000, T).state is S.APPROVAL
    assert transitions.prepared(found, 1001, T).state is S.RUNNING


def test_a_user_cannot_approve_their_own_campaign() -> None:
    waiting = campaign(S.APPROVAL)
    with pytest.raises(Conflict, match="SECOND_PERSON_REQUIRED"):
        transitions.approved(waiting, "user:ann", T)
    approved = transitions.approved(waiting, "user:bob", T)
    assert (approved.state, approved.approved_by, approved.started_at) == (S.RUNNING, "user:bob", T)


def test_an_approved_campaign_is_not_approved_twice() -> None:
    approved = transitions.approved(campaign(S.APPROVAL), "user:bob", T)
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        transitions.approved(approved, "user:carol", T)


def test_failures_before_a_resumption_do_not_stop_the_campaign_again() -> None:
    stopped = transitions.stopped(replace(campaign(canary=5), progress=progress(done=30, failed=20)), "FAILURE_RATE")
    again = transitions.resumed(stopped, "user:bob")
    assert (again.why, again.progress.tolerated, again.progress.canary_passed) == (None, (20, 50), True)
    assert transitions.resumed(with_progress(campaign(S.PAUSED), fed=1), "user:bob").progress.tolerated == (0, 0)


@pytest.mark.parametrize("why", ["INVALID_MANIFEST", "MANIFEST_MISSING", "USER_BLOCKED"])
def test_a_campaign_that_did_not_stop_because_of_its_devices_still_needs_its_canary(why: str) -> None:
    stopped = transitions.stopped(replace(campaign(canary=5), progress=progress(done=3, failed=2)), why)
    again = transitions.resumed(stopped, "user:bob")
    assert (again.state, again.why, again.progress) == (S.RUNNING, None, stopped.progress)


@pytest.mark.parametrize(
    ("operation", "undo"), [(O.CLAIM, O.RELEASE), (O.MOVE, O.MOVE), (O.CONFIGURE, O.CONFIGURE), (O.RELEASE, O.CLAIM)]
)
def test_an_ended_campaign_can_be_undone(operation: ChangeOperation, undo: ChangeOperation) -> None:
    done = replace(campaign(S.DONE), request=ChangeRequest(operation))
    assert undo_request(done) == ChangeRequest(undo)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (campaign(S.RUNNING), "NOT_ALLOWED"),
        (campaign(S.STOPPING), "NOT_ALLOWED"),
        (replace(campaign(S.DONE), request=ChangeRequest(O.REVOKE, why="x")), "NOT_UNDOABLE"),
        (replace(campaign(S.DONE), request=ChangeRequest(O.RETRY)), "NOT_UNDOABLE"),
        (replace(campaign(S.DONE), source=Source(SourceKind.CHANGED, CampaignName("x"))), "NOT_UNDOABLE"),
        (replace(campaign(S.DONE), undone_by=CampaignName("x")), "ALREADY_UNDONE"),
    ],
)
def test_other_campaigns_cannot_be_undone(found: Campaign, code: str) -> None:
    with pytest.raises(Conflict) as refused:
        undo_request(found)
    assert refused.value.code == code
    assert allowed(found, E.UNDONE) is (code == "ALREADY_UNDONE")


def test_after_an_undo_that_has_left_devices_another_one_is_possible() -> None:
    first, second = CampaignName("sample-undo"), CampaignName("sample-undo-2")
    found = replace(campaign(S.DONE), undone_by=first)
    assert undo_request(found, first).operation in ChangeOperation
    assert transitions.undone(found, second, first).undone_by == second
    for late in (None, second):
        with pytest.raises(Conflict, match="ALREADY_UNDONE"):
            transitions.undone(found, CampaignName("third"), late)


@pytest.mark.parametrize(
    ("undo", "left"),
    [
        (campaign(S.CANCELLED), True),
        (campaign(S.STOPPING), False),
        (with_progress(campaign(S.DONE), outcomes={"done": 3, "refused": 1}), True),
        (with_progress(campaign(S.STOPPED), outcomes={"refused": 1}), False),
        (with_progress(campaign(S.DONE), outcomes={"done": 3, "superseded": 1}), False),
    ],
)
def test_an_undo_leaves_devices_if_it_was_cancelled_or_refused_for_some(undo: Campaign, left: bool) -> None:
    assert leaves_devices(undo) is left


@pytest.mark.parametrize(
    ("canary", "tolerance", "code"),
    [
        (-1, 0.1, "INVALID_CANARY"),
        (101, 0.1, "INVALID_CANARY"),
        (True, 0.1, "INVALID_CANARY"),
        (1.0, 0.1, "INVALID_CANARY"),
        (0, -0.1, "INVALID_FAILURE_RATE"),
        (0, 1.1, "INVALID_FAILURE_RATE"),
        (0, float("nan"), "INVALID_FAILURE_RATE"),
        (0, True, "INVALID_FAILURE_RATE"),
        (0, "1", "INVALID_FAILURE_RATE"),
    ],
)
def test_limits_outside_their_range_are_rejected(canary: object, tolerance: object, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        require_limits(canary, tolerance)
    assert refused.value.code == code


def test_an_author_acts_only_on_their_targets() -> None:
    Author("user:ann").require_target(A)
    Author("user:ann", frozenset({A})).require_target(A)
    with pytest.raises(LobbyError, match="FORBIDDEN"):
        Author("user:ann", frozenset({A})).require_target(B)


@pytest.mark.parametrize("kind", SourceKind)
def test_a_source_is_the_same_after_it_was_stored(kind: SourceKind) -> None:
    source = Source(kind, CampaignName("x") if kind is SourceKind.FAILED else None, {"state": "failed"})
    assert source_of(source_fields(source)) == source
