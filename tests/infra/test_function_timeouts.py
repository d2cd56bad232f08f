"""The timeouts of Lambdas are longer than the time limits in their code."""

import pytest

from admin_api.graphql.limits import MAX_SECONDS
from commissioner.lanes.worker import SLICE
from infra.doors.registration import BATCH_SIZE, WORKERS, batch_size
from infra.parts.functions import ADMIN_API, BOUNCER, COMMISSIONER, EXPRESS
from lobby.domain.pacing import Pace


def test_a_hanging_call_ends_before_the_api_times_out() -> None:
    assert MAX_SECONDS + 7 < ADMIN_API.timeout < 30


def test_a_slice_of_a_lane_is_shorter_than_the_workers_time() -> None:
    assert SLICE.total_seconds() + 30 < COMMISSIONER.timeout == EXPRESS.timeout


@pytest.mark.parametrize("rate", range(1, 51))
def test_a_batch_of_registrations_waits_for_less_than_the_bouncers_time(rate: int) -> None:
    """The devices of a batch share one process, whose pace is a part of the rate."""
    pace = Pace(rate / WORKERS, max(1.0, rate / WORKERS))
    following, wait = float("-inf"), 0.0
    for _ in range(batch_size(rate)):
        wait, following = pace.reserve(following, 0.0)
    assert wait <= BOUNCER.timeout / 2


def test_batches_are_full_at_the_default_rate() -> None:
    assert [batch_size(rate) for rate in (1, 10, 50)] == [4, BATCH_SIZE, BATCH_SIZE]
