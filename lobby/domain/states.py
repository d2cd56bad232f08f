"""The states of a device, its events, and the state table.

The table is the only definition of which event is allowed in which state. The ledger's methods look up each event; the
API looks up which actions to offer. An event that the table does not list for a state raises `Conflict`, with the state
and the possible actions.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from lobby.errors import Conflict
from lobby.names import State

__all__ = [
    "ABSENT",
    "AT_ONCE",
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
    """The events of a device. Each event becomes one history entry."""

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
    CONFIGURE = "configure"
    RELEASE = "release"
    RETRY = "retry"
    RETIRE = "retire"
    REVOKE = "revoke"
    WAKE = "wake"
    DEACTIVATE = "deactivate"
    DUE = "due"
    RENEW = "renew"
    PREPARE = "prepare"
    PREPARED = "prepared"
    EVACUATE = "evacuate"
    RETURN = "return"
    STANDBY = "standby"
    """The device has connected to its standby without an evacuation: it reached neither its target nor the lobby."""
    SUSPECT = "suspect"
    DISMISS = "dismiss"
    QUARANTINE = "quarantine"
    LIFT = "lift"
    OFFER = "offer"
    """The device is offered to another lobby."""
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    """Another lobby has accepted it."""
    ACCEPT = "accept"
    """This lobby has accepted the device from another lobby."""


_S, _E = State, Event
_ANY: Final = frozenset(State)
CLAIM_HELD_STATES: Final = frozenset({_S.CLAIMED, _S.COMMISSIONED, _S.ARRIVED, _S.FAILED})
ADMITTED_STATES: Final = frozenset({*CLAIM_HELD_STATES, _S.KNOCKING, _S.INLOBBY, _S.PROVING})
"""The device's certificate is active in the lobby."""
DEACTIVATED_STATES: Final = (_S.REVOKED, _S.QUARANTINED)
"""The device's certificate must be inactive everywhere."""
PLACED_STATES: Final = (_S.COMMISSIONED, _S.ARRIVED)
"""The device is registered in its target, and the registration must match the row. In the other states, the device is
not registered yet, or the row states the reason."""

OFFERABLE_STATES: Final = frozenset({*CLAIM_HELD_STATES, _S.KNOCKING, _S.INLOBBY})
"""The device can be offered to another lobby, and transferred there."""

ABSENT: Final = None
"""A fingerprint without a row."""


def _transitions(
    event: Event, sources: Iterable[State | None], to: State | None
) -> dict[tuple[State | None, Event], State | None]:
    return {(source, event): to for source in sources}


TRANSITIONS: Final[dict[tuple[State | None, Event], State | None]] = {
    **_transitions(_E.ADMIT, [ABSENT, _S.REFUSED], _S.KNOCKING),
    **_transitions(_E.ADMIT, [_S.EXPECTED], _S.CLAIMED),
    **_transitions(_E.REFUSE, [ABSENT, _S.EXPECTED, _S.KNOCKING, _S.REFUSED], _S.REFUSED),
    **_transitions(_E.HELLO, [_S.KNOCKING], _S.INLOBBY),
    **_transitions(_E.HELLO, [_S.ARRIVED], _S.COMMISSIONED),
    **_transitions(_E.CLAIM, [ABSENT], _S.EXPECTED),
    **_transitions(_E.CLAIM, [_S.KNOCKING, _S.INLOBBY], _S.CLAIMED),
    **_transitions(_E.CONFIRM, [_S.PROVING], _S.CLAIMED),
    **_transitions(_E.MISMATCH, [_S.PROVING], _S.PROVING),
    **_transitions(_E.COMMISSION, [_S.CLAIMED], _S.COMMISSIONED),
    **_transitions(_E.FAIL, [_S.CLAIMED], _S.FAILED),
    **_transitions(_E.ARRIVE, [_S.COMMISSIONED], _S.ARRIVED),
    **_transitions(_E.MOVE, [_S.EXPECTED], _S.EXPECTED),
    **_transitions(_E.MOVE, [*CLAIM_HELD_STATES, _S.PROVING], _S.CLAIMED),
    **_transitions(_E.CONFIGURE, CLAIM_HELD_STATES, _S.CLAIMED),
    **{(state, _E.CONFIGURE): state for state in (_S.EXPECTED, _S.PROVING)},
    **_transitions(_E.RELEASE, [_S.EXPECTED], ABSENT),
    **_transitions(_E.RELEASE, [*CLAIM_HELD_STATES, _S.PROVING], _S.INLOBBY),
    **_transitions(_E.RELEASE, [_S.REFUSED], _S.REFUSED),
    **_transitions(_E.RETRY, CLAIM_HELD_STATES, _S.CLAIMED),
    **{(state, _E.RETRY): state for state in (_S.REFUSED, *DEACTIVATED_STATES, _S.INLOBBY, _S.PROVING, _S.TRANSFERRED)},
    **{(state, _E.RETIRE): state for state in _ANY - {_S.EXPECTED}},
    **_transitions(_E.REVOKE, [ABSENT, *(_ANY - {_S.REVOKED})], _S.REVOKED),
    **{(state, event): state for state in _ANY for event in (_E.WAKE, _E.DEACTIVATE)},
    **{(state, _E.DUE): state for state in PLACED_STATES},
    **_transitions(_E.RENEW, CLAIM_HELD_STATES, _S.CLAIMED),
    **{(state, _E.PREPARE): state for state in PLACED_STATES},
    **{(state, _E.PREPARED): state for state in _ANY},
    **_transitions(_E.EVACUATE, CLAIM_HELD_STATES, _S.CLAIMED),
    **_transitions(_E.RETURN, CLAIM_HELD_STATES, _S.CLAIMED),
    **_transitions(_E.STANDBY, PLACED_STATES, _S.COMMISSIONED),
    **{(_S.EXPECTED, event): _S.EXPECTED for event in (_E.EVACUATE, _E.RETURN)},
    **{(state, event): state for state in ADMITTED_STATES for event in (_E.SUSPECT, _E.DISMISS)},
    **_transitions(_E.QUARANTINE, ADMITTED_STATES, _S.QUARANTINED),
    **_transitions(_E.LIFT, [_S.QUARANTINED], _S.INLOBBY),
    **{(state, _E.OFFER): state for state in OFFERABLE_STATES},
    **{(state, _E.WITHDRAW): state for state in _ANY - {_S.EXPECTED}},
    **_transitions(_E.WITHDRAW, [_S.TRANSFERRED], _S.INLOBBY),
    **_transitions(_E.TRANSFER, OFFERABLE_STATES, _S.TRANSFERRED),
    **_transitions(_E.ACCEPT, [ABSENT, _S.REFUSED, _S.TRANSFERRED], _S.KNOCKING),
    **_transitions(_E.ACCEPT, [_S.EXPECTED], _S.CLAIMED),
}
"""(state, event) → the next state. `ABSENT` means that there is no row: releasing an expected device leaves only its
history."""

UNPROVEN: Final[dict[tuple[State | None, Event], State]] = {
    **dict.fromkeys([(_S.KNOCKING, _E.CLAIM), (_S.INLOBBY, _E.CLAIM)], _S.PROVING),
    **dict.fromkeys([(_S.EXPECTED, _E.ADMIT), (_S.REFUSED, _E.ADMIT)], _S.PROVING),
    **dict.fromkeys([(_S.EXPECTED, _E.ACCEPT), (_S.REFUSED, _E.ACCEPT)], _S.PROVING),
    (_S.QUARANTINED, _E.LIFT): _S.PROVING,
}
"""(state, event) → the next state while the claim waits for proof of presence."""
SPENT: Final[dict[tuple[State | None, Event], State]] = {(_S.PROVING, _E.MISMATCH): _S.INLOBBY}
"""(state, event) → the next state for the last wrong code: the claim is dropped."""
AT_ONCE: Final[dict[tuple[State | None, Event], State]] = {
    **dict.fromkeys([(_S.COMMISSIONED, _E.EVACUATE), (_S.ARRIVED, _E.EVACUATE)], _S.COMMISSIONED),
}
"""(state, event) → the next state of a device that is registered and ACTIVE where it goes."""

OPERATOR_EVENTS: Final = (
    _E.CLAIM,
    _E.CONFIRM,
    _E.MOVE,
    _E.CONFIGURE,
    _E.RELEASE,
    _E.RETRY,
    _E.DISMISS,
    _E.QUARANTINE,
    _E.LIFT,
    _E.REVOKE,
)


def next_state(
    state: State | None,
    event: Event,
    *,
    claimed: bool = False,
    unproven: bool = False,
    spent: bool = False,
    at_once: bool = False,
) -> State | None:
    """Return the state that follows `state` after `event`; None if the row is removed.

    `claimed`: the row has a claim. A device that was refused or quarantined after a claim keeps the claim; when it is
    admitted, or its quarantine is lifted, it needs the commissioner immediately. `unproven`: the claim waits for proof
    of presence. `spent`: the last attempt to prove presence has failed. `at_once`: the device is already registered
    where it goes. Raise `Conflict`: REVOKED, QUARANTINED, ALREADY_CLAIMED or NOT_ALLOWED."""
    if (state, event) not in TRANSITIONS:
        raise _conflict(state, event)
    if unproven and (state, event) in UNPROVEN:
        return UNPROVEN[state, event]
    if spent and (state, event) in SPENT:
        return SPENT[state, event]
    if at_once and (state, event) in AT_ONCE:
        return AT_ONCE[state, event]
    if event in (Event.ADMIT, Event.ACCEPT, Event.LIFT) and claimed:
        return State.CLAIMED
    return TRANSITIONS[state, event]


def allowed_events(
    state: State | None, *, unfinished: bool = False, claimed: bool = True, suspected: bool = False
) -> tuple[Event, ...]:
    """Return the operator's actions for a device in `state`. `unfinished`: a target must still be cleared, or the
    certificate activated again. `claimed`: the row has a claim, which an operator can release even if the device was
    refused. `suspected`: the certificate may be in use twice; an operator can dismiss this suspicion."""
    possible = (event for event in OPERATOR_EVENTS if (state, event) in TRANSITIONS)
    events = tuple(event for event in possible if suspected or event is not Event.DISMISS)
    if state is State.INLOBBY and not unfinished:
        return tuple(event for event in events if event is not Event.RETRY)
    if state is State.REFUSED and not claimed:
        return tuple(event for event in events if event is not Event.RELEASE)
    return events


def _conflict(state: State | None, event: Event) -> Conflict:
    if state is State.REVOKED:
        return Conflict("REVOKED", f"got {event} for a revoked device, want one that is not: revocation is final")
    if state is State.QUARANTINED:
        return Conflict("QUARANTINED", f"got {event} for a device in quarantine, want its quarantine lifted first")
    if state is State.TRANSFERRED:
        return Conflict("TRANSFERRED", f"got {event} for a device that has another lobby, want its transfer withdrawn")
    if event is Event.CLAIM and (state in CLAIM_HELD_STATES or state in (State.EXPECTED, State.PROVING)):
        return Conflict("ALREADY_CLAIMED", f"got a claim for a device that is {state}, want move or release first")
    allowed = ", ".join(allowed_events(state)) or "nothing"
    return Conflict("NOT_ALLOWED", f"got {event} for a device that is {state or 'unknown'}, want one of: {allowed}")
