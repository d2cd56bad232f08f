"""The quota of a request, and the limits of size and time."""

import pytest

from admin_api.graphql.limits import MAX_BODY, MAX_BULK, MAX_SECONDS, RequestQuota, Resource, nesting
from lobby.errors import InvalidInput
from lobby.wire import MAX_CONFIG_BYTES


def quota() -> RequestQuota:
    return RequestQuota(lambda: 0.0)


@pytest.mark.parametrize("count", [1, 999, MAX_BULK])
def test_up_to_a_thousand_fingerprints_are_within_the_quota(count: int) -> None:
    quota().consume(Resource.FINGERPRINTS, count)


@pytest.mark.parametrize("count", [0, MAX_BULK + 1, 10**9])
def test_a_count_outside_the_quota_is_rejected(count: int) -> None:
    with pytest.raises(InvalidInput, match=f"INVALID_COUNT: got {count} fingerprints, want 1 to 1000 in one request"):
        quota().consume(Resource.FINGERPRINTS, count)


def test_all_bulks_of_a_request_share_the_thousand() -> None:
    shared = quota()
    shared.consume(Resource.FINGERPRINTS, 600)
    with pytest.raises(InvalidInput, match="got 401 fingerprints after 600, want"):
        shared.consume(Resource.FINGERPRINTS, 401)
    shared.consume(Resource.FINGERPRINTS, 400)


@pytest.mark.parametrize(
    ("seconds", "up"), [(0.0, False), (MAX_SECONDS - 0.1, False), (MAX_SECONDS, True), (1e9, True)]
)
def test_the_time_limit_starts_with_the_request(seconds: float, up: bool) -> None:
    readings = iter([1000.0, 1000.0 + seconds])
    assert RequestQuota(lambda: next(readings)).time_is_up() is up


def test_the_body_limit_fits_a_full_bulk_claim() -> None:
    fingerprint = len('"' + ":".join(["AB"] * 32) + '", ')
    assert MAX_BULK * fingerprint + 2 * MAX_CONFIG_BYTES + 8 * 1024 <= MAX_BODY


@pytest.mark.parametrize(
    ("document", "depth"),
    [
        ("{a(b:[[1]]){c}}", 4),
        ('{a(b:"[[[[")} # [[[[', 2),
        ('{a(b:"""[[ " \\""" [[""") {c}}', 2),
        ('"\\"[[["{', 1),
        ("[" * 900 + "]" * 900, 900),
        ("", 0),
    ],
)
def test_brackets_in_strings_and_comments_are_not_nested(document: str, depth: int) -> None:
    assert nesting(document) == depth
