"""Which devices a list shall show, as the caller says it, made into the ledger's question.

Every value is held to its rule before anything is asked, with a code of its own. A moment is compared as text
in the index, so it is brought into the one form that is kept there.
"""

import re
from datetime import UTC, datetime, timedelta

import strawberry

from admin_api.graphql.context import given
from admin_api.graphql.targets import TargetInput, target_named
from lobby.domain.states import State
from lobby.errors import InvalidInput
from lobby.ledger.listing import Filter
from lobby.ledger.store import timestamp
from lobby.names import parse_thing_name, shown

_PRINT = re.compile(r"[0-9a-f]{4,64}")
_MAX_TEXT = 200


@strawberry.input(description="Which devices; all that is given must hold.")
class DeviceFilter:
    state: str | None = strawberry.UNSET
    target: TargetInput | None = strawberry.UNSET
    name_prefix: str | None = strawberry.field(default=strawberry.UNSET, description="At least 2 characters.")
    fingerprint_prefix: str | None = strawberry.field(
        default=strawberry.UNSET, description="At least 4 hex digits, in either case, with colons or spaces."
    )
    reason: str | None = strawberry.field(default=strawberry.UNSET, description="Why it failed or was refused.")
    entered_before: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="In its present state since before then: ISO 8601, UTC. With state or target.",
    )


def filter_of(wanted: DeviceFilter) -> Filter:
    """Raises `InvalidInput`: INVALID_STATE, INVALID_ACCOUNT, INVALID_REGION, INVALID_THING_NAME, INVALID_PREFIX,
    INVALID_REASON, INVALID_TIME, or INVALID_FILTER for a moment that no index is in the order of."""
    name, print_, reason, before = (
        given(value) for value in (wanted.name_prefix, wanted.fingerprint_prefix, wanted.reason, wanted.entered_before)
    )
    state = state_of(given(wanted.state))
    target = target_named(wanted.target) if wanted.target else None
    if before is not None and state is None and target is None:
        raise InvalidInput("INVALID_FILTER", f"got enteredBefore {shown(before)} alone, want it with state or target")
    return Filter(
        state=state,
        target=target,
        name_prefix=parse_thing_name(name) if name is not None else None,
        fingerprint_prefix=fingerprint_prefix_of(print_) if print_ is not None else None,
        reason=reason,
        entered_before=moment_of(before) if before is not None else None,
    )


def state_of(text: str | None) -> State | None:
    try:
        return None if text is None else State(text)
    except ValueError:
        raise InvalidInput("INVALID_STATE", f"got {shown(text)}, want one of: {', '.join(State)}") from None


def fingerprint_prefix_of(text: str) -> str:
    """The first digits of a fingerprint, written as `parse_fingerprint` allows a whole one to be."""
    bare = re.sub(r"[:\-\s]", "", text[:_MAX_TEXT]).lower()
    if len(text) > _MAX_TEXT or not _PRINT.fullmatch(bare):
        raise InvalidInput("INVALID_PREFIX", f"got {shown(text)}, want the first 4 to 64 hex digits of a fingerprint")
    return bare


def moment_of(text: str) -> str:
    """A moment as the ledger writes it. One without a zone is refused: nobody could say when it was."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.utcoffset() != timedelta(0):
        raise InvalidInput("INVALID_TIME", f"got {shown(text)}, want ISO 8601, UTC, such as 2026-11-22T07:42:28Z")
    return timestamp(moment.astimezone(UTC))
