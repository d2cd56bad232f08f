"""The number of devices that match a filter: exact from the counts, or unknown."""

from typing import Any

import pytest

from lobby.domain.states import State
from lobby.ledger.lists.counts import Bucket, Tally
from lobby.ledger.lists.device_filter import Filter
from lobby.ledger.lists.totals import is_counted, total_of
from lobby.names import RenewalStatus, parse_target

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
TALLIES = (
    Tally(Bucket(State.INLOBBY), 5),
    Tally(Bucket(State.ARRIVED, A), 7),
    Tally(Bucket(State.ARRIVED, B), 11),
    Tally(Bucket(State.FAILED, A, "TARGET_LIMIT"), 13),
    Tally(Bucket(State.FAILED, B, "TARGET_LIMIT"), 17),
    Tally(Bucket(State.FAILED, A, "UNKNOWN_TARGET"), 19),
    Tally(Bucket(State.REFUSED, None, "EXPIRED"), 23),
    Tally(Bucket("of a newer version", A), 29),
)


@pytest.mark.parametrize(
    ("wanted", "total"),
    [
        ({}, 124),
        ({"state": State.ARRIVED}, 18),
        ({"target": A}, 68),
        ({"state": State.ARRIVED, "target": B}, 11),
        ({"state": State.FAILED, "reason": "TARGET_LIMIT"}, 30),
        ({"state": State.FAILED, "reason": "TARGET_LIMIT", "target": B}, 17),
        ({"state": State.REFUSED, "reason": "EXPIRED"}, 23),
        ({"state": State.CLAIMED}, 0),
        ({"state": State.FAILED, "reason": "CRL_STALE"}, 0),
    ],
)
def test_a_filter_by_state_target_and_their_reason_is_counted(wanted: dict[str, Any], total: int) -> None:
    assert total_of(TALLIES, Filter(**wanted)) == total


@pytest.mark.parametrize(
    "wanted",
    [
        {"name_prefix": "se"},
        {"fingerprint_prefix": "abcd"},
        {"renewal": RenewalStatus.DUE},
        {"state": State.ARRIVED, "entered_before": "2026-11-22T12:00:00.000Z"},
        {"reason": "TARGET_LIMIT"},
        {"reason": "TARGET_LIMIT", "target": A},
        {"reason": "TARGET_LIMIT", "state": State.INLOBBY},
    ],
)
def test_for_any_other_filter_the_number_is_unknown(wanted: dict[str, Any]) -> None:
    """A device that waits can have the reason of a target that was not cleared, which no count has."""
    assert not is_counted(Filter(**wanted))
    assert total_of(TALLIES, Filter(**wanted)) is None
