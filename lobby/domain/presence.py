"""The proof of presence: a claim that asks for one comes into force only when somebody reads a code off the device.

Whoever saw a label can claim from anywhere; the code is shown by the device itself, on the session that its own key
opened. Pure. A code is eight random digits, new for each claim, compared in constant time; each wrong one is counted
on the row, and the last drops the claim, after which a while passes before the next that asks for proof.
"""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lobby.domain.device import DEFAULT_PROFILE, Device, PresenceProof
from lobby.domain.states import Event, State, next_state
from lobby.errors import Conflict
from lobby.names import PresenceCode
from lobby.wire import DEFAULT_CONFIG

MAX_WRONG_CODES: Final = 5
"""Wrong codes that a claim survives, less one."""
PAUSE: Final = timedelta(minutes=10)
"""Between a claim that wrong codes ended and the next: 720 guesses a day, of 100 million codes."""
FAILED: Final = "PRESENCE_FAILED"
"""The reason of a device whose claim was dropped."""
NOT_SHOWN: Final = "CODE_NOT_SHOWN"
"""The reason of one that is proving and whose client knows no codes."""
WRONG: Final = "WRONG_CODE"
_NOT_SHOWN_MESSAGE: Final = (
    "its client does not show codes: update it, or release the device and claim it for a target that asks for none"
)
_FAILED_MESSAGE: Final = (
    f"{MAX_WRONG_CODES} wrong codes: who claimed it did not stand before it; it can be claimed again after "
    f"{PAUSE.seconds // 60} minutes"
)


def new_code() -> PresenceCode:
    return PresenceCode(f"{secrets.randbelow(10**8):08}")


def asked(device: Device | None, new_code: Callable[[], PresenceCode]) -> Device | None:
    """The device as it was decided upon; one that has to prove itself anew is given a code for it."""
    if device is None or device.devstate is not State.PROVING or device.code is not None:
        return device
    return replace(device, code=new_code())


def is_right(device: Device, code: PresenceCode) -> bool:
    """Raises `Conflict` NOT_ALLOWED or REVOKED where no code is waited for."""
    next_state(device.devstate, Event.CONFIRM)
    return device.code is not None and secrets.compare_digest(device.code, code)


def confirm(device: Device, generation: int, at: str) -> Device:
    """The right code was given: the claim is in force. For this very code and no other."""
    _require_same(device, generation)
    state = next_state(device.devstate, Event.CONFIRM) or device.devstate
    rest = tuple(target for target in device.targets_to_clear if target != device.target)
    return replace(
        device,
        devstate=state,
        enteredat=at,
        presence_proof=PresenceProof.GIVEN,
        code=None,
        failed_codes=0,
        targets_to_clear=rest,
        reason=None,
        message=None,
        needs_commissioner=True,
    )


def mismatch(device: Device, generation: int, at: str) -> Device:
    """A wrong one was. The last that a claim survives is counted; the next ends it."""
    _require_same(device, generation)
    tries = device.failed_codes + 1
    state = next_state(device.devstate, Event.MISMATCH, spent=tries >= MAX_WRONG_CODES) or device.devstate
    if state is State.PROVING:
        return replace(device, failed_codes=tries)
    return replace(
        device,
        devstate=state,
        enteredat=at,
        target=None,
        claimedby=None,
        claimedat=None,
        profile=DEFAULT_PROFILE,
        config=DEFAULT_CONFIG,
        reason=FAILED,
        message=_FAILED_MESSAGE,
        generation=device.generation + 1,
        needs_commissioner=bool(device.targets_to_clear),
        presence_proof=None,
        code=None,
        failed_codes=0,
    )


def wrong(device: Device) -> Conflict:
    """What whoever gave a wrong code is told, once it is counted."""
    if device.devstate is not State.PROVING:
        return Conflict(FAILED, f"got a wrong code, the last of {MAX_WRONG_CODES}: the claim is dropped")
    left = MAX_WRONG_CODES - device.failed_codes
    return Conflict(WRONG, f"got a code that is not the device's, want the one that it shows now; {left} left to try")


def require_pause(device: Device | None, at: str) -> None:
    """Raises `Conflict` PRESENCE_FAILED for a claim that follows too soon on one that wrong codes ended."""
    if device is None or device.devstate is not State.INLOBBY or device.reason != FAILED:
        return
    free = datetime.fromisoformat(device.enteredat) + PAUSE
    if datetime.fromisoformat(at) < free:
        moment = free.isoformat(timespec="seconds").replace("+00:00", "Z")
        raise Conflict(FAILED, f"got a claim soon after {MAX_WRONG_CODES} wrong codes, want one after {moment}")


def begun(device: Device) -> Device:
    """A proof begins: why it may not go on is said at once, and the device is told where it can show a code."""
    blind = device.shows_code is False
    return replace(
        device,
        code=None,
        needs_commissioner=bool(device.shows_code or device.targets_to_clear),
        reason=NOT_SHOWN if blind else None,
        message=_NOT_SHOWN_MESSAGE if blind else None,
    )


def shown_by(device: Device, shows: bool) -> Device:
    """What a hello says of showing codes, and what that means for a proof that has begun."""
    known = replace(device, shows_code=shows)
    return (
        replace(begun(known), code=device.code, needs_commissioner=device.needs_commissioner)
        if device.devstate is State.PROVING
        else known
    )


def _require_same(device: Device, generation: int) -> None:
    if device.generation != generation:
        raise Conflict("CHANGED_MEANWHILE", f"got a code for claim {generation}, want one for {device.generation}")
