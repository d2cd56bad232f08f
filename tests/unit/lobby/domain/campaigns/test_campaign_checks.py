"""The pages that a check of a campaign reads, and how long a large evacuation is followed."""

from dataclasses import replace
from datetime import timedelta

from lobby.domain.campaigns.campaign_progress import Outcome, PageState, Prepared, Progress, Result
from lobby.domain.campaigns.campaign_rules import recorded
from lobby.domain.campaigns.campaign_steps import (
    CANARY_PAGES,
    FOLLOWED_PAGES,
    OPEN_PAGES,
    Action,
    next_step,
    pages_to_check,
)
from tests.unit.lobby.domain.sample_campaigns import NOW, ago, campaign, with_progress
from tests.unit.lobby.domain.sample_devices import T

AWAITED = PageState((Result(Outcome.AWAITED, None, 1),))


def evacuated(pages: int) -> Progress:
    found = Progress()
    for page in range(pages):
        found = recorded(found, page, PageState((Result(),)), AWAITED, T)
    return found


def test_every_device_of_a_large_evacuation_is_followed_until_it_arrives() -> None:
    """The rows change before the devices arrive."""
    pages, at_once = 1000, campaign(prepared=Prepared(1000, 100_000, 100_000))
    found, rounds = evacuated(pages), 0
    while found.followed:
        rounds += 1
        for number in pages_to_check(replace(at_once, progress=found)):
            found = recorded(found, number, AWAITED, PageState((Result(Outcome.DONE, None, 1),)), T)
        found = replace(found, number=found.number + 1)
    assert rounds == pages / OPEN_PAGES
    assert found.outcomes == {"done": pages}


def test_a_check_reads_few_pages_of_devices_that_arrive_while_there_is_other_work() -> None:
    at_work = replace(campaign(prepared=Prepared(300, 300, 300)), progress=evacuated(200))
    assert len(pages_to_check(at_work)) == FOLLOWED_PAGES
    fed = replace(at_work, prepared=Prepared(200, 200, 200))
    assert len(pages_to_check(fed)) == OPEN_PAGES
    assert len(pages_to_check(with_progress(fed, open={7: {"x": 1}}))) <= FOLLOWED_PAGES + 1


def test_the_pages_of_a_canary_are_fewer_than_the_items_of_a_transaction() -> None:
    """A list that was sent in parts of one device has a canary of many pages."""
    prepared = Prepared(150, 150, 150, canary_pages=100)
    found = replace(campaign(canary=100, prepared=prepared), progress=evacuated(150))
    pages = pages_to_check(with_progress(found, open={number: {"x": 1} for number in range(100, 150)}))
    assert CANARY_PAGES <= len(pages) <= CANARY_PAGES + OPEN_PAGES + FOLLOWED_PAGES


def test_a_large_evacuation_ends_soon_after_its_last_arrival() -> None:
    """Each page has a device that arrives within 400 seconds. In one page of fifty, another one never arrives."""
    pages, seconds, read = 1000, 0, dict.fromkeys(range(1000), AWAITED)
    found = replace(campaign(prepared=Prepared(pages, 100_000, 100_000)), progress=evacuated(pages))
    found = with_progress(found, advanced_at=ago(0))
    while (
        step := next_step(found, (), lambda _lane: 9.0, NOW + timedelta(seconds=seconds))
    ).action is not Action.FINISH:
        assert step.action in (Action.LOOK, Action.WAIT)
        seconds += step.seconds
        if step.action is Action.LOOK:
            progress = found.progress
            for number in pages_to_check(found):
                first = Outcome.DONE if number * 0.4 <= seconds else Outcome.AWAITED
                outcomes = (first, Outcome.AWAITED) if number % 50 == 0 else (first,)
                after = PageState(tuple(Result(each, None, 1) for each in outcomes))
                progress = recorded(progress, number, read[number], after, ago(-seconds))
                read[number] = after
            found = with_progress(
                replace(found, progress=progress), number=progress.number + 1, looked_at=ago(-seconds)
            )
    assert found.progress.outcomes == {"awaited": 20, "done": 1000}
    assert 400 + 600 <= seconds <= 400 + 600 + 180
