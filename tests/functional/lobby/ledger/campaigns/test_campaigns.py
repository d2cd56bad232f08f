"""The register of campaigns: creation, states, pages, results, and concurrent writers."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from lobby.domain.campaigns import campaign_transitions as transitions
from lobby.domain.campaigns.campaign import Author, Campaign, CampaignEvent, CampaignState, Source, SourceKind
from lobby.domain.campaigns.campaign_progress import Outcome, PageState, Prepared, Result
from lobby.domain.campaigns.campaign_rules import recorded
from lobby.domain.change_requests import ChangeOperation, ChangeRequest
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.ledger.campaigns.campaign_register import Campaigns, NewPage
from lobby.ledger.clock import timestamp
from lobby.names import CampaignName
from tests.aws import Calls, Clock
from tests.functional.lobby.ledger.bulk_claims import ANN, A

NAME = CampaignName("to-a")
MOVE = ChangeRequest(ChangeOperation.MOVE, A, "camera", {"led": 1})


def new(clock: Clock, name: CampaignName = NAME, kind: SourceKind = SourceKind.FILTER) -> Campaign:
    return Campaign(name, MOVE, Source(kind, None, {"state": "arrived"}), Author(ANN), timestamp(clock()), 5, 0.2)


@pytest.fixture
def campaigns(calls: Calls, clock: Clock) -> Campaigns:  # the tables
    return Campaigns(clock, pause=lambda _attempt: None)


def running(campaigns: Campaigns, clock: Clock, pages: int = 2) -> Campaign:
    """Create a campaign of pages with two devices each, and start it."""
    created = campaigns.create(new(clock))
    found = Prepared(pages, 2 * pages, 2 * pages, refusals={"REVOKED": 1}, work={str(A): 2}, complete=True)
    assert campaigns.add_pages(created, found, [NewPage("d" * 64, 2, [str(A)])] * pages) is not None
    return campaigns.change(
        NAME, CampaignEvent.PREPARED, "service:feeder", lambda c, at: transitions.prepared(c, 9, at)
    )


def test_a_campaign_is_the_same_after_it_was_stored(campaigns: Campaigns, clock: Clock) -> None:
    restricted = replace(new(clock), author=Author(ANN, frozenset({A})))
    assert campaigns.create(restricted) == restricted
    assert campaigns.get(NAME) == restricted
    assert campaigns.active() == [NAME]


def test_creating_it_again_changes_nothing(campaigns: Campaigns, clock: Clock) -> None:
    campaigns.create(new(clock))
    started = campaigns.get(NAME)
    clock.advance(seconds=5)
    assert campaigns.create(new(clock)) == started
    with pytest.raises(Conflict, match="CAMPAIGN_EXISTS"):
        campaigns.create(replace(new(clock), canary=1))
    assert [each.event for each in campaigns.history(NAME)] == [CampaignEvent.CREATED]


def test_an_unknown_campaign_is_reported(campaigns: Campaigns) -> None:
    with pytest.raises(NotFound, match="UNKNOWN_CAMPAIGN"):
        campaigns.get(NAME)


def test_a_list_waits_for_its_user_and_not_for_the_feeder(campaigns: Campaigns, clock: Clock) -> None:
    campaigns.create(new(clock, kind=SourceKind.LIST))
    assert campaigns.active() == []


def test_campaigns_are_listed_with_the_newest_first(campaigns: Campaigns, clock: Clock) -> None:
    names = [CampaignName(f"number-{number}") for number in range(5)]
    for name in names:
        clock.advance(seconds=1)
        campaigns.create(new(clock, name))
    first, cursor = campaigns.newest(3)
    rest, end = campaigns.newest(3, cursor)
    assert [each.name for each in (*first, *rest)] == names[::-1]
    assert (cursor is not None, end) == (True, None)
    with pytest.raises(InvalidInput, match="INVALID_CURSOR"):
        campaigns.newest(3, "x")


def test_its_history_names_each_event_and_actor(campaigns: Campaigns, clock: Clock) -> None:
    running(campaigns, clock)
    clock.advance(seconds=1)
    campaigns.change(NAME, CampaignEvent.PAUSED, "user:bob", lambda c, _at: transitions.paused(c), "lunch")
    campaigns.change(NAME, CampaignEvent.PAUSED, "user:bob", lambda c, _at: transitions.paused(c), "lunch")
    entries = campaigns.history(NAME)
    assert [(each.event, each.actor, each.detail) for each in entries][-1] == (
        CampaignEvent.PAUSED,
        "user:bob",
        "lunch",
    )
    assert len(entries) == 3


def test_of_two_concurrent_users_the_second_acts_on_the_change_of_the_first(
    campaigns: Campaigns, calls: Calls, clock: Clock
) -> None:
    running(campaigns, clock)

    def cancel() -> None:
        campaigns.change(NAME, CampaignEvent.CANCEL, "user:bob", transitions.cancelling)

    calls.meanwhile["TransactWriteItems"] = cancel
    with pytest.raises(Conflict, match="NOT_ALLOWED"):
        campaigns.change(NAME, CampaignEvent.PAUSED, ANN, lambda c, _at: transitions.paused(c))
    assert campaigns.get(NAME).state is CampaignState.STOPPING


RESULTS = PageState((Result(Outcome.WAITING, None, 2), Result(Outcome.REFUSED, "REVOKED")), {str(A): 1})  # type: ignore[dict-item]


def test_progress_and_results_are_recorded_together(campaigns: Campaigns, clock: Clock) -> None:
    started = running(campaigns, clock)
    [page, _] = campaigns.pages(NAME, 0, 10)
    assert (page.tried, page.lanes, page.state.results) == (False, (str(A),), (Result(), Result()))
    after = campaigns.record(
        started, recorded(started.progress, 0, page.state, RESULTS, started.createdat), {0: RESULTS}
    )
    assert after == campaigns.get(NAME)
    assert campaigns.page(NAME, 0).state == RESULTS
    assert campaigns.get(NAME).progress.outcomes == {"refused": 1, "waiting": 1}


Writer = Callable[[Campaigns, Campaign], object]


@pytest.mark.parametrize(
    "write",
    [
        lambda campaigns, old: campaigns.record(old, old.progress, {0: RESULTS}),
        lambda campaigns, old: campaigns.add_pages(old, Prepared(1, 2), [NewPage("e" * 64, 2, [])]),
    ],
)
def test_a_feeder_that_was_replaced_records_nothing(campaigns: Campaigns, clock: Clock, write: Writer) -> None:
    started = running(campaigns, clock)
    assert campaigns.record(started, started.progress) is not None
    assert write(campaigns, started) is None
    assert not campaigns.page(NAME, 0).tried
    assert len(campaigns.pages(NAME, 0, 10)) == 2


def test_pausing_does_not_stop_the_record_of_a_page_that_was_carried_out(campaigns: Campaigns, clock: Clock) -> None:
    started = running(campaigns, clock)
    campaigns.change(NAME, CampaignEvent.PAUSED, ANN, lambda c, _at: transitions.paused(c))
    assert campaigns.record(started, replace(started.progress, fed=1), {0: RESULTS}) is not None
    assert (campaigns.get(NAME).state, campaigns.get(NAME).progress.fed) == (CampaignState.PAUSED, 1)


def test_a_campaign_rests_unless_it_was_resumed_meanwhile(campaigns: Campaigns, clock: Clock) -> None:
    started = running(campaigns, clock)
    paused = campaigns.change(NAME, CampaignEvent.PAUSED, ANN, lambda c, _at: transitions.paused(c))
    campaigns.change(NAME, CampaignEvent.RESUMED, ANN, lambda c, _at: transitions.resumed(c, ANN))
    campaigns.rest(paused)
    assert campaigns.active() == [NAME]
    campaigns.rest(campaigns.get(NAME))
    assert campaigns.active() == []
    assert started.state is CampaignState.RUNNING
