"""The states of a device, the events that befall it, and the one table of what leads where.

Pure, and the only place that knows what is allowed: the store's methods look an event up here, the API asks
here which actions to offer. An event that the table does not list for a state is refused with a `Conflict`
that says what the state is and what would be possible.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from lobby.errors import Conflict
from lobby.names import State

__all__ = [
    "ABSENT",
    "OPERATOR_EVENTS",
    "SPENT",
    "TRANSITIONS",
    "UNPROVEN",
    "Event",
    "State",
    "allowed_events",
    "next_state",
]


class Event(StrEnum):
    """What can befall a device; each becomes one history entry."""

    ADMIT = "admit"
    REFUSE = "refuse"
    HELLO = "hello"
    CLAIM = "claim"
    CONFIRM = "confirm"
    MISMATCH = "mismatch"
    COMMISSION = "commission"
    FAIL = "fail"
    ARRIVE = "arrive"
    MOVE = "move"
    RELEASE = "release"
    RETRY = "retry"
    RETIRE = "retire"
    REVOKE = "revoke"
    WAKE = "wake"
    DEACTIVATE = "deactivate"


_S, _E = State, Event
_ANY: Final = frozenset(State)
_CLAIM_HELD: Final = frozenset({_S.CLAIMED, _S.COMMISSIONED, _S.ARRIVED, _S.FAILED})

ABSENT: Final = None
"""A fingerprint without a row."""


def _rows(
    event: Event, sources: Iterable[State | None], to: State | None
) -> dict[tuple[State | None, Event], State | None]:
    return {(source, event): to for source in sources}


TRANSITIONS: Final[dict[tuple[State | None, Event], State | None]] = {
    **_rows(_E.ADMIT, [ABSENT, _S.REFUSED], _S.KNOCKING),
    **_rows(_E.ADMIT, [_S.EXPECTED], _S.CLAIMED),
    **_rows(_E.REFUSE, [ABSENT, _S.EXPECTED, _S.KNOCKING, _S.REFUSED], _S.REFUSED),
    **_rows(_E.HELLO, [_S.KNOCKING], _S.INLOBBY),
    **_rows(_E.HELLO, [_S.ARRIVED], _S.COMMISSIONED),
    **_rows(_E.CLAIM, [ABSENT], _S.EXPECTED),
    **_rows(_E.CLAIM, [_S.KNOCKING, _S.INLOBBY], _S.CLAIMED),
    **_rows(_E.CONFIRM, [_S.PROVING], _S.CLAIMED),
    **_rows(_E.MISMATCH, [_S.PROVING], _S.PROVING),
    **_rows(_E.COMMISSION, [_S.CLAIMED], _S.COMMISSIONED),
    **_rows(_E.FAIL, [_S.CLAIMED], _S.FAILED),
    **_rows(_E.ARRIVE, [_S.COMMISSIONED], _S.ARRIVED),
    **_rows(_E.MOVE, [_S.EXPECTED], _S.EXPECTED),
    **_rows(_E.MOVE, [*_CLAIM_HELD, _S.PROVING], _S.CLAIMED),
    **_rows(_E.RELEASE, [_S.EXPECTED], ABSENT),
    **_rows(_E.RELEASE, [*_CLAIM_HELD, _S.PROVING], _S.INLOBBY),
    **_rows(_E.RELEASE, [_S.REFUSED], _S.REFUSED),
    **_rows(_E.RETRY, _CLAIM_HELD, _S.CLAIMED),
    **{(state, _E.RETRY): state for state in (_S.REFUSED, _S.REVOKED, _S.INLOBBY, _S.PROVING)},
    **{(state, _E.RETIRE): state for state in _ANY - {_S.EXPECTED}},
    **_rows(_E.REVOKE, [ABSENT, *(_ANY - {_S.REVOKED})], _S.REVOKED),
    **{(state, event): state for state in _ANY for event in (_E.WAKE, _E.DEACTIVATE)},
}
"""(state, event) → the next state. `ABSENT` is "no row": a released expectation leaves only its history."""

UNPROVEN: Final[dict[tuple[State | None, Event], State]] = {
    **dict.fromkeys([(_S.KNOCKING, _E.CLAIM), (_S.INLOBBY, _E.CLAIM)], _S.PROVING),
    **dict.fromkeys([(_S.EXPECTED, _E.ADMIT), (_S.REFUSED, _E.ADMIT)], _S.PROVING),
}
"""Where the same leads to while the claim waits for the proof that somebody stands at the device."""
SPENT: Final[dict[tuple[State | None, Event], State]] = {(_S.PROVING, _E.MISMATCH): _S.INLOBBY}
"""Where the last wrong code leads: the claim is dropped."""

OPERATOR_EVENTS: Final = (_E.CLAIM, _E.CONFIRM, _E.MOVE, _E.RELEASE, _E.RETRY, _E.REVOKE)


def next_state(
    state: State | None, event: Event, *, claimed: bool = False, unproven: bool = False, spent: bool = False
) -> State | None:
    """Where `event` leads from `state`. `claimed` says that a claim is on record: a device that was refused
    after it had been claimed keeps its claim, and goes straight to the commissioner when it is let in. `unproven`
    says that the claim waits for a proof of presence, `spent` that no further try at one is left.

    Raises `Conflict`: REVOKED, ALREADY_CLAIMED or NOT_ALLOWED."""
    if (state, event) not in TRANSITIONS:
        raise _conflict(state, event)
    if unproven and (state, event) in UNPROVEN:
        return UNPROVEN[state, event]
    if spent and (state, event) in SPENT:
        return SPENT[state, event]
    if event is Event.ADMIT and claimed:
        return State.CLAIMED
    return TRANSITIONS[state, event]


def allowed_events(state: State | None, *, unfinished: bool = False, claimed: bool = True) -> tuple[Event, ...]:
    """What an operator may do to a device in `state`. `unfinished`: an old target still awaits its clearing; `claimed`:
    a claim is on record, which one that was refused may have, and may lose."""
    events = tuple(event for event in OPERATOR_EVENTS if (state, event) in TRANSITIONS)
    if state is State.INLOBBY and not unfinished:
        return tuple(event for event in events if event is not Event.RETRY)
    if state is State.REFUSED and not claimed:
        return tuple(event for event in events if event is not Event.RELEASE)
    return events


def _conflict(state: State | None, event: Event) -> Conflict:
    if state is State.REVOKED:
        return Conflict("REVOKED", f"got {event} for a revoked device, want one that is not: revocation is final")
    if event is Event.CLAIM and (state in _CLAIM_HELD or state in (State.EXPECTED, State.PROVING)):
        return Conflict("ALREADY_CLAIMED", f"got a claim for a device that is {state}, want move or release first")
    may = ", ".join(allowed_events(state)) or "nothing"
    shown = state or "unknown"
    return Conflict("NOT_ALLOWED", f"got {event} for a device that is {shown}, want one of: {may}")
