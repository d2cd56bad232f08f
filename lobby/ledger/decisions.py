"""What each event makes of a device: pure functions from the row as it is to the row as it shall be.

Each looks its event up in `states` first, so a forbidden one raises `Conflict` and nothing is written. A
returned device that equals the given one means "already so": the store then writes nothing, which makes
every caller free to try again. `None` as a result means that the row goes.
"""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lobby.errors import Conflict, InvalidInput
from lobby.ledger.device import DEFAULT_PROFILE, Device
from lobby.ledger.states import Event, State, next_state
from lobby.names import Fingerprint, Region, Target, ThingName, shown
from lobby.wire import DEFAULT_CONFIG, FACTORY_RESET, MAX_CONFIG_BYTES, MAX_CONFIG_DEPTH, Config, nested_deeper

if TYPE_CHECKING:
    from lobby.identity import Identity

_BANNED: Final = "REVOKED"


@dataclass(frozen=True)
class Claim:
    """Where a device shall go, and what it is told there. `profile` names the policy it gets in the target."""

    target: Target
    profile: str = DEFAULT_PROFILE
    config: Config = DEFAULT_CONFIG

    def __post_init__(self) -> None:
        if not isinstance(self.config, str | dict) or self.config == FACTORY_RESET:
            raise InvalidInput("INVALID_CONFIG", f"got {shown(self.config)}, want text or an object, no factory reset")
        try:
            size = len(json.dumps(self.config, allow_nan=False).encode())
        except (ValueError, TypeError, RecursionError) as error:
            raise InvalidInput("INVALID_CONFIG", f"got {shown(self.config)}, want JSON ({error})") from None
        if size > MAX_CONFIG_BYTES:
            raise InvalidInput("INVALID_CONFIG", f"got {size} bytes, want at most {MAX_CONFIG_BYTES}")
        if nested_deeper(self.config, MAX_CONFIG_DEPTH):
            raise InvalidInput("INVALID_CONFIG", f"got a config nested deeper than {MAX_CONFIG_DEPTH}")


def admit(device: Device | None, identity: "Identity", region: Region, at: str) -> Device:
    """A verified certificate came to the door. One that was let in before changes nothing."""
    if device is not None and device.devicecert and device.devstate not in (State.REFUSED, State.REVOKED):
        return device
    state = _after(device, Event.ADMIT)
    known = device or Device(identity.certid, state, at)
    seen = replace(known, devicename=identity.name, devicecert=identity.pem, lobbyregion=region, reason=None,
                   message=None, firstseen=known.firstseen or at, turn=state is State.CLAIMED)  # fmt: skip
    return _entered(seen, state, at)


def refuse(
    device: Device | None, certid: Fingerprint, name: ThingName | None, region: Region, code: str, message: str, at: str
) -> Device:
    """A certificate may not come in. The row keeps why, and any claim, for the day it may."""
    state = _after(device, Event.REFUSE)
    if device is not None and device.devstate is State.REFUSED and device.reason == code and not device.turn:
        return device
    known = device or Device(certid, state, at)
    seen = replace(known, devicename=known.devicename or name, lobbyregion=region, firstseen=known.firstseen or at)
    return _entered(replace(seen, reason=code, message=message, turn=False), state, at)


def hello(device: Device, at: str, clientversion: str | None) -> Device:
    """The device stands in the lobby and listens."""
    state = _after(device, Event.HELLO)
    return _entered(replace(device, lastseen=at, clientversion=clientversion or device.clientversion), state, at)


def claim(device: Device | None, certid: Fingerprint, wish: Claim, actor: str, at: str) -> Device:
    """Somebody says where the device belongs. The same wish again is the same claim."""
    if device is not None and _holds(device, wish):
        return device
    state = _after(device, Event.CLAIM)
    known = device or Device(certid, state, at)
    return _claimed(_leaving(known, wish.target), state, wish, actor, at)


def move(device: Device, wish: Claim, actor: str, at: str) -> Device:
    """Send a claimed device elsewhere. The target it leaves stays on record until it is cleared there."""
    if _holds(device, wish):
        return device
    state = _after(device, Event.MOVE)
    return _claimed(_leaving(device, wish.target), state, wish, actor, at)


def release(device: Device, at: str) -> Device | None:
    """Take the claim back: the device returns to the lobby; one that was never seen is no longer expected. One that
    had a claim and is back already, stays: who asks again may not have heard the answer."""
    if device.devstate is State.INLOBBY and device.generation:
        return device
    state = next_state(device.devstate, Event.RELEASE)
    if state is None:
        return None
    left = replace(_leaving(device, None), target=None, iotep=None, claimedby=None, claimedat=None,
                   profile=DEFAULT_PROFILE, config=DEFAULT_CONFIG, reason=None, message=None,
                   generation=device.generation + 1, turn=True)  # fmt: skip
    return _entered(left, state, at)


def retry(device: Device, at: str) -> Device:
    """Have the commissioner try again what failed, got stuck, or was left unfinished. The generation grows, so that
    the row changes, and wakes the commissioner, also where its turn was never ended. Why a device is refused or
    revoked stays on record."""
    state = _after(device, Event.RETRY)
    if device.devstate is State.INLOBBY and not device.previous:
        raise Conflict("NOT_ALLOWED", f"got retry for a device that is {device.devstate}, want one with work left")
    again = replace(device, generation=device.generation + 1, turn=True)
    if state is State.REVOKED:
        return _banned(again)
    if state is State.REFUSED:
        return again
    again = replace(again, reason=None, message=None)
    return _entered(replace(again, iotep=None), state, at) if state is State.CLAIMED else again


def commission(device: Device, generation: int, iotep: str, at: str) -> Device:
    """The certificate is registered in the target and the route is known, for this very claim and no other."""
    if device.generation != generation:
        raise Conflict("CHANGED_MEANWHILE", f"got claim {generation}, want {device.generation}: the claim has changed")
    if device.devstate in (State.COMMISSIONED, State.ARRIVED):
        return device
    state = _after(device, Event.COMMISSION)
    return _entered(replace(device, iotep=iotep, reason=None, message=None, turn=False), state, at)


def fail(device: Device, generation: int, code: str, message: str, at: str) -> Device:
    """The target said no for good. The operator is told why, mends it, and retries."""
    if device.generation != generation:
        raise Conflict("CHANGED_MEANWHILE", f"got claim {generation}, want {device.generation}: the claim has changed")
    if device.devstate is State.FAILED and device.reason == code:
        return device
    return _entered(replace(device, reason=code, message=message, turn=False), _after(device, Event.FAIL), at)


def arrive(device: Device, at: str) -> Device:
    """The target saw the device connect. Later connects change nothing."""
    if device.devstate is State.ARRIVED:
        return device
    return _entered(device, _after(device, Event.ARRIVE), at)


def retire(
    device: Device, generation: int, cleared: Target | None, code: str | None = None, message: str | None = None
) -> Device:
    """A target that the device has left is cleared (or, with a code, could not be, and stays on record).
    Without a target it says that the commissioner has nothing left to do. Where the claim has changed since
    `generation`, or the device has been let in with one, the turn is that claim's, and so is the next try.
    A revoked device that may still work somewhere says so: its reason is the code until it is shut out everywhere."""
    _after(device, Event.RETIRE)
    current = device.generation == generation and device.devstate is not State.CLAIMED
    if code is None:
        rest = tuple(target for target in device.previous if target != cleared)
        left = replace(device, previous=rest, turn=device.turn and not current)
        return left if rest else _at_ease(left)
    if not current:
        return device
    refused = device.devstate is State.REFUSED
    if refused or device.devstate is State.REVOKED:
        why = device.message if refused else _banned(device).message
        message = f"{why}; {code}: {message}"[:1000]
    return replace(device, reason=device.reason if refused else code, message=message, turn=False)


def _at_ease(device: Device) -> Device:
    """Nothing is left to be cleared. What once kept it from being so is no reason any more; what the present target
    said, which its message names, still is."""
    if device.devstate is State.REVOKED:
        return _banned(device)
    here = device.target is not None and str(device.target) in (device.message or "")
    return device if here or device.devstate is State.REFUSED else replace(device, reason=None, message=None)


def _banned(device: Device) -> Device:
    """A revoked device that says no more than that it is, and why."""
    if device.reason == _BANNED or device.message is None:
        return device
    return replace(device, reason=_BANNED, message=device.message.rpartition(f"; {device.reason}: ")[0])


def revoke(device: Device | None, certid: Fingerprint, why: str, at: str) -> Device:
    """Never again, here or in any target; also for a certificate that was never seen."""
    if device is not None and device.devstate is State.REVOKED:
        return device
    state = _after(device, Event.REVOKE)
    known = device or Device(certid, state, at)
    left = replace(_leaving(known, None), reason=_BANNED, message=why, turn=True, iotep=None,
                   generation=known.generation + 1)  # fmt: skip
    return _entered(left, state, at)


def _after(device: Device | None, event: Event) -> State:
    state = next_state(device.devstate if device else None, event, claimed=bool(device and device.target))
    if state is None:
        raise AssertionError(f"{event} must not remove the row")
    return state


def _entered(device: Device, state: State, at: str) -> Device:
    return replace(device, devstate=state, enteredat=at)


def _holds(device: Device, wish: Claim) -> bool:
    claimed = device.devstate not in (State.REFUSED, State.REVOKED)
    return claimed and (device.target, device.profile, device.config) == (wish.target, wish.profile, wish.config)


def _leaving(device: Device, goal: Target | None) -> Device:
    """`device` with its present target among those to be cleared, and `goal` no longer among them."""
    seen = device.devicecert is not None
    left = [*device.previous, *([device.target] if device.target and seen else [])]
    return replace(device, previous=tuple(dict.fromkeys(target for target in left if target != goal)))


def _claimed(device: Device, state: State, wish: Claim, actor: str, at: str) -> Device:
    return _entered(
        replace(device, target=wish.target, profile=wish.profile, config=wish.config, iotep=None, reason=None,
                message=None, claimedby=actor, claimedat=at, generation=device.generation + 1,
                turn=state is State.CLAIMED),
        state, at,
    )  # fmt: skip
