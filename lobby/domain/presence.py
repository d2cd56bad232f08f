"""Proof of presence: a claim that requires it takes effect only when a user enters the code that the device shows.

Otherwise anyone who has seen a label could claim the device from anywhere. The code is shown by the device itself, and
is sent over the connection that the device's own key authenticates. A code is eight random digits, new for each claim,
and compared in constant time. Each wrong code is counted on the row; the last one drops the claim, and the next claim
that requires proof has to wait.
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
"""This many wrong codes drop the claim."""
PAUSE: Final = timedelta(minutes=10)
"""The wait after wrong codes have dropped a claim. It limits an attacker to 720 guesses a day, of 100 million codes."""
FAILED: Final = "PRESENCE_FAILED"
"""The reason of a device whose claim was dropped."""
NOT_SHOWN: Final = "CODE_NOT_SHOWN"
"""The reason of a proving device whose client cannot show codes."""
WRONG: Final = "WRONG_CODE"
_NOT_SHOWN_MESSAGE: Final = (
    "its client does not show codes: update it, or release the device and claim it for a target that requires none"
)
_FAILED_MESSAGE: Final = (
    f"{MAX_WRONG_CODES} wrong codes: the user who claimed it was not at the device; it can be claimed again after "
    f"{PAUSE.seconds // 60} minutes"
)


def new_code() -> PresenceCode:
    return PresenceCode(f"{secrets.randbelow(10**8):08}")


def with_code(device: Device | None, new_code: Callable[[], PresenceCode]) -> Device | None:
    """Return `device` with a code, if it has to prove presence and has none."""
    if device is None or device.devstate is not State.PROVING or device.code is not None:
        return device
    return replace(device, code=new_code())


def is_right(device: Device, code: PresenceCode) -> bool:
    """Return whether the device shows `code`. Raise `Conflict` NOT_ALLOWED or REVOKED if no code is expected."""
    next_state(device.devstate, Event.CONFIRM)
    return device.code is not None and secrets.compare_digest(device.code, code)


def confirm(device: Device, generation: int, at: str) -> Device:
    """Return the device after a user has entered the right code: the claim takes effect. Raise `Conflict` if the claim
    is not of this `generation`."""
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
    """Return the device after a user has entered a wrong code. The code is counted; the last permitted one ends the
    claim."""
    _require_same(device, generation)
    failed = device.failed_codes + 1
    state = next_state(device.devstate, Event.MISMATCH, spent=failed >= MAX_WRONG_CODES) or device.devstate
    if state is State.PROVING:
        return replace(device, failed_codes=failed)
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
        campaign=None,
        needs_commissioner=bool(device.targets_to_clear or device.reactivate),
        presence_proof=None,
        code=None,
        failed_codes=0,
        expected_name=None,
    )


def wrong_code(device: Device) -> Conflict:
    """Return the error for a wrong code that was counted."""
    if device.devstate is not State.PROVING:
        return Conflict(FAILED, f"got a wrong code, the last of {MAX_WRONG_CODES}: the claim is dropped")
    left = MAX_WRONG_CODES - device.failed_codes
    return Conflict(WRONG, f"got a wrong code, want the code that the device shows now; attempts left: {left}")


def require_pause(device: Device | None, at: str) -> None:
    """Raise `Conflict` PRESENCE_FAILED for a claim too soon after one that wrong codes dropped."""
    if device is None or device.devstate is not State.INLOBBY or device.reason != FAILED:
        return
    end = datetime.fromisoformat(device.enteredat) + PAUSE
    if datetime.fromisoformat(at) < end:
        time = end.isoformat(timespec="seconds").replace("+00:00", "Z")
        raise Conflict(FAILED, f"got a claim soon after {MAX_WRONG_CODES} wrong codes, want one after {time}")


def start_proof(device: Device) -> Device:
    """Return the device when it has to prove presence. If its client can show a code, the commissioner sends one;
    otherwise the row gets the reason immediately."""
    cannot_show = device.shows_code is False
    return replace(
        device,
        code=None,
        needs_commissioner=bool(device.shows_code or device.targets_to_clear),
        reason=NOT_SHOWN if cannot_show else None,
        message=_NOT_SHOWN_MESSAGE if cannot_show else None,
    )


def record_shows_code(device: Device, shows_code: bool) -> Device:
    """Return the device after a hello has reported whether its client can show codes. The reason of a proving device
    changes accordingly."""
    updated = replace(device, shows_code=shows_code)
    if device.devstate is not State.PROVING:
        return updated
    return replace(start_proof(updated), code=device.code, needs_commissioner=device.needs_commissioner)


def _require_same(device: Device, generation: int) -> None:
    if device.generation != generation:
        raise Conflict("CHANGED_MEANWHILE", f"got a code for claim {generation}, want one for {device.generation}")
