"""The calls and units of each door, as `python -m tests.bench.doors` counts and prices them."""

import pytest

from tests.bench.doors import DOORS, count, section

AT_MOST = {
    "registration": {"calls": 8, "read_units": 0, "write_units": 15, "runs": 1, "registry": 2},
    "claim": {"calls": 5, "read_units": 3, "write_units": 15, "runs": 1, "registry": 2},
    "token": {"calls": 12, "read_units": 6, "write_units": 17, "runs": 2, "registry": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DOORS)
def test_a_door_stays_within_its_calls_and_units(name: str) -> None:
    found = count(DOORS[name])
    assert {what: found["total"].get(what, 0) for what in AT_MOST[name]} == AT_MOST[name]
    assert found["usd"] == pytest.approx(sum(found["costs"].values()), abs=0.01)
    assert section({name: found}).lines[0][0] == name
