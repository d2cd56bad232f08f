"""Changes one device or many for a user. Checks the request against the caller's role and the targets.

The ledger checks each device's state (`lobby.domain.changes`). This module checks the caller's permissions: the
operation itself, the target of a claim or move, and the current target of the device.
"""

from admin_api.roles import Caller
from admin_api.services import Services
from lobby.domain.change_requests import ChangeRequest, change_of
from lobby.domain.changes import Authorised, Change, Chosen
from lobby.domain.device import Device
from lobby.errors import InvalidInput
from lobby.names import Fingerprint


def allowed_request(caller: Caller, request: ChangeRequest) -> ChangeRequest:
    """Return a valid request whose operation and target the caller may use. Raise `Forbidden`, or `InvalidInput`
    INVALID_CHANGE, INVALID_PROFILE, INVALID_CONFIG or INVALID_REASON."""
    caller.require(request.operation.mutation)
    if request.operation.is_of_targets:
        message = f"got {request.operation} of chosen devices, want {request.operation.mutation} for their target"
        raise InvalidInput("INVALID_CHANGE", message)
    valid = request.validated()
    if valid.target is not None:
        caller.require_target(valid.target)
    return valid


def change_for(services: Services, caller: Caller, request: ChangeRequest) -> Change:
    """Return the requested change. Raise the errors of `allowed_request` and `change_of`."""
    return Authorised(change_of(allowed_request(caller, request), services.targets), caller)


def change_device(services: Services, caller: Caller, certid: Fingerprint, request: ChangeRequest) -> Device | None:
    """Change one device, and return its row, or None if it was removed. Raise the errors of `change_for`, `NotFound`
    UNKNOWN_DEVICE, or `Conflict`."""
    return services.ledger.change(Chosen(certid), change_for(services, caller, request), caller.actor)


def changed(services: Services, caller: Caller, certid: Fingerprint, request: ChangeRequest) -> Device:
    """Change one device by an operation that never removes its row, and return it. Raise the errors of
    `change_device`."""
    device = change_device(services, caller, certid, request)
    if device is None:
        raise AssertionError("only a release removes the row")
    return device
