"""Whether a row matches a filter, for every field of a filter."""

from dataclasses import fields, replace
from typing import Any

import pytest

from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.ledger.lists.device_filter import Filter
from lobby.ledger.lists.filter_match import CHECKS, matches
from lobby.names import Fingerprint, RenewalStatus, ThingName, parse_target

A, B = parse_target("1" * 12, "eu-west-1"), parse_target("2" * 12, "us-east-1")
LATER, EARLIER = "9000-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000Z"
DEVICE = Device(
    Fingerprint("ab" * 32),
    State.FAILED,
    "2026-11-22T12:00:00.000Z",
    devicename=ThingName("sensor-1"),
    target=A,
    reason="TARGET_LIMIT",
    renew_by=LATER,
)
FIELDS: dict[str, tuple[Any, Any]] = {
    "state": (State.FAILED, State.ARRIVED),
    "target": (A, B),
    "name_prefix": ("sens", "other"),
    "fingerprint_prefix": ("abab", "abac"),
    "reason": ("TARGET_LIMIT", "CRL_STALE"),
    "entered_before": ("2026-11-22T12:00:00.001Z", "2026-11-22T12:00:00.000Z"),
    "renewal": (RenewalStatus.DUE, RenewalStatus.OVERDUE),
}
"""A value of each field that the device has, and one that it has not."""


def test_every_field_of_a_filter_is_checked() -> None:
    assert {field.name for field in fields(Filter)} == set(CHECKS) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_decides_whether_a_row_matches(name: str) -> None:
    right, wrong = FIELDS[name]
    assert matches(Filter(**{name: right}), DEVICE)
    assert not matches(Filter(**{name: wrong}), DEVICE)


def test_all_fields_must_match_and_an_empty_filter_matches_everything() -> None:
    assert matches(Filter(), DEVICE)
    assert matches(Filter(**{name: right for name, (right, _) in FIELDS.items()}), DEVICE)
    assert not matches(Filter(state=State.FAILED, target=B), DEVICE)


def test_a_device_without_name_matches_no_name() -> None:
    assert not matches(Filter(name_prefix="se"), Device(Fingerprint("ab" * 32), State.EXPECTED, ""))


@pytest.mark.parametrize(("by", "due", "overdue"), [(None, False, False), (LATER, True, False), (EARLIER, True, True)])
def test_an_overdue_device_is_due_too(by: str | None, due: bool, overdue: bool) -> None:
    device = replace(DEVICE, renew_by=by)
    assert matches(Filter(renewal=RenewalStatus.DUE), device) is due
    assert matches(Filter(renewal=RenewalStatus.OVERDUE), device) is overdue
