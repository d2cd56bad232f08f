"""The tiers' mechanism: which tests leave the default and the fast tier, in which order files run, and on which worker.

The lists are in `tier_lists.py` and `thinned_tables.py`. A tier is a selection by the marks `slow` and `full`
(`test.sh`), so pytest alone runs everything. The same tests are selected on every machine and every worker: nothing
depends on time or chance.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import hypothesis
import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests import tier_lists
from tests.full_variants import FULL
from tests.thinned_tables import THINNED

_E2E: Final = "e2e/"
_FULL_EXAMPLES: Final = 100
_FEW_EXAMPLES: Final = 25


def mark(items: Iterable[pytest.Item], root: str = "tests/") -> None:
    """Mark the tests that the default tier or the fast tier leaves out."""
    names = [(item, names_of(item.nodeid.removeprefix(root))) for item in items]
    for item, (file, *more) in names:
        if file.startswith(_E2E) and not {*more} & {f"{file}::{each}" for each in tier_lists.JOURNEYS.get(file, ())}:
            item.add_marker(pytest.mark.full)
        if not {file, *more}.isdisjoint(FULL):
            item.add_marker(pytest.mark.full)
        if not {file, *more}.isdisjoint(tier_lists.SLOW):
            item.add_marker(pytest.mark.slow)
    _thin(item_names for item_names in names if item_names[0].get_closest_marker("full") is None)


def _thin(names: Iterator[tuple[pytest.Item, Sequence[str]]]) -> None:
    """Of each thinned table, leave every n-th row in the default tier, beginning with the first."""
    rows: dict[str, int] = {}
    for item, (_file, function, *_row) in names:
        if function in THINNED:
            row = rows.setdefault(function, 0)
            rows[function] += 1
            if row % THINNED[function]:
                item.add_marker(pytest.mark.full)


def is_left_out(file: str, selection: str) -> bool:
    """Return whether a tier, given by its mark expression, runs no test of a file."""
    slow, full = "not slow" in selection, "not full" in selection
    return (slow and file in tier_lists.SLOW) or (full and tier_lists.JOURNEYS.get(file) == ())


def names_of(nodeid: str) -> Sequence[str]:
    """Return the names that match a test: its file, the test, and the test with its parameters."""
    file, _, test = nodeid.partition("::")
    function, bracket, _ = test.partition("[")
    return (file, f"{file}::{function}", f"{file}::{test}") if bracket else (file, f"{file}::{function}")


def sort(items: list[pytest.Item], root: str = "tests/") -> None:
    """Put the longest groups of files first, so that none of them runs alone at the end. Keep the order otherwise."""
    ranks = {name: rank for rank, name in enumerate(tier_lists.LONGEST_FIRST)}

    def rank(item: pytest.Item) -> int:
        file = item.nodeid.partition("::")[0].removeprefix(root)
        return min((ranks[each] for each in (file, group_of(file)) if each in ranks), default=len(ranks))

    items.sort(key=rank)


def group_of(file: str) -> str:
    """Return the group of a file: all of it runs on one worker, and what its tests share is created once."""
    return next((group for group, files in tier_lists.GROUPS.items() if file.startswith(files)), file)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives whole groups of files to the workers. The full tier gives single files, because its end-to-end tests take
    longer than a second deployment."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if is_full(self.config) else group_of(file.removeprefix("tests/"))


def try_few_examples() -> None:
    """Try a quarter of the random examples of each property. Modules that state a number use `examples`."""
    hypothesis.settings.register_profile("few", max_examples=_FEW_EXAMPLES)
    hypothesis.settings.load_profile("few")


def examples(full: int) -> int:
    """Return how many random examples of a property this tier tries, of those that the full tier tries."""
    return max(full * hypothesis.settings().max_examples // _FULL_EXAMPLES, 1)


def is_full(config: pytest.Config) -> bool:
    selection: Any = config.getoption("markexpr", default="")
    return "not full" not in str(selection)
