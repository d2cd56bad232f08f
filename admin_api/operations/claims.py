"""Claims and confirms a device. Checks the caller's request against the registered targets.

The ledger checks the device's state. This module checks whether the caller may use the target. `changes` has the
operations that exist for one device and for many.
"""

from dataclasses import replace

from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.changes import Chosen, Move, claim_request
from lobby.domain.device import Device, Priority
from lobby.domain.targets.target import RegisteredTarget, profile_for, require_open
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, NotFound
from lobby.names import Fingerprint, Target, parse_code, parse_thing_name
from lobby.wire import parse_config


def add(services: Services, caller: Caller, certid: Fingerprint, target: Target) -> Device:
    """Claim a device as v0.1 does, and return it. A device that is claimed for the same target does not change. If the
    device is claimed for another target, move it if the caller may move devices; otherwise raise `Conflict`
    ALREADY_CLAIMED."""
    try:
        return claim(services, caller, certid, target, None, None)
    except Conflict as conflict:
        device = services.ledger.get(certid) if conflict.code == "ALREADY_CLAIMED" else None
        if device is not None and device.target == target:
            return device
        if device is None or not caller.may("moveDevice"):
            raise
    registered = require_open(services.targets.get(target))
    profile = device.profile if device.profile in registered.profiles else profile_for(registered, None)
    moved = services.ledger.change(Chosen(certid), Move(registered, profile), caller.actor)
    return moved or device


def claim(
    services: Services,
    caller: Caller,
    certid: Fingerprint,
    target: Target,
    profile: str | None,
    config: object,
    expected_name: str | None = None,
) -> Device:
    """Claim a device and return it. Raise `Forbidden`, `RateLimited`, `NotFound` UNKNOWN_TARGET or UNKNOWN_PROFILE,
    `InvalidInput` or `Conflict`."""
    caller.require_target(target)
    services.limits.allowed(caller, [certid], target)
    registered, device = services.targets.get_with_device(target, certid)
    name = None if expected_name is None else parse_thing_name(expected_name)
    return services.ledger.claim(certid, _claim_request(registered, profile, config), caller.actor, device, name)


def claim_request_for(
    services: Services, caller: Caller, target: Target, profile: str | None, config: object
) -> ClaimRequest:
    """Return the claim request for several devices. The commissioner handles it after single claims. Raise the errors
    of `claim`, except `Conflict`."""
    caller.require_target(target)
    return replace(_claim_request(services.targets.get(target), profile, config), priority=Priority.BULK)


def confirm(services: Services, caller: Caller, certid: Fingerprint, code: str) -> Device:
    """Confirm a claim with the presence code that the device shows, and return the device. A malformed code does not
    count as an attempt. Raise `InvalidInput` INVALID_CODE, `Forbidden` if the caller may not claim for the device's
    target, `NotFound` UNKNOWN_DEVICE, or `Conflict` as `Ledger.confirm`."""
    presence_code = parse_code(code)
    device = _device(services, certid)
    if device.target is not None:
        caller.require_target(device.target)
    return services.limits.confirming(
        caller, device, lambda: services.ledger.confirm(device, presence_code, caller.actor)
    )


def _claim_request(registered: RegisteredTarget, profile: str | None, config: object) -> ClaimRequest:
    return claim_request(registered, profile, None if config is None else parse_config(config))


def _device(services: Services, certid: Fingerprint) -> Device:
    device = services.ledger.get(certid)
    if device is None:
        raise NotFound("UNKNOWN_DEVICE", f"got {certid}, want the fingerprint of a device in the ledger")
    return device
