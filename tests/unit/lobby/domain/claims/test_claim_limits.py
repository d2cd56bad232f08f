"""The limits of a technician's claims."""

from datetime import UTC, datetime

import pytest

from lobby.domain.claims.claim_limits import (
    ClaimCounts,
    ClaimLimits,
    free,
    parse_limits,
    too_many_claims,
    too_many_codes,
)
from lobby.errors import InvalidInput

LIMITS = ClaimLimits(60, 1000, 10)
NOW = datetime(2026, 11, 30, 12, 59, 59, 900_000, tzinfo=UTC)


def test_limits_are_parsed() -> None:
    assert parse_limits("60/1000/10") == LIMITS


@pytest.mark.parametrize(
    "text", ["", "60", "60/1000", "0/1/1", "1/2/3/4", "-1/2/3", "1/2/1000000", "a/b/c", "1 /2/3", "1/2/3\n"]
)
def test_other_texts_are_refused_with_the_rule(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"INVALID_LIMITS: got the claim limits .* want devices a minute"):
        parse_limits(text)


@pytest.mark.parametrize(
    ("counts", "left"),
    [
        (ClaimCounts(), 60),
        (ClaimCounts(59, 59), 1),
        (ClaimCounts(60, 60), 0),
        (ClaimCounts(0, 999), 1),
        (ClaimCounts(0, 1000), 0),
        (ClaimCounts(70, 2000), 0),
    ],
)
def test_the_stricter_limit_counts(counts: ClaimCounts, left: int) -> None:
    assert free(LIMITS, counts) == left


@pytest.mark.parametrize(("counts", "window"), [(ClaimCounts(60, 60), "minute"), (ClaimCounts(0, 1000), "hour")])
def test_the_wait_ends_after_the_window(counts: ClaimCounts, window: str) -> None:
    refused = too_many_claims(LIMITS, counts, NOW)
    assert (refused.code, refused.retry_after) == ("RATE_LIMITED", 1)
    assert f"in this {window}" in refused.message
    assert too_many_claims(LIMITS, counts, NOW.replace(second=0, microsecond=0)).retry_after == 61
    assert too_many_codes(LIMITS, ClaimCounts(wrong_codes=10), NOW.replace(minute=0)).retry_after == 3541
