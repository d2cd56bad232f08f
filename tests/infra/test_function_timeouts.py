"""The timeouts of Lambdas are longer than the time limits in their code."""

from admin_api.graphql.limits import MAX_SECONDS
from commissioner.lane_worker import SLICE
from infra.functions import ADMIN_API, COMMISSIONER, EXPRESS


def test_a_hanging_call_ends_before_the_api_times_out() -> None:
    assert MAX_SECONDS + 7 < ADMIN_API.timeout < 30


def test_a_slice_of_a_lane_is_shorter_than_the_workers_time() -> None:
    assert SLICE.total_seconds() + 30 < COMMISSIONER.timeout == EXPRESS.timeout
