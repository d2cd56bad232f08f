"""Cutting items into chunks."""

from itertools import count

import pytest

from lobby.chunks import chunks


@pytest.mark.parametrize(
    ("items", "want"),
    [(0, []), (1, [[0]]), (2, [[0, 1]]), (3, [[0, 1], [2]]), (4, [[0, 1], [2, 3]])],
)
def test_items_are_cut_in_order(items: int, want: list[list[int]]) -> None:
    assert list(chunks(range(items), 2)) == want


def test_items_are_read_only_as_far_as_they_are_used() -> None:
    source = count()
    assert next(chunks(source, 3)) == [0, 1, 2]
    assert next(source) == 3


@pytest.mark.parametrize("size", [0, -1])
def test_chunks_have_at_least_one_item(size: int) -> None:
    with pytest.raises(ValueError, match="want at least 1"):
        list(chunks([1], size))
