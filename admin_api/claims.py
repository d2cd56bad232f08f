"""What claiming and moving mean for the API: the caller's wish, checked against the registered targets.

The ledger decides what a device's state allows; this decides whether the caller may send it there, and what
is meant where the caller said nothing: a claim takes the target's usual profile, a move keeps what was.
"""

import json

from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.device import DEFAULT_PROFILE, Device
from lobby.domain.target import RegisteredTarget
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, InvalidInput, NotFound
from lobby.names import Fingerprint, Target, parse_code, parse_profile, shown
from lobby.wire import DEFAULT_CONFIG, Config


def add(services: Services, caller: Caller, certid: Fingerprint, target: Target) -> Device:
    """The v0.1 way to claim, which also re-claims: the same target again changes nothing, another one is a move
    for those who may move. Raises `Conflict` ALREADY_CLAIMED for a technician."""
    try:
        return claim(services, caller, certid, target, None, None)
    except Conflict as conflict:
        held = services.ledger.get(certid) if conflict.code == "ALREADY_CLAIMED" else None
        if held is not None and held.target == target:
            return held
        if held is None or not caller.may("moveDevice"):
            raise
    registered = services.targets.get(target)
    profile = held.profile if held.profile in registered.profiles else _profile(registered, None)
    wish = ClaimRequest(target, profile, held.config, registered.presence)
    return services.ledger.move(certid, wish, caller.actor)


def claim(
    services: Services, caller: Caller, certid: Fingerprint, target: Target, profile: str | None, config: object
) -> Device:
    """Raises `Forbidden`, `NotFound` UNKNOWN_TARGET or UNKNOWN_PROFILE, `InvalidInput`, `Conflict`."""
    caller.require_target(target)
    registered, device = services.targets.get_with_device(target, certid)
    return services.ledger.claim(certid, _wish(registered, profile, config), caller.actor, device)


def wish_for(services: Services, caller: Caller, target: Target, profile: str | None, config: object) -> ClaimRequest:
    """What a claim says, whichever device it is for. Raises as `claim`, save `Conflict`."""
    caller.require_target(target)
    return _wish(services.targets.get(target), profile, config)


def _wish(registered: RegisteredTarget, profile: str | None, config: object) -> ClaimRequest:
    wanted = DEFAULT_CONFIG if config is None else config_of(config)
    return ClaimRequest(registered.target, _profile(registered, profile), wanted, registered.presence)


def move(
    services: Services, caller: Caller, certid: Fingerprint, target: Target, profile: str | None, config: object
) -> Device:
    """A profile or config that is not given stays as it is. Raises as `claim`, and UNKNOWN_DEVICE."""
    caller.require_target(target)
    registered = services.targets.get(target)
    device = _known(services, certid)
    kept = _profile(registered, profile or device.profile)
    wish = ClaimRequest(target, kept, device.config if config is None else config_of(config), registered.presence)
    return services.ledger.move(certid, wish, caller.actor)


def confirm(services: Services, caller: Caller, certid: Fingerprint, code: str) -> Device:
    """Who may claim for the target may say what the device shows. Raises `InvalidInput` INVALID_CODE, `Forbidden`,
    `NotFound` UNKNOWN_DEVICE, `Conflict` as `Ledger.confirm`. A code that cannot be one is no try."""
    said = parse_code(code)
    device = _known(services, certid)
    if device.target is not None:
        caller.require_target(device.target)
    return services.ledger.confirm(device, said, caller.actor)


def _known(services: Services, certid: Fingerprint) -> Device:
    device = services.ledger.get(certid)
    if device is None:
        raise NotFound("UNKNOWN_DEVICE", f"got {certid}, want the fingerprint of a device in the ledger")
    return device


def config_of(value: object) -> Config:
    """A config as JSON knows it: text or an object, without the numbers that JSON has no way to write."""
    if not isinstance(value, str | dict):
        raise InvalidInput("INVALID_CONFIG", f"got {shown(value)}, want text or an object")
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        raise InvalidInput("INVALID_CONFIG", f"got {shown(value)}, want JSON: no NaN or Infinity") from None
    return value


def _profile(registered: RegisteredTarget, wanted: str | None) -> str:
    if wanted is None:
        return DEFAULT_PROFILE if DEFAULT_PROFILE in registered.profiles else registered.profiles[0]
    if parse_profile(wanted) not in registered.profiles:
        have = ", ".join(registered.profiles)
        raise NotFound("UNKNOWN_PROFILE", f"got profile {wanted}, want one of {registered.target}'s: {have}")
    return wanted
