"""The rules of the home lease: who may vote for whom and when, and how many votes a home needs."""

import pytest

from lobby.domain.regions.home import (
    LEASE_MS,
    MARGIN_MS,
    Answer,
    Terms,
    Unreachable,
    Vote,
    begins,
    free_at,
    given,
    may_extend,
    missing_after_promotion,
    next_epoch,
    rival,
    votes_to_extend,
    votes_to_promote,
    wait_for,
)
from lobby.names import Region

A, B, C, D = Region("eu-west-1"), Region("eu-central-1"), Region("us-east-2"), Region("us-west-2")
NOW = 1_800_000_000_000
DOWN = Unreachable("no answer")


def vote(home: Region = A, epoch: int = 1, until: int = NOW + LEASE_MS) -> Vote:
    return Vote(home, epoch, until, NOW, NOW, revision=7)


@pytest.mark.parametrize(
    ("known", "epoch", "expected"),
    [
        (None, 1, 0),
        (vote(B, 2), 2, 0),
        (vote(A, 1, NOW), 2, NOW + MARGIN_MS),
        (vote(A, 2), 2, None),
        (vote(A, 3, 0), 2, None),
    ],
    ids=["no vote yet", "its own vote", "an older epoch", "another home of this epoch", "a newer epoch"],
)
def test_a_region_votes_again_only_for_the_same_home_or_a_higher_epoch_after_the_margin(
    known: Vote | None, epoch: int, expected: int | None
) -> None:
    assert free_at(known, B, epoch) == expected


@pytest.mark.parametrize(
    ("regions", "without", "extend", "promote"),
    [
        ((A, B), (), 2, 1),
        ((A, B), (B,), 1, 1),
        ((A, B, C), (), 2, 2),
        ((A, B, C), (C,), 2, 2),
        ((A, B, C), (B, C), 1, 2),
        ((A, B, C, D), (), 3, 3),
    ],
)
def test_any_promotion_needs_a_region_whose_vote_the_home_needs(
    regions: tuple[Region, ...], without: tuple[Region, ...], extend: int, promote: int
) -> None:
    assert (votes_to_extend(regions, without), votes_to_promote(regions)) == (extend, promote)
    if not without:
        assert extend + promote > len(regions)


def test_a_vote_lasts_five_minutes_and_keeps_the_beginning_of_its_epoch() -> None:
    first = given(None, A, 1, NOW)
    later = given(first, A, 1, NOW + 60_000)
    assert (first.since, first.until, first.revision) == (NOW, NOW + LEASE_MS, 1)
    assert (later.since, later.until, later.revision) == (NOW, NOW + 60_000 + LEASE_MS, 2)
    assert given(later, B, 2, NOW + 90_000).since == NOW + 90_000


def test_a_vote_permits_writes_until_it_ends() -> None:
    assert vote().permits(NOW + LEASE_MS - 1)
    assert not vote().permits(NOW + LEASE_MS)


def test_the_lease_of_a_home_that_has_a_successor_is_not_extended() -> None:
    assert may_extend(vote(), A)
    assert not may_extend(vote(), B)
    assert not may_extend(None, A)
    assert not may_extend(vote().ended(NOW, B), A)


def test_an_ended_vote_ends_now_and_never_later_than_it_would_have() -> None:
    assert vote().ended(NOW + 5, B).until == NOW + 5
    assert vote(until=NOW).ended(NOW + 5, B).until == NOW


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([None], True),
        ([vote(A, 1)], True),
        ([vote(A, 2)], False),
        ([DOWN], False),
        ([vote(B)], False),
        ([None, DOWN], True),
        ([DOWN, DOWN], False),
    ],
)
def test_a_lobby_begins_only_if_no_region_can_have_voted(others: list[Answer], expected: bool) -> None:
    regions = (A, B, C)[: 1 + len(others)]
    assert begins(None, A, regions, others) is expected
    assert not begins(None, regions[1], regions, others)


def test_the_highest_rival_is_found() -> None:
    assert rival([None, DOWN, vote(A, 2)], A, 2) is None
    assert rival([vote(B, 3), vote(C, 4)], A, 2) == vote(C, 4)
    assert rival([vote(B, 2)], A, 2) == vote(B, 2)


@pytest.mark.parametrize(
    ("answers", "own", "expected"),
    [
        ([], None, 1),
        ([None, DOWN], None, 1),
        ([vote(A, 4), vote(C, 2)], None, 5),
        ([vote(B, 5), vote(A, 4)], vote(A, 4), 5),
        ([vote(B, 5), vote(C, 5)], vote(A, 4), 6),
        ([vote(B, 5)], vote(B, 5), 6),
    ],
    ids=["new", "nobody", "others", "interrupted", "two homes", "its own lease has ended"],
)
def test_a_promotion_has_a_new_epoch_unless_it_was_interrupted(
    answers: list[Answer], own: Vote | None, expected: int
) -> None:
    assert next_epoch([*answers, own], B, own) == expected


def test_a_promotion_waits_for_the_last_vote_of_those_that_answer() -> None:
    answers: dict[Region, Answer] = {A: DOWN, B: vote(A, 1, NOW + 10), C: vote(A, 1, NOW + 20)}
    assert wait_for(answers, B, 2, NOW) == 20 + MARGIN_MS
    assert wait_for({A: DOWN, B: None}, B, 2, NOW) == 0


def test_a_home_that_was_promoted_continues_without_the_region_that_is_down_if_the_rest_is_no_majority() -> None:
    assert missing_after_promotion((A, B), {B}) == {A}
    assert missing_after_promotion((A, B, C), {B, C}) == set()


@pytest.mark.parametrize(("lease", "margin", "read_every"), [(300_000, 60_000, 10_000), (20_000, 4_000, 666)])
def test_the_margin_is_a_fifth_of_the_lease_and_longer_than_a_vote_is_cached(
    lease: int, margin: int, read_every: int
) -> None:
    terms = Terms(lease)
    assert (terms.margin, terms.read_every) == (margin, read_every)
    assert free_at(vote(A, 1, NOW), B, 2, terms) == NOW + margin
    assert given(None, A, 1, NOW, terms=terms).until == NOW + lease
