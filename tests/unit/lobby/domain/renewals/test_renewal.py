"""When the renewal of a certificate is due or overdue, and the stage of a renewal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lobby.domain.device import Device
from lobby.domain.renewals.renewal import Renewal, RenewalPolicy, deadline, due_at, is_overdue, parse_policy, stage_of
from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.names import Fingerprint
from tests.unit.lobby.domain.sample_devices import CERTID, T, arrived

ADMITTED = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = RenewalPolicy(365, 30)
NEW = Fingerprint("cd" * 32)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "365/30",
        {},
        {"maximum_age": 365},
        {"maximum_age": 365, "grace": 30, "signer": "kms"},
        {"maximum_age": 0, "grace": 1},
        {"maximum_age": 3651, "grace": 1},
        {"maximum_age": 365, "grace": 0},
        {"maximum_age": 365, "grace": 366},
        {"maximum_age": 365.0, "grace": 30},
        {"maximum_age": True, "grace": True},
        {"maximum_age": "365", "grace": 30},
        {"maximum_age": 10, "grace": 11},
    ],
    ids=str,
)
def test_a_policy_that_breaks_a_rule_is_rejected(value: object) -> None:
    with pytest.raises(InvalidInput, match="INVALID_RENEWAL: got "):
        parse_policy(value)


def test_a_policy_is_two_numbers_of_days() -> None:
    assert parse_policy({"maximum_age": 365, "grace": 30}) == POLICY


@pytest.mark.parametrize(
    ("changes", "policy", "due"),
    [
        ({}, POLICY, ADMITTED + timedelta(days=365)),
        ({}, None, None),
        ({"firstseen": None}, POLICY, None),
        ({"renewed_at": "2027-11-22T12:00:00.000Z"}, POLICY, datetime(2028, 11, 21, 12, tzinfo=UTC)),
        ({"expires": "2027-01-31"}, POLICY, datetime(2027, 1, 1, tzinfo=UTC)),
        ({"expires": "9999-12-31"}, POLICY, ADMITTED + timedelta(days=365)),
        ({"expires": "0001-01-02"}, POLICY, datetime(1, 1, 1, tzinfo=UTC)),
    ],
    ids=str,
)
def test_a_certificate_is_due_by_age_or_a_grace_period_before_it_expires(
    changes: dict[str, str | None], policy: RenewalPolicy | None, due: datetime | None
) -> None:
    assert due_at(replace(arrived(), **changes), policy) == due  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expires", "due"),
    [
        ("2026-12-12", datetime(2026, 12, 2, 6, tzinfo=UTC)),
        ("2027-02-01", datetime(2027, 1, 2, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 10, 23, tzinfo=UTC)),
    ],
    ids=["shorter than the grace period", "longer", "expired at once"],
)
def test_a_renewed_certificate_that_is_short_is_due_after_half_of_its_time(expires: str, due: datetime) -> None:
    device = replace(arrived(), renewed_at="2026-11-22T12:00:00.000Z", expires=expires)
    assert due_at(device, POLICY) == due


def test_a_device_that_is_found_late_has_the_whole_grace_period() -> None:
    device, found = arrived(), ADMITTED + timedelta(days=1000)
    assert deadline(device, POLICY, found) == found + timedelta(days=30)
    assert deadline(device, POLICY, ADMITTED + timedelta(days=364)) is None
    assert deadline(device, None, found) is None


@pytest.mark.parametrize(("policy", "days"), [(None, 30), (RenewalPolicy(365, 7), 7)], ids=["no policy", "a policy"])
def test_a_first_certificate_that_is_to_be_replaced_is_due_immediately(policy: RenewalPolicy | None, days: int) -> None:
    assert deadline(arrived(), policy, ADMITTED, replaces_first=True) == ADMITTED + timedelta(days=days)
    renewed = replace(arrived(), renewed_at="2026-11-22T12:00:00.000Z")
    assert deadline(renewed, policy, ADMITTED, replaces_first=True) is None


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({}, None),
        ({"renew_by": T}, Renewal.DUE),
        ({"renew_by": T, "pending": NEW, "devstate": State.CLAIMED}, Renewal.SIGNED),
        ({"renew_by": T, "pending": NEW, "devstate": State.FAILED}, Renewal.SIGNED),
        ({"renew_by": T, "pending": NEW, "devstate": State.COMMISSIONED}, Renewal.COMMISSIONED),
        ({"certificate": NEW, "retiring": (CERTID,)}, Renewal.PROVEN),
        ({"certificate": NEW}, None),
    ],
    ids=str,
)
def test_the_row_states_how_far_a_renewal_is(changes: dict[str, object], stage: Renewal | None) -> None:
    assert stage_of(replace(arrived(), **changes)) is stage  # type: ignore[arg-type]


def test_a_device_is_overdue_after_its_deadline_until_it_has_renewed() -> None:
    due: Device = replace(arrived(), renew_by=T)
    assert not is_overdue(due, T)
    assert is_overdue(due, "2026-11-22T12:00:00.001Z")
    assert not is_overdue(arrived(), "2099-01-01T00:00:00.000Z")
