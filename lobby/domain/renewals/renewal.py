"""When the renewal of a device's certificate is due, and the progress of its renewal.

A policy is part of a profile or of an enrolment; the enrolment's has precedence. The age of the first certificate
counts from the admission, because a device may have been in storage for years before. The age of a renewed certificate
counts from its first use. A certificate that expires sooner is due one grace period before it expires. A renewed
certificate with a short validity, for example from a CA that ends soon, is due when half of its time is over. Otherwise
a device would renew each day. `renewal_transitions` has the changes of each step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from lobby.domain.device import Device
from lobby.domain.states import PLACED_STATES
from lobby.errors import InvalidInput
from lobby.names import shown

MAX_AGE_DAYS: Final = range(1, 3651)
GRACE_DAYS: Final = range(1, 366)
DEFAULT_GRACE: Final = timedelta(days=30)
"""The grace period without a policy: a user requests the renewal, or the first certificate must be replaced."""
_FIELDS: Final = ("maximum_age", "grace")


@dataclass(frozen=True)
class RenewalPolicy:
    """Both in days. A certificate that is older than `maximum_age` is due, and overdue after `grace` more."""

    maximum_age: int
    grace: int


class Renewal(StrEnum):
    """The progress of a device's renewal. A device without a renewal is not due."""

    DUE = "due"
    """The device is asked each day, unless its client cannot renew."""
    SIGNED = "signed"
    """The new certificate exists and works in the lobby."""
    COMMISSIONED = "commissioned"
    """The new certificate works in the target, as does the old one."""
    PROVEN = "proven"
    """The device has connected with the new certificate. The old one is being retired."""


def parse_policy(value: object) -> RenewalPolicy:
    """Return the policy in a file or a request: whole numbers of days. Raise `InvalidInput` INVALID_RENEWAL."""
    if not isinstance(value, Mapping) or set(value) != set(_FIELDS):
        raise _bad(f"{shown(value)}, want {' and '.join(_FIELDS)}, in days")
    age, grace = (_days(value, name, days) for name, days in zip(_FIELDS, (MAX_AGE_DAYS, GRACE_DAYS), strict=True))
    if grace > age:
        raise _bad(f"a grace period of {grace} days, want at most the maximum age of {age} days")
    return RenewalPolicy(age, grace)


def _days(value: Mapping[str, Any], name: str, allowed: range) -> int:
    number = value[name]
    if type(number) is not int or number not in allowed:
        raise _bad(f"{name} {shown(number)}, want {allowed[0]} to {allowed[-1]} days")
    return number


def due_at(device: Device, policy: RenewalPolicy | None) -> datetime | None:
    """Return when the device's current certificate is due; None without a policy, or for a row without a date."""
    since = device.renewed_at or device.firstseen
    if policy is None or since is None:
        return None
    begin, expires = datetime.fromisoformat(since), expiry_of(device)
    by_age = begin + timedelta(days=policy.maximum_age)
    if expires is None:
        return by_age
    by_expiry = _earlier(expires, policy.grace)
    if device.renewed_at is not None and begin < expires:
        by_expiry = max(by_expiry, begin + (expires - begin) / 2)
    return min(by_age, by_expiry)


def deadline(
    device: Device, policy: RenewalPolicy | None, at: datetime, *, replaces_first: bool = False
) -> datetime | None:
    """Return the time by which a device that is due at `at` has to renew; None if it is not due. A device that is found
    late, because the policy is new or the device was away, gets the whole grace period. `replaces_first`: a certificate
    that was never renewed is due at any age."""
    if replaces_first and device.renewed_at is None:
        return at + (timedelta(days=policy.grace) if policy else DEFAULT_GRACE)
    due = due_at(device, policy)
    if policy is None or due is None or due > at:
        return None
    return at + timedelta(days=policy.grace)


def expiry_of(device: Device) -> datetime | None:
    """Return when the current certificate expires: the end of the day of its `notAfter`. None if the row has no
    date."""
    return None if device.expires is None else datetime.fromisoformat(device.expires).replace(tzinfo=UTC)


def stage_of(device: Device) -> Renewal | None:
    """Return the progress of the device's renewal, or None."""
    if device.pending is not None:
        return Renewal.COMMISSIONED if device.devstate in PLACED_STATES else Renewal.SIGNED
    if device.renew_by is not None:
        return Renewal.DUE
    return Renewal.PROVEN if device.retiring else None


def is_overdue(device: Device, at: str) -> bool:
    """Return whether the device should have renewed before `at` (ISO 8601 UTC with milliseconds)."""
    return device.renew_by is not None and device.renew_by < at


def _earlier(at: datetime, days: int) -> datetime:
    """Return the time `days` before `at`, which may be close to year 1."""
    return max(at, datetime.min.replace(tzinfo=UTC) + timedelta(days=days)) - timedelta(days=days)


def _bad(what: str) -> InvalidInput:
    return InvalidInput("INVALID_RENEWAL", f"got {what}")
