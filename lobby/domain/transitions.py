"""What each event makes of a device: pure functions from the row as it is to the row as it shall be.

Each looks its event up in `states` first, so a forbidden one raises `Conflict` and nothing is written. A
returned device that equals the given one means "already so": the store then writes nothing, which makes
every caller free to try again. `None` as a result means that the row goes.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lobby.domain import presence
from lobby.domain.device import DEFAULT_PROFILE, Device, PresenceProof
from lobby.domain.states import Event, State, next_state
from lobby.errors import Conflict
from lobby.names import Fingerprint, Region, Target, ThingName
from lobby.wire import DEFAULT_CONFIG, Config, parse_config

if TYPE_CHECKING:
    from lobby.domain.identity import Identity

_BANNED: Final = "REVOKED"


@dataclass(frozen=True)
class ClaimRequest:
    """Where a device shall go, and what it is told there. `profile` names the policy it gets in the target. `presence`
    says that the target wants proof that somebody stands at the device."""

    target: Target
    profile: str = DEFAULT_PROFILE
    config: Config = DEFAULT_CONFIG
    presence: bool = False

    def __post_init__(self) -> None:
        parse_config(self.config)


def admit(device: Device | None, identity: "Identity", region: Region, at: str) -> Device:
    """A verified certificate came to the door. One that was let in before changes nothing."""
    if device is not None and device.devicecert and device.devstate not in (State.REFUSED, State.REVOKED):
        return device
    state = _after(device, Event.ADMIT)
    known = device or Device(identity.certid, state, at)
    seen = replace(
        known,
        devicename=identity.name,
        devicecert=identity.pem,
        lobbyregion=region,
        reason=None,
        message=None,
        firstseen=known.firstseen or at,
        needs_commissioner=state is State.CLAIMED,
    )
    return _entered(presence.begun(seen) if state is State.PROVING else seen, state, at)


def refuse(
    device: Device | None, certid: Fingerprint, name: ThingName | None, region: Region, code: str, message: str, at: str
) -> Device:
    """A certificate may not come in. The row keeps why, and any claim, for the day it may."""
    state = _after(device, Event.REFUSE)
    if (
        device is not None
        and device.devstate is State.REFUSED
        and device.reason == code
        and not device.needs_commissioner
    ):
        return device
    known = device or Device(certid, state, at)
    seen = replace(known, devicename=known.devicename or name, lobbyregion=region, firstseen=known.firstseen or at)
    return _entered(replace(seen, reason=code, message=message, needs_commissioner=False), state, at)


def hello(device: Device, at: str, clientversion: str | None, shows: bool | None = None) -> Device:
    """The device stands in the lobby and listens. `shows`: it says that it can show a code, or that it cannot. One that
    had arrived has fallen back: it is on its way again."""
    state = _after(device, Event.HELLO)
    heard = replace(device, lastseen=at, clientversion=clientversion or device.clientversion, shows_code=shows)
    return _entered(heard, state, at)


def claim(device: Device | None, certid: Fingerprint, request: ClaimRequest, actor: str, at: str) -> Device:
    """Somebody says where the device belongs. The same request again is the same claim."""
    if device is not None and _holds(device, request):
        return device
    state = _after(device, Event.CLAIM, unproven=request.presence)
    if request.presence:
        presence.require_pause(device, at)
    known = device or Device(certid, state, at)
    wanted = PresenceProof.WANTED if request.presence else None
    if state is State.PROVING:
        return presence.begun(_claimed(_leaving(known, None), state, request, actor, at, wanted))
    return _claimed(_leaving(known, request.target), state, request, actor, at, wanted)


def move(device: Device, request: ClaimRequest, actor: str, at: str) -> Device:
    """Send a claimed device elsewhere. The target it leaves stays on record until it is cleared there. Where the new
    one wants proof, a claim that was proven goes on without another; nobody may come in by a move who had none."""
    waits = device.devstate in (State.EXPECTED, State.PROVING)
    if _holds(device, request) and not (waits and _asks(device) is not request.presence):
        return device
    state = _after(device, Event.MOVE)
    stays = device.target == request.target and not _asks(device)
    if request.presence and state is State.CLAIMED and device.presence_proof is not PresenceProof.GIVEN and not stays:
        raise Conflict(
            "PRESENCE_REQUIRED",
            f"got a move to {request.target}, which wants proof of presence for a claim; "
            "want a claim that was confirmed: release the device, then claim it there",
        )
    expected = PresenceProof.WANTED if request.presence and state is State.EXPECTED else None
    given = PresenceProof.GIVEN if device.presence_proof is PresenceProof.GIVEN else expected
    return _claimed(_leaving(device, request.target), state, request, actor, at, given)


def release(device: Device, at: str) -> Device | None:
    """Take the claim back: the device returns to the lobby; one that was never seen is no longer expected; one that
    was refused stays so, and its reason with it. One that had a claim and has none any more, stays as it is: who asks
    again may not have heard the answer."""
    if device.devstate in (State.INLOBBY, State.REFUSED) and device.target is None and device.generation:
        return device
    state = next_state(device.devstate, Event.RELEASE)
    if state is None:
        return None
    if state is State.REFUSED:
        return _unclaimed(device)
    left = replace(
        _leaving(device, None),
        target=None,
        iotep=None,
        claimedby=None,
        claimedat=None,
        profile=DEFAULT_PROFILE,
        config=DEFAULT_CONFIG,
        reason=None,
        message=None,
        generation=device.generation + 1,
        needs_commissioner=True,
        presence_proof=None,
        code=None,
        failed_codes=0,
    )
    return _entered(left, state, at)


def _unclaimed(device: Device) -> Device:
    """A refused device whose claim is dropped. It is nowhere, so nothing is to be cleared."""
    if device.target is None:
        raise Conflict("NOT_ALLOWED", f"got release for a device that is {device.devstate}, want one with a claim")
    return replace(
        device,
        target=None,
        iotep=None,
        claimedby=None,
        claimedat=None,
        profile=DEFAULT_PROFILE,
        config=DEFAULT_CONFIG,
        generation=device.generation + 1,
        presence_proof=None,
        code=None,
        failed_codes=0,
    )


def retry(device: Device, at: str) -> Device:
    """Have the commissioner try again what failed, got stuck, or was left unfinished. The generation grows, so that
    the row changes, and wakes the commissioner, also where its turn was never ended. Why a device is refused or
    revoked stays on record. One that is proving gets a new code, and no more tries by it."""
    state = _after(device, Event.RETRY)
    if device.devstate is State.INLOBBY and not device.targets_to_clear:
        raise Conflict("NOT_ALLOWED", f"got retry for a device that is {device.devstate}, want one with work left")
    again = replace(device, generation=device.generation + 1, needs_commissioner=True)
    if state is State.REVOKED:
        return _banned(again)
    if state is State.REFUSED:
        return again
    if state is State.PROVING:
        return presence.begun(again)
    again = replace(again, reason=None, message=None)
    return _entered(replace(again, iotep=None), state, at) if state is State.CLAIMED else again


def commission(device: Device, generation: int, iotep: str, at: str) -> Device:
    """The certificate is registered in the target and the route is known, for this very claim and no other."""
    if device.generation != generation:
        raise Conflict("CHANGED_MEANWHILE", f"got claim {generation}, want {device.generation}: the claim has changed")
    if device.devstate in (State.COMMISSIONED, State.ARRIVED):
        return device
    state = _after(device, Event.COMMISSION)
    return _entered(replace(device, iotep=iotep, reason=None, message=None, needs_commissioner=False), state, at)


def fail(device: Device, generation: int, code: str, message: str, at: str) -> Device:
    """The target said no for good. The operator is told why, mends it, and retries."""
    if device.generation != generation:
        raise Conflict("CHANGED_MEANWHILE", f"got claim {generation}, want {device.generation}: the claim has changed")
    if device.devstate is State.FAILED and device.reason == code:
        return device
    return _entered(
        replace(device, reason=code, message=message, needs_commissioner=False), _after(device, Event.FAIL), at
    )


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
        rest = tuple(target for target in device.targets_to_clear if target != cleared)
        left = replace(device, targets_to_clear=rest, needs_commissioner=device.needs_commissioner and not current)
        return left if rest else _at_ease(left)
    if not current:
        return device
    refused = device.devstate is State.REFUSED
    if refused or device.devstate is State.REVOKED:
        why = device.message if refused else _banned(device).message
        message = f"{why}; {code}: {message}"[:1000]
    return replace(device, reason=device.reason if refused else code, message=message, needs_commissioner=False)


def _at_ease(device: Device) -> Device:
    """Nothing is left to be cleared. What once kept it from being so is no reason any more; what the present target
    said, which its message names, still is."""
    if device.devstate is State.REVOKED:
        return _banned(device)
    here = device.target is not None and str(device.target) in (device.message or "")
    kept = device.devstate is State.REFUSED or device.reason in (presence.FAILED, presence.NOT_SHOWN)
    return device if here or kept else replace(device, reason=None, message=None)


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
    left = replace(
        _leaving(known, None),
        reason=_BANNED,
        message=why,
        needs_commissioner=True,
        iotep=None,
        generation=known.generation + 1,
        code=None,
    )
    return _entered(left, state, at)


def wake(device: Device) -> Device:
    """The commissioner has not served this row for too long and is to look at it again. Nothing but its history
    changes, which is enough to wake it. Raises `Conflict` NOT_ALLOWED where it is not its turn any more."""
    _after(device, Event.WAKE)
    if not device.needs_commissioner:
        raise Conflict("NOT_ALLOWED", f"got a call to wake the commissioner for {device.certid}, which it has served")
    return device


def deactivate(device: Device, target: Target) -> Device:
    """Its certificate was found active in a target where it has no business, and is put out of use there. Raises
    `Conflict` CHANGED_MEANWHILE where it has."""
    _after(device, Event.DEACTIVATE)
    if is_answered_for(device, target):
        raise Conflict("CHANGED_MEANWHILE", f"got {target} for {device.certid}, which has a claim for it by now")
    return device


def is_answered_for(device: Device, target: Target) -> bool:
    """Whether the ledger knows why the device's certificate may be in `target`: a claim, or a place to be cleared."""
    claimed = device.target == target and device.devstate is not State.REVOKED
    return claimed or target in device.targets_to_clear


def _after(device: Device | None, event: Event, *, unproven: bool | None = None) -> State:
    unproven = _asks(device) if unproven is None else unproven
    claimed = bool(device and device.target)
    state = next_state(device.devstate if device else None, event, claimed=claimed, unproven=unproven)
    if state is None:
        raise AssertionError(f"{event} must not remove the row")
    return state


def _entered(device: Device, state: State, at: str) -> Device:
    return replace(device, devstate=state, enteredat=at)


def _asks(device: Device | None) -> bool:
    """Whether its claim waits for proof, now or when the device is let in."""
    return device is not None and device.presence_proof is PresenceProof.WANTED


def _holds(device: Device, request: ClaimRequest) -> bool:
    claimed = device.devstate not in (State.REFUSED, State.REVOKED)
    return claimed and (device.target, device.profile, device.config) == (
        request.target,
        request.profile,
        request.config,
    )


def _leaving(device: Device, goal: Target | None) -> Device:
    """`device` with its present target among those to be cleared, and `goal` no longer among them. Nothing of a device
    that has yet to prove itself is there."""
    seen = device.devicecert is not None and device.devstate is not State.PROVING
    left = [*device.targets_to_clear, *([device.target] if device.target and seen else [])]
    return replace(device, targets_to_clear=tuple(dict.fromkeys(target for target in left if target != goal)))


def _claimed(
    device: Device, state: State, request: ClaimRequest, actor: str, at: str, proof_of_it: PresenceProof | None
) -> Device:
    return _entered(
        replace(
            device,
            target=request.target,
            profile=request.profile,
            config=request.config,
            iotep=None,
            reason=None,
            message=None,
            claimedby=actor,
            claimedat=at,
            generation=device.generation + 1,
            needs_commissioner=state is State.CLAIMED,
            presence_proof=proof_of_it,
            code=None,
            failed_codes=0,
        ),
        state,
        at,
    )
