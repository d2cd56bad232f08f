"""How long the demonstration waits for a step."""

import io
from collections.abc import Iterator

import pytest

from infra.local.timeline import StepFailed, Timeline


def seconds() -> Iterator[float]:
    yield from range(100)


def test_a_step_that_takes_a_known_time_gets_it_in_addition_to_the_timeout() -> None:
    ticks = seconds()
    timeline = Timeline(io.StringIO(), lambda: next(ticks), timeout=2)
    looks = iter([None] * 5 + ["seen"])
    assert timeline.wait_for("step", lambda: next(looks), lambda: "nothing", planned=10) == "seen"


def test_a_step_that_takes_longer_fails_with_the_time_that_was_waited() -> None:
    ticks = seconds()
    timeline = Timeline(io.StringIO(), lambda: next(ticks), timeout=2)
    with pytest.raises(StepFailed, match="timeout after 5 s; last observed: nothing"):
        timeline.wait_for("step", lambda: None, lambda: "nothing", planned=3)
