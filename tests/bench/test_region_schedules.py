"""Some of the random outages of a lobby with several Regions that `python -m tests.bench.regions` runs."""

import pytest

from lobby.domain.regions.home import Terms
from lobby.ledger.regions.home_fence import Fence
from tests.bench.region_schedules import simulate
from tests.bench.regions import counts


class Hasty(Terms):
    """A lease without the margin for writes in progress."""

    @property
    def margin(self) -> int:
        return 0

    @property
    def read_every(self) -> int:
        return 10_000


@pytest.mark.parametrize("regions", [2, 3])
def test_two_regions_never_write_at_the_same_time_whatever_is_down_or_cut_off(regions: int) -> None:
    found = simulate(regions, schedules=20, steps=720, seed=1)
    assert found.homes > 2 * found.schedules
    assert found.two_writers == 0


def test_without_the_margin_two_regions_would() -> None:
    assert simulate(3, schedules=20, steps=720, seed=1, terms=Hasty()).two_writers > 0


def test_if_doors_did_not_ask_the_home_itself_two_regions_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fence, "_require_of_home", lambda _fence, _vote: None)
    assert simulate(3, schedules=20, steps=720, seed=1).two_writers > 0


def test_an_onboarding_in_the_home_of_two_regions_makes_the_same_calls_and_one_read_of_the_vote() -> None:
    found = counts()
    assert found["one_region"]["vote_reads"] == 0
    assert found["home_of_two"]["calls"] - found["home_of_two"]["vote_reads"] == found["one_region"]["calls"]
    assert found["home_of_two"]["vote_reads"] == 1
    assert found["home_of_two"]["row_bytes"] - found["one_region"]["row_bytes"] < 10
