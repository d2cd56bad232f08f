"""The limits of the campaign's benchmark."""

from dataclasses import replace

import pytest

from tests.bench.campaign import Figures

WITHIN = Figures(
    300,
    9.0,
    kills=2,
    moved=300,
    seconds=34.0,
    limit=33.5,
    share_of_rate=0.985,
    moved_once=300,
    idle_ms=100,
    single_same_ms=200,
    single_other_ms=150,
)


@pytest.mark.parametrize(
    ("changed", "is_within"),
    [
        ({}, True),
        ({"seconds": None, "share_of_rate": 0.0}, False),
        ({"share_of_rate": 0.94}, False),
        ({"moved": 299}, False),
        ({"moved_once": 299}, False),
        ({"single_same_ms": 201}, False),
        ({"single_other_ms": 201}, False),
    ],
)
def test_each_limit_decides(changed: dict[str, float], is_within: bool) -> None:
    assert replace(WITHIN, **changed).is_within is is_within  # type: ignore[arg-type]
