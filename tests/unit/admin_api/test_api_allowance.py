"""One request's allowance of devices and of time."""

import pytest

from admin_api.graphql.limits import MAX_BODY, MAX_BULK, MAX_SECONDS, RequestQuota, Resource
from infra.functions import ADMIN_API
from lobby.errors import InvalidInput
from lobby.wire import MAX_CONFIG_BYTES


def allowance() -> RequestQuota:
    return RequestQuota(lambda: 0.0)


@pytest.mark.parametrize("count", [1, 999, MAX_BULK])
def test_a_bulk_of_up_to_a_thousand_is_allowed(count: int) -> None:
    allowance().consume(Resource.FINGERPRINTS, count)


@pytest.mark.parametrize("count", [0, MAX_BULK + 1, 10**9])
def test_another_one_is_refused_with_what_was_asked_for(count: int) -> None:
    with pytest.raises(InvalidInput, match=f"INVALID_COUNT: got {count} fingerprints, want 1 to 1000 in one request"):
        allowance().consume(Resource.FINGERPRINTS, count)


def test_all_bulks_of_a_request_share_the_thousand() -> None:
    ours = allowance()
    ours.consume(Resource.FINGERPRINTS, 600)
    with pytest.raises(InvalidInput, match="got 401 fingerprints after 600, want"):
        ours.consume(Resource.FINGERPRINTS, 401)
    ours.consume(Resource.FINGERPRINTS, 400)


@pytest.mark.parametrize(
    ("seconds", "up"), [(0.0, False), (MAX_SECONDS - 0.1, False), (MAX_SECONDS, True), (1e9, True)]
)
def test_the_time_is_up_so_many_seconds_after_the_request_began(seconds: float, up: bool) -> None:
    moments = iter([1000.0, 1000.0 + seconds])
    assert RequestQuota(lambda: next(moments)).time_is_up() is up


def test_a_call_that_hangs_for_one_time_out_still_fits_into_the_lambdas_time() -> None:
    assert MAX_SECONDS + 7 < ADMIN_API.timeout < 30


def test_a_body_has_room_for_a_thousand_fingerprints_with_colons_the_largest_config_and_a_document() -> None:
    fingerprint = len('"' + ":".join(["AB"] * 32) + '", ')
    assert MAX_BULK * fingerprint + 2 * MAX_CONFIG_BYTES + 8 * 1024 <= MAX_BODY
