"""The `filter` argument of `devices`, validated and converted to the ledger's filter.

Every value is validated before any call, each with its own error code. The index compares times as text, so a time is
converted to the stored format.
"""

import re
from datetime import UTC, datetime, timedelta

import strawberry

from admin_api.graphql.context import given
from admin_api.graphql.renewals import Status
from admin_api.graphql.targets import TargetInput, target_named
from admin_api.graphql.value_lists import STATES
from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.clock import timestamp
from lobby.ledger.lists.listing import Filter
from lobby.names import RenewalStatus, parse_thing_name, shown

_FINGERPRINT_PREFIX = re.compile(r"[0-9a-f]{4,64}")
_MAX_TEXT = 200


@strawberry.input(description="Selects devices. A device must match every given field.")
class DeviceFilter:
    state: str | None = strawberry.field(default=strawberry.UNSET, description=f"The state. {STATES}")
    target: TargetInput | None = strawberry.field(
        default=strawberry.UNSET, description="The target that the device is claimed for."
    )
    name_prefix: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The start of the thing name, or of the expected name before the device connects; at least 2"
        " characters.",
    )
    fingerprint_prefix: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The start of the fingerprint, at least 4 hex digits, upper or lower case, with or without colons.",
    )
    reason: str | None = strawberry.field(
        default=strawberry.UNSET, description="The reason code of a failed or refused device, as in `Device.reason`."
    )
    entered_before: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Devices that entered their state before this time (ISO 8601, UTC). Requires state or target.",
    )
    renewal: Status | None = strawberry.field(
        default=strawberry.UNSET, description="Devices whose certificate is due for renewal, or overdue."
    )


def filter_of(argument: DeviceFilter) -> Filter:
    """Return the ledger's filter.

    Raise `InvalidInput` INVALID_STATE, INVALID_ACCOUNT, INVALID_REGION, INVALID_THING_NAME, INVALID_PREFIX,
    INVALID_REASON, INVALID_TIME, or INVALID_FILTER for a time without a state or target, because no index is sorted by
    time alone."""
    name, fingerprint, reason, before = (
        given(value)
        for value in (argument.name_prefix, argument.fingerprint_prefix, argument.reason, argument.entered_before)
    )
    renewal = given(argument.renewal)
    state = state_of(given(argument.state))
    target = target_named(argument.target) if argument.target else None
    if before is not None and state is None and target is None:
        raise InvalidInput("INVALID_FILTER", f"got enteredBefore {shown(before)} alone, want it with state or target")
    return Filter(
        state=state,
        target=target,
        name_prefix=parse_thing_name(name) if name is not None else None,
        fingerprint_prefix=fingerprint_prefix_of(fingerprint) if fingerprint is not None else None,
        reason=reason,
        entered_before=timestamp_of(before) if before is not None else None,
        renewal=RenewalStatus[renewal.name] if renewal is not None else None,
    )


def state_of(text: str | None) -> State | None:
    """Return the state, or None for None. Raise `InvalidInput` INVALID_STATE."""
    try:
        return None if text is None else State(text)
    except ValueError:
        raise InvalidInput("INVALID_STATE", f"got {shown(text)}, want one of: {', '.join(State)}") from None


def fingerprint_prefix_of(text: str) -> str:
    """Return the first digits of a fingerprint in lower case without separators. The separators are those of
    `parse_fingerprint`. Raise `InvalidInput` INVALID_PREFIX."""
    bare = re.sub(r"[:\-\s]", "", text[:_MAX_TEXT]).lower()
    if len(text) > _MAX_TEXT or not _FINGERPRINT_PREFIX.fullmatch(bare):
        raise InvalidInput("INVALID_PREFIX", f"got {shown(text)}, want the first 4 to 64 hex digits of a fingerprint")
    return bare


def timestamp_of(text: str) -> str:
    """Return a time in the ledger's format. Raise `InvalidInput` INVALID_TIME, also for a time without a UTC offset,
    because it is ambiguous."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.utcoffset() != timedelta(0):
        raise InvalidInput("INVALID_TIME", f"got {shown(text)}, want ISO 8601, UTC, such as 2026-11-22T07:42:28Z")
    return timestamp(time.astimezone(UTC))
