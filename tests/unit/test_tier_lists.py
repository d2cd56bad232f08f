"""The lists of the tiers fit the tests, and are applied as they say."""

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import hypothesis
import pytest

from tests import tier_lists, tiers
from tests.full_variants import FULL
from tests.thinned_tables import THINNED

TESTS = Path(__file__).parents[1]
JOURNEYS = [f"{file}::{test}" for file, listed in tier_lists.JOURNEYS.items() for test in listed]


class Item:
    """A collected test, as far as the tiers use one."""

    def __init__(self, nodeid: str, *marks: str) -> None:
        self.nodeid = nodeid
        self.marks = {*marks}

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.marks.add(mark.name)

    def get_closest_marker(self, name: str) -> str | None:
        return name if name in self.marks else None


def marked(*items: Item) -> list[Item]:
    tiers.mark(cast(list[Any], items))
    return [*items]


def ordered(*nodeids: str) -> list[str]:
    items = [Item(each) for each in nodeids]
    tiers.sort(cast(list[Any], items))
    return [each.nodeid for each in items]


@cache
def functions(file: str) -> dict[str, Sequence[str]]:
    """Return the source of the decorators of each test in a file."""
    tree = ast.parse((TESTS / file).read_text())
    return {
        each.name: [ast.unparse(one) for one in each.decorator_list]
        for each in tree.body
        if isinstance(each, ast.FunctionDef)
    }


@pytest.mark.parametrize("name", [*FULL, *tier_lists.SLOW, *THINNED, *JOURNEYS])
def test_a_listed_test_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert (TESTS / file).is_file()
    assert not test or test.partition("[")[0] in functions(file)


@pytest.mark.parametrize("name", [each for files in tier_lists.GROUPS.values() for each in files])
def test_a_group_holds_files(name: str) -> None:
    assert [*TESTS.glob(f"{name}*")]


@pytest.mark.parametrize("name", tier_lists.LONGEST_FIRST)
def test_what_starts_first_is_a_group_or_a_file(name: str) -> None:
    assert name in tier_lists.GROUPS or (TESTS / name).is_file()


def test_every_end_to_end_file_is_listed() -> None:
    found = {f"e2e/{path.name}" for path in (TESTS / "e2e").glob("test_*.py")}
    missing = found - {*tier_lists.JOURNEYS}
    assert not missing, f"add to JOURNEYS in tests/tier_lists.py, with () if only the full tier runs it: {missing}"
    assert {*tier_lists.JOURNEYS} == found


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_journey_is_not_marked_for_the_full_tier(name: str) -> None:
    file, _, test = name.partition("::")
    decorators = functions(file)[test.partition("[")[0]]
    assert "pytest.mark.full" not in decorators
    assert "pytestmark = pytest.mark.full" not in (TESTS / file).read_text()


def test_an_end_to_end_test_is_in_the_full_tier_unless_it_is_a_journey() -> None:
    file, listed = next((file, listed) for file, listed in tier_lists.JOURNEYS.items() if listed)
    journey, other, new = marked(
        Item(f"tests/{file}::{listed[0]}"), Item(f"tests/{file}::test_x"), Item("tests/e2e/test_new.py::test_x[1]")
    )
    assert (journey.marks, other.marks, new.marks) == (set(), {"full"}, {"full"})


def test_all_parameters_of_a_listed_journey_are_in_the_default_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tier_lists, "JOURNEYS", {"e2e/test_a.py": ("test_b", "test_c[1]")})
    items = marked(
        *(Item(f"tests/e2e/test_a.py::{test}") for test in ("test_b[1]", "test_b[2]", "test_c[1]", "test_c[2]"))
    )
    assert [each.marks for each in items] == [set(), set(), set(), {"full"}]


def test_every_nth_row_of_a_thinned_table_stays_in_the_default_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(THINNED, "unit/test_a.py::test_b", 3)
    rows = [Item(f"tests/unit/test_a.py::test_b[{number}]", *["full"] * (number == 1)) for number in range(6)]
    others = [Item(f"tests/unit/test_a.py::test_c[{number}]") for number in range(6)]
    marked(*(each for pair in zip(rows, others, strict=True) for each in pair))
    assert [not each.marks for each in rows] == [True, False, False, False, True, False]
    assert not any(each.marks for each in others)


def test_a_listed_file_leaves_the_fast_tier() -> None:
    slow, fast = marked(Item(f"tests/{tier_lists.SLOW[0]}::test_x"), Item("tests/unit/test_x.py::test_x"))
    assert (slow.marks, fast.marks) == ({"slow"}, set())


@pytest.mark.parametrize(
    ("file", "selection", "left_out"),
    [
        (tier_lists.SLOW[0], "not e2e and not slow and not full", True),
        (tier_lists.SLOW[0], "not full", False),
        ("e2e/test_e2e_bundle.py", "not full", True),
        ("e2e/test_e2e_bundle.py", "", False),
        ("e2e/test_e2e_api.py", "not full", False),
        ("unit/test_x.py", "not e2e and not slow and not full", False),
    ],
)
def test_a_file_is_left_out_if_its_tier_runs_none_of_its_tests(file: str, selection: str, left_out: bool) -> None:
    assert tiers.is_left_out(file, selection) is left_out


def test_a_name_is_that_of_a_file_a_test_or_its_parameters() -> None:
    assert tiers.names_of("a/test_b.py::test_c[d[0]]") == (
        "a/test_b.py",
        "a/test_b.py::test_c",
        "a/test_b.py::test_c[d[0]]",
    )


def test_the_longest_groups_start_first_and_the_order_is_kept_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tier_lists, "GROUPS", {"one deployment": ("e2e/",)})
    monkeypatch.setattr(tier_lists, "LONGEST_FIRST", ("one deployment", "unit/test_long.py"))
    nodeids = (
        "tests/bench/test_a.py::a",
        "tests/e2e/test_b.py::b",
        "tests/e2e/test_a.py::a",
        "tests/unit/test_long.py::c",
    )
    assert ordered(*nodeids) == [nodeids[1], nodeids[2], nodeids[3], nodeids[0]]


def test_a_group_is_one_unit_of_work_and_other_files_are_one_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tier_lists, "GROUPS", {"one deployment": ("e2e/", "unit/test_b")})
    groups = {file: tiers.group_of(file) for file in ("e2e/test_a.py", "unit/test_b.py", "unit/test_a.py")}
    assert groups == {
        "e2e/test_a.py": "one deployment",
        "unit/test_b.py": "one deployment",
        "unit/test_a.py": "unit/test_a.py",
    }


def test_only_the_full_tier_tries_all_random_examples() -> None:
    profile = hypothesis.settings.get_current_profile_name()
    try:
        hypothesis.settings.load_profile("default")
        assert [tiers.examples(full) for full in (100, 400, 3)] == [100, 400, 3]
        tiers.try_few_examples()
        assert [hypothesis.settings().max_examples, *(tiers.examples(full) for full in (400, 3))] == [25, 100, 1]
    finally:
        hypothesis.settings.load_profile(profile)
