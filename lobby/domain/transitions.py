"""The changes of a device by each event of its registration and claims: pure functions from a row to the new row.

Each looks up its event in `states` first, so a forbidden event raises `Conflict` and nothing is written. A result that
equals the given device means that the event changes nothing; the ledger then writes nothing, so callers can repeat
events. None as a result means that the row is removed. The commissioner's events are in `commissioner_transitions`.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lobby.domain import presence
from lobby.domain.claims.claim_defaults import OmittedFields, claim_with_defaults
from lobby.domain.connections.deactivation_reasons import REVOKED, without_failed_clearing
from lobby.domain.device import DEFAULT_PROFILE, Device, PresenceProof, Priority
from lobby.domain.states import DEACTIVATED_STATES, Event, State, next_state
from lobby.errors import Conflict
from lobby.names import Fingerprint, Region, Target, ThingName
from lobby.wire import DEFAULT_CONFIG, Config, parse_config

if TYPE_CHECKING:
    from lobby.domain.identity import Identity

NAME_DIFFERS: Final = "NAME_DIFFERS"
"""The reason of an admission under another name than the claim expected."""
CERTIFICATE_RENEWED: Final = "CERTIFICATE_RENEWED"
"""The code for a certificate that is no longer in use."""


@dataclass(frozen=True)
class ClaimRequest:
    """The target, profile and configuration that a claim requests. `profile` selects the device's IoT policy in the
    target. `presence`: proof of presence is required. `priority` is the priority of the work in the target's lane.
    `omitted`: what a user's claim leaves to the device's enrolment (None: nothing)."""

    target: Target
    profile: str = DEFAULT_PROFILE
    config: Config = DEFAULT_CONFIG
    presence: bool = False
    priority: Priority = Priority.SINGLE
    omitted: OmittedFields | None = None

    def __post_init__(self) -> None:
        parse_config(self.config)


def admit(device: Device | None, identity: "Identity", region: Region, at: str) -> Device:
    """Return the device after its certificate was verified. Raise `Conflict` CERTIFICATE_RENEWED for a replaced one."""
    if device is not None and device.certificate is not None:
        message = f"got certificate {identity.certid}, which the device has renewed, want {device.certificate}"
        raise Conflict(CERTIFICATE_RENEWED, message)
    if device is not None and was_admitted(device):
        return device
    return with_identity(device, Event.ADMIT, identity, region, at)


def with_identity(device: Device | None, event: Event, identity: "Identity", region: Region, at: str) -> Device:
    """Return the row of a device that a door admits with `event`. A claim on the row applies."""
    state = state_after(device, event)
    row = device or Device(identity.certid, state, at)
    admitted = replace(
        row,
        devicename=identity.name,
        devicecert=identity.pem,
        certified=True,
        expires=identity.expires,
        lobbyregion=region,
        reason=None,
        message=None,
        firstseen=row.firstseen or at,
        needs_commissioner=state is State.CLAIMED,
    )
    admitted = expecting(admitted, row.expected_name)
    return entered(presence.start_proof(admitted) if state is State.PROVING else admitted, state, at)


def was_admitted(device: Device | None) -> bool:
    """Return whether the device is admitted already, so that an admission changes nothing."""
    return device is not None and device.has_certificate and device.devstate not in (State.REFUSED, *DEACTIVATED_STATES)


def why_admitted(device: Device | None) -> str | None:
    """Return the reason in the entry of an admission, which states whether the claim expected another name."""
    return NAME_DIFFERS if device is not None and device.expected_name else None


def refuse(
    device: Device | None, certid: Fingerprint, name: ThingName | None, region: Region, code: str, message: str, at: str
) -> Device:
    """Return the device after its certificate was refused. The row keeps the reason. It also keeps a claim, which
    applies if the certificate is admitted later."""
    state = state_after(device, Event.REFUSE)
    if (
        device is not None
        and device.devstate is State.REFUSED
        and device.reason == code
        and not device.needs_commissioner
    ):
        return device
    row = device or Device(certid, state, at)
    refused = replace(row, devicename=row.devicename or name, lobbyregion=region, firstseen=row.firstseen or at)
    return entered(replace(refused, reason=code, message=message, needs_commissioner=False), state, at)


def claim(
    device: Device | None,
    certid: Fingerprint,
    request: ClaimRequest,
    actor: str,
    at: str,
    expected_name: ThingName | None = None,
) -> Device:
    """Return the device, claimed for a target. A repeated request changes nothing. `expected_name` is the name that the
    user expects the device to have."""
    request = claim_with_defaults(request, device)
    if device is not None and _holds(device, request):
        return expecting(device, expected_name or device.expected_name)
    state = state_after(device, Event.CLAIM, unproven=request.presence)
    if request.presence:
        presence.require_pause(device, at)
    left = leave_places(device or Device(certid, state, at), None if state is State.PROVING else request.target)
    proof = PresenceProof.WANTED if request.presence else None
    named = expecting(_claimed(left, state, request, actor, at, proof), expected_name)
    return presence.start_proof(named) if state is State.PROVING else named


def expecting(device: Device, name: ThingName | None) -> Device:
    """Return `device` with the name that its claim expects, if its own name differs."""
    expected = None if name == device.devicename else name
    return device if expected == device.expected_name else replace(device, expected_name=expected)


def move(device: Device, request: ClaimRequest, actor: str, at: str) -> Device:
    """Return a claimed device, claimed for another target. The row keeps the old target until it is cleared. If the new
    target requires proof of presence, a proven claim needs no second proof, and an unproven claim cannot be moved."""
    waits = device.devstate in (State.EXPECTED, State.PROVING)
    if _holds(device, request) and not (waits and is_unproven(device) is not request.presence):
        return device
    state = state_after(device, Event.MOVE)
    stays = device.target == request.target and not is_unproven(device)
    proven = device.presence_proof is PresenceProof.GIVEN
    if request.presence and state is State.CLAIMED and not proven and not stays:
        raise Conflict(
            "PRESENCE_REQUIRED",
            f"got a move to {request.target}, which requires proof of presence for a claim; "
            "want a claim that was confirmed: release the device, then claim it there",
        )
    wanted = PresenceProof.WANTED if request.presence and state is State.EXPECTED else None
    proof = PresenceProof.GIVEN if proven else wanted
    moved = _claimed(leave_places(device, request.target), state, request, actor, at, proof)
    return expecting(moved, device.expected_name)


def configure(device: Device, profile: str | None, config: Config | None, at: str) -> Device:
    """Return the device with another profile or configuration of its claim; None keeps the current value, and the
    target stays. The device is commissioned again, so that it gets a new route. A proving device gets a new code, but
    no additional attempts."""
    state = state_after(device, Event.CONFIGURE)
    wanted = (profile or device.profile, device.config if config is None else parse_config(config))
    if wanted == (device.profile, device.config):
        return device
    changed = replace(_next_generation(device), profile=wanted[0], config=wanted[1])
    if state is State.PROVING:
        return presence.start_proof(changed)
    if state is State.EXPECTED:
        return changed
    return entered(replace(changed, iotep=None, reason=None, message=None, needs_commissioner=True), state, at)


def release(device: Device, at: str) -> Device | None:
    """Return the device without its claim. The device returns to the lobby; a device that has never connected is
    removed (None); a refused device stays refused and keeps its reason. A device without a claim does not change if it
    has had one, or was in quarantine: a repeated request may mean that the first answer was lost."""
    if device.devstate in (State.INLOBBY, State.REFUSED) and device.target is None and device.generation:
        return device
    state = next_state(device.devstate, Event.RELEASE)
    if state is None:
        return None
    if state is State.REFUSED:
        if device.target is None:
            raise Conflict("NOT_ALLOWED", f"got release for a device that is {device.devstate}, want one with a claim")
        return without_claim(device)
    left = without_claim(leave_places(device, None))
    return entered(replace(left, renew_by=None, reason=None, message=None, needs_commissioner=True), state, at)


def without_claim(device: Device) -> Device:
    """Return `device` in the next generation, without what its claim states."""
    return replace(
        _next_generation(device),
        target=None,
        iotep=None,
        claimedby=None,
        claimedat=None,
        profile=DEFAULT_PROFILE,
        config=DEFAULT_CONFIG,
        presence_proof=None,
        code=None,
        failed_codes=0,
        fallbacks=0,
        expected_name=None,
        shadows=None,
    )


def _next_generation(device: Device) -> Device:
    """Return `device` with the next generation. Bulk changes and campaigns then set their priority and name."""
    return replace(device, generation=device.generation + 1, priority=Priority.SINGLE, campaign=None)


def retry(device: Device, at: str) -> Device:
    """Return the device when the commissioner repeats failed, stuck or unfinished work. The generation increases, so
    that the row changes and starts the commissioner even if its work was never recorded as done. The reason of a
    refused, revoked or quarantined device stays. A proving device gets a new code, but no more attempts."""
    state = state_after(device, Event.RETRY)
    if device.devstate is State.INLOBBY and not device.has_work_left:
        raise Conflict("NOT_ALLOWED", f"got retry for a device that is {device.devstate}, want one with work left")
    again = replace(_next_generation(device), needs_commissioner=True)
    if state in DEACTIVATED_STATES:
        return without_failed_clearing(again)
    if state is State.REFUSED:
        return again
    if state is State.PROVING:
        return presence.start_proof(again)
    again = replace(again, reason=None, message=None, shadows=device.shadows.pending() if device.shadows else None)
    return entered(replace(again, iotep=None), state, at) if state is State.CLAIMED else again


def revoke(device: Device | None, certid: Fingerprint, why: str, at: str) -> Device:
    """Return the device after its certificate was revoked permanently, everywhere, even if it has never connected."""
    if device is not None and device.devstate is State.REVOKED:
        return device
    state = state_after(device, Event.REVOKE)
    row = device or Device(certid, state, at)
    revoked = replace(
        _next_generation(leave_places(row, None)),
        reason=REVOKED,
        message=why,
        needs_commissioner=True,
        iotep=None,
        code=None,
        renew_by=None,
        shadows=None,
        reactivate=False,
    )
    return entered(revoked, state, at)


def state_after(device: Device | None, event: Event, *, unproven: bool | None = None, at_once: bool = False) -> State:
    """Return the state that follows `event`. Raise `Conflict` if the event is not allowed."""
    unproven = is_unproven(device) if unproven is None else unproven
    claimed = bool(device and device.target)
    state = next_state(device.devstate if device else None, event, claimed=claimed, unproven=unproven, at_once=at_once)
    if state is None:
        raise AssertionError(f"{event} must not remove the row")
    return state


def entered(device: Device, state: State, at: str) -> Device:
    return replace(device, devstate=state, enteredat=at)


def is_unproven(device: Device | None) -> bool:
    """Return whether the claim waits for proof of presence, now or when the device is admitted."""
    return device is not None and device.presence_proof is PresenceProof.WANTED


def _holds(device: Device, request: ClaimRequest) -> bool:
    if device.devstate in (State.REFUSED, *DEACTIVATED_STATES):
        return False
    return (device.target, device.profile, device.config) == (request.target, request.profile, request.config)


def leave_places(device: Device, goal: Target | None = None) -> Device:
    """Return `device` with its current target and its standby added to the targets to clear, and `goal` removed from
    them. A proving device is not registered in its target yet, so there is nothing to clear."""
    was_placed = device.has_certificate and device.devstate is not State.PROVING
    places = (device.target, device.standby.target if device.standby else None)
    left = [*device.targets_to_clear, *(place for place in places if place and was_placed)]
    return replace(
        device, standby=None, targets_to_clear=tuple(dict.fromkeys(target for target in left if target != goal))
    )


def _claimed(
    device: Device, state: State, request: ClaimRequest, actor: str, at: str, proof: PresenceProof | None
) -> Device:
    claimed = replace(
        without_claim(device),
        target=request.target,
        profile=request.profile,
        config=request.config,
        reason=None,
        message=None,
        claimedby=actor,
        claimedat=at,
        priority=request.priority,
        needs_commissioner=state is State.CLAIMED,
        presence_proof=proof,
    )
    return entered(claimed, state, at)
