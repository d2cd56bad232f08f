"""The index that answers a list with the fewest rows."""

import pytest

from lobby.domain.states import State
from lobby.ledger.lists.counts import Bucket, Tally
from lobby.ledger.lists.device_filter import Filter
from lobby.ledger.lists.index_plan import IndexPlan
from lobby.ledger.lists.selectivity import ONE_REQUEST, choose
from lobby.names import RenewalStatus, parse_target

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
FLEET = (
    Tally(Bucket(State.ARRIVED, A), 40_000),
    Tally(Bucket(State.ARRIVED, B), 5_000),
    Tally(Bucket(State.FAILED, A, "TARGET_LIMIT"), 300),
    Tally(Bucket(State.FAILED, B, "TARGET_LIMIT"), 20),
    Tally(Bucket(State.INLOBBY), 4_000),
)
MANY = ONE_REQUEST + 1


def plan(wanted: Filter, names: int | None = None, due: int | None = None) -> str:
    """Return the name of the plan; `names` have the prefix, and `due` are to renew (None: they must not be counted)."""

    def count(counted: IndexPlan, _wanted: Filter) -> int:
        found = {"name": names, "renewal": due}[counted.name]
        assert found is not None, f"{counted.name} is counted"
        return found

    return choose(wanted, lambda: FLEET, count).name


@pytest.mark.parametrize(
    ("wanted", "names", "expected"),
    [
        (Filter(State.FAILED, name_prefix="sensor"), None, "state"),
        (Filter(State.FAILED, B), None, "state"),
        (Filter(State.ARRIVED, B), None, "target"),
        (Filter(State.ARRIVED, name_prefix="sensor-1"), 10, "name"),
        (Filter(State.INLOBBY, name_prefix="sensor-1"), 10, "name"),
        (Filter(State.INLOBBY, name_prefix="sensor"), MANY, "state"),
        (Filter(State.ARRIVED, name_prefix="sensor"), MANY, "name"),
        (Filter(State.ARRIVED, B, "sensor"), MANY, "target"),
        (Filter(State.FAILED, fingerprint_prefix="abcd"), None, "print"),
        (Filter(State.FAILED, fingerprint_prefix="abcd", name_prefix="se"), None, "print"),
    ],
    ids=repr,
)
def test_the_plan_with_the_fewest_rows_is_chosen(wanted: Filter, names: int | None, expected: str) -> None:
    assert plan(wanted, names) == expected


DUE = RenewalStatus.DUE


@pytest.mark.parametrize(
    ("wanted", "names", "due", "expected"),
    [
        (Filter(name_prefix="sensor", renewal=DUE), 10, 3, "renewal"),
        (Filter(name_prefix="sensor", renewal=DUE), 3, 10, "name"),
        (Filter(name_prefix="sensor", renewal=DUE), 3, MANY, "name"),
        (Filter(State.FAILED, B, "sensor", renewal=DUE), MANY, 10, "renewal"),
        (Filter(fingerprint_prefix="abcdef", renewal=DUE), None, None, "print"),
        (Filter(fingerprint_prefix="abcd", renewal=DUE), None, None, "print"),
    ],
    ids=repr,
)
def test_due_devices_are_searched_by_the_smallest_suitable_index(
    wanted: Filter, names: int | None, due: int | None, expected: str
) -> None:
    assert plan(wanted, names, due) == expected


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(renewal=DUE), "renewal"),
        (Filter(State.ARRIVED, A, renewal=RenewalStatus.OVERDUE), "renewal"),
        (Filter(), "all"),
        (Filter(reason="TARGET_LIMIT"), "all"),
        (Filter(State.ARRIVED), "state"),
        (Filter(target=A), "target"),
        (Filter(name_prefix="sensor"), "name"),
        (Filter(State.FAILED, fingerprint_prefix="ab" * 32), "print"),
    ],
    ids=repr,
)
def test_without_a_choice_nothing_is_read(wanted: Filter, expected: str) -> None:
    def fail() -> tuple[Tally, ...]:
        raise AssertionError("the counts are read")

    assert choose(wanted, fail).name == expected
