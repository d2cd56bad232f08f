"""The lease of the home Region, against DynamoDB in two or three Regions: how it begins, lasts, ends and moves."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lobby.domain.regions.home import LEASE_MS, MARGIN_MS, Vote
from lobby.errors import Conflict, InvalidInput, NotHome
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.home_lease import ALONE, BEGUN, DOOR, ENDED, ENDING, EXTENDED, LOST
from lobby.ledger.regions.home_votes import Votes
from lobby.names import Region
from tests.aws import Calls, CutOff
from tests.regions import DUBLIN, FRANKFURT, MINUTE, OHIO, Regions, regions


def writers(lobby: Regions) -> list[str]:
    """Return the Regions whose functions may write now."""
    return [name for name in lobby.names if _writes(lobby, name)]


def _writes(lobby: Regions, name: Region) -> bool:
    before, lobby.here = lobby.here, name
    try:
        return Fence(name, Votes(), lobby.clock).is_home()
    except NotHome:
        return False
    finally:
        lobby.here = before


def promoted(lobby: Regions, region: Region, patience: int = 10) -> int:
    """Request a promotion until it is done, as lobbyctl does; return the minutes that it took."""
    for minutes in range(patience):
        lobby.here = region
        promotion = lobby.lease(region).promote()
        lobby.here = lobby.names[0]
        if promotion.done:
            return minutes
        assert promotion.wait_ms > 0
        lobby.pass_minutes(1)
    raise AssertionError("not promoted")


def test_the_first_region_begins_the_lease_and_the_others_do_not(calls: Calls) -> None:
    with regions(calls) as lobby:
        assert lobby.keep(FRANKFURT) == ALONE
        assert writers(lobby) == []
        assert lobby.keep(DUBLIN) == BEGUN
        assert lobby.keep(FRANKFURT) == DOOR
        assert writers(lobby) == [DUBLIN]


def test_a_lobby_does_not_begin_while_a_region_could_have_another_home(calls: Calls) -> None:
    with regions(calls) as lobby:
        lobby.down = {FRANKFURT}
        assert lobby.keep(DUBLIN) == ALONE


def test_the_lease_renewal_extends_the_lease_without_end(two: Regions) -> None:
    two.pass_minutes(30)
    assert writers(two) == [DUBLIN]
    assert two.keep(DUBLIN) == EXTENDED


def test_a_lease_ends_five_minutes_after_the_last_run_of_the_renewal(two: Regions) -> None:
    two.now += LEASE_MS - 1
    assert writers(two) == [DUBLIN]
    two.now += 1
    assert writers(two) == []


def test_of_two_regions_the_home_stops_when_it_loses_the_other_until_the_operator_decides(two: Regions) -> None:
    two.down = {FRANKFURT}
    assert two.keep(DUBLIN) == ALONE
    two.pass_minutes(5)
    assert writers(two) == []
    two.lease(DUBLIN).continue_without(FRANKFURT)
    assert two.keep(DUBLIN) == EXTENDED
    assert _writes(two, DUBLIN)


def test_a_region_that_returns_joins_again_automatically(two: Regions) -> None:
    two.down = {FRANKFURT}
    two.lease(DUBLIN).continue_without(FRANKFURT)
    two.pass_minutes(6)
    two.down = set()
    two.pass_minutes(1)
    two.down = {FRANKFURT}
    assert two.keep(DUBLIN) == ALONE


def test_the_home_continues_without_a_region_only_while_that_does_not_answer(two: Regions) -> None:
    with pytest.raises(Conflict, match="REGION_ANSWERS"):
        two.lease(DUBLIN).continue_without(FRANKFURT)
    with pytest.raises(InvalidInput, match="UNKNOWN_REGION"):
        two.lease(DUBLIN).continue_without(OHIO)
    two.down = {DUBLIN}
    two.here = FRANKFURT
    with pytest.raises(NotHome, match="NOT_HOME"):
        two.lease(FRANKFURT).continue_without(DUBLIN)


def test_the_home_continues_when_the_region_that_was_to_become_home_is_lost(two: Regions) -> None:
    two.here = FRANKFURT
    assert not two.lease(FRANKFURT).promote().done
    two.here, two.down = DUBLIN, {FRANKFURT}
    two.pass_minutes(10)
    assert two.keep(DUBLIN) == ENDING
    two.lease(DUBLIN).continue_without(FRANKFURT)
    assert two.keep(DUBLIN) == EXTENDED
    two.down = set()
    two.pass_minutes(1)
    assert writers(two) == [DUBLIN]


def test_of_three_regions_the_home_continues_automatically_when_one_is_lost(three: Regions) -> None:
    three.down = {OHIO}
    three.pass_minutes(10)
    assert _writes(three, DUBLIN)
    three.down = {OHIO, FRANKFURT}
    assert three.keep(DUBLIN) == ALONE


def test_after_the_loss_of_the_home_another_region_is_promoted_when_the_lease_has_ended(two: Regions) -> None:
    two.down = {DUBLIN}
    assert promoted(two, FRANKFURT) == (LEASE_MS + MARGIN_MS) // MINUTE
    assert _writes(two, FRANKFURT)
    two.pass_minutes(10)
    assert _writes(two, FRANKFURT)


def test_an_old_home_that_returns_cannot_write_and_finds_the_new_home(two: Regions) -> None:
    two.down = {DUBLIN}
    promoted(two, FRANKFURT)
    two.down = set()
    assert not _writes(two, DUBLIN)
    assert two.keep(DUBLIN) == LOST
    assert two.keep(DUBLIN) == DOOR
    two.pass_minutes(10)
    assert writers(two) == [FRANKFURT]


def test_an_old_home_that_is_cut_off_stops_before_the_other_one_begins(two: Regions) -> None:
    two.cut = {frozenset({DUBLIN, FRANKFURT})}
    took = 0
    while not _writes(two, FRANKFURT):
        assert took <= 10
        two.here = FRANKFURT
        two.lease(FRANKFURT).promote()
        assert len(writers(two)) <= 1
        two.pass_minutes(1)
        took += 1
    assert writers(two) == [FRANKFURT]
    two.cut = set()
    two.pass_minutes(10)
    assert writers(two) == [FRANKFURT]


def test_a_planned_handover_takes_the_margin_only_and_never_has_two_writers(two: Regions) -> None:
    two.here = FRANKFURT
    first = two.lease(FRANKFURT).promote()
    assert (first.done, first.wait_ms) == (False, MARGIN_MS)
    assert writers(two) == []
    assert two.keep(DUBLIN) == ENDING
    two.replicate(DUBLIN, FRANKFURT)
    two.now += MARGIN_MS
    assert two.lease(FRANKFURT).promote().done
    assert writers(two) == [FRANKFURT]


def test_a_handover_can_be_taken_back(two: Regions) -> None:
    two.here = FRANKFURT
    two.lease(FRANKFURT).promote()
    assert promoted(two, DUBLIN) == 1
    assert writers(two) == [DUBLIN]


def test_a_promotion_that_is_requested_again_changes_nothing(two: Regions) -> None:
    promoted(two, FRANKFURT)
    again = two.lease(FRANKFURT).promote()
    assert (again.done, again.epoch) == (True, 2)


def test_of_three_regions_none_is_promoted_without_a_majority(three: Regions) -> None:
    three.down = {DUBLIN, OHIO}
    three.here = FRANKFURT
    with pytest.raises(NotHome, match="NO_MAJORITY: got an answer of 1 Regions, want 2 of 3"):
        three.lease(FRANKFURT).promote()


def test_of_three_regions_the_votes_of_the_others_decide_although_the_home_is_cut_off_from_one(three: Regions) -> None:
    three.cut = {frozenset({DUBLIN, FRANKFURT})}
    three.pass_minutes(10)
    assert _writes(three, DUBLIN)
    three.here = FRANKFURT
    promotion = three.lease(FRANKFURT).promote()
    assert not promotion.done
    assert promotion.wait_ms > LEASE_MS - MINUTE


def test_two_homes_that_an_operator_has_made_during_a_partition_both_stop_when_it_ends(two: Regions) -> None:
    two.cut = {frozenset({DUBLIN, FRANKFURT})}
    promoted(two, FRANKFURT)
    two.lease(DUBLIN).continue_without(FRANKFURT)
    two.pass_minutes(1)
    assert writers(two) == [DUBLIN, FRANKFURT]
    two.cut = set()
    two.pass_minutes(1)
    assert writers(two) == [FRANKFURT]


def test_two_homes_of_one_epoch_both_end_their_leases_and_one_is_promoted(two: Regions) -> None:
    votes = Votes()
    known = votes.read(FRANKFURT)
    assert isinstance(known, Vote)
    assert votes.write(FRANKFURT, known, replace(known, home=FRANKFURT, revision=known.revision + 1))
    assert two.keep(DUBLIN) == LOST
    assert two.keep(FRANKFURT) == LOST
    assert writers(two) == []
    promoted(two, FRANKFURT)
    two.pass_minutes(1)
    assert writers(two) == [FRANKFURT]


def test_the_home_of_two_regions_is_not_promoted_again_because_the_other_one_may_be_home(two: Regions) -> None:
    two.down = {FRANKFURT}
    two.now += LEASE_MS + MARGIN_MS
    with pytest.raises(NotHome, match="LEASE_EXPIRED: got the home eu-west-1, whose lease has ended"):
        two.lease(DUBLIN).promote()
    two.down = set()
    assert two.lease(DUBLIN).promote().done


@pytest.mark.parametrize("cut_after", [1, 2, 3, 4])
def test_a_promotion_that_is_interrupted_between_two_calls_is_repeated(three: Regions, cut_after: int) -> None:
    three.down = {DUBLIN}
    three.now += LEASE_MS + MARGIN_MS
    three.here = FRANKFURT
    three.calls.forget()
    three.calls.cut_after = cut_after
    with pytest.raises(CutOff):
        three.lease(FRANKFURT).promote()
    three.calls.cut_after = None
    assert three.lease(FRANKFURT).promote().done
    assert _writes(three, FRANKFURT)


@pytest.mark.parametrize("cut_after", [1, 2, 3, 4])
def test_an_extension_that_is_interrupted_between_two_calls_is_repeated(two: Regions, cut_after: int) -> None:
    two.calls.forget()
    two.calls.cut_after = cut_after
    with pytest.raises(CutOff):
        two.lease(DUBLIN).keep()
    two.calls.cut_after = None
    assert two.lease(DUBLIN).keep() == EXTENDED


def test_the_decision_to_go_on_without_a_region_ends_with_the_lease(two: Regions) -> None:
    two.cut = {frozenset({DUBLIN, FRANKFURT})}
    two.lease(DUBLIN).continue_without(FRANKFURT)
    assert two.keep(DUBLIN) == EXTENDED
    two.cut, two.down = set(), {DUBLIN}
    promoted(two, FRANKFURT)
    two.cut, two.down = {frozenset({DUBLIN, FRANKFURT})}, set()
    two.pass_minutes(10)
    assert writers(two) == [FRANKFURT]
    assert two.keep(DUBLIN) == ALONE


def test_a_door_reports_that_the_lease_of_the_home_has_ended(two: Regions) -> None:
    two.down = {DUBLIN}
    assert two.keep(FRANKFURT) == DOOR
    two.now += LEASE_MS
    assert two.keep(FRANKFURT) == ENDED


def test_a_promotion_that_is_interrupted_before_the_own_vote_is_reported_by_its_region(three: Regions) -> None:
    three.now += LEASE_MS + MARGIN_MS
    three.here = FRANKFURT
    three.lease(FRANKFURT).promote()
    three.replicate(DUBLIN, FRANKFURT)

    def unless_own(params: Any, call: Callable[[], Any]) -> Any:
        if params["Item"]["target"]["S"] == FRANKFURT:
            raise CutOff
        return call()

    three.calls.instead["PutItem"] = unless_own
    with pytest.raises(CutOff):
        three.lease(FRANKFURT).promote()
    three.calls.instead.clear()
    assert [three.keep(each) for each in three.names] == [DOOR, ENDED, DOOR]
