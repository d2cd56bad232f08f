"""The commissioner's work for one device, decided by its state: register it in its target, clear targets it has left,
or deactivate it everywhere.

Every step can be interrupted and repeated, also by a second delivery of its record that runs at the same time. A result
is written to the ledger only for the claim that was worked on. If the claim has changed meanwhile, the certificate in
its target is set to what the current claim requires, and the claim is read again after each change, so that the last
one to change the certificate has seen the claim as it is. A new target is ready before the old one is cleared.
"""

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from commissioner.errors import TargetRefusal
from commissioner.target_gateway import registry
from commissioner.target_gateway.error_translation import NOT_FOUND, code_of
from commissioner.target_gateway.gateway import TargetGateway
from lobby.domain.commissioner_transitions import is_claimed_for
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.errors import Conflict, NotFound
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target
from lobby.wire import lobby_topic

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient

ACTOR: Final = "service:commissioner"
SUPERSEDED: Final = "superseded"
_UNREACHABLE: Final = "TARGET_UNREACHABLE"
logger = Logger(service="commissioner")


class Commissioner:
    """Does what a device's row requires. `iot` and `iot_data` are clients of the lobby account."""

    def __init__(
        self, ledger: Ledger, gateway: TargetGateway, iot: "IoTClient", iot_data: "IoTDataPlaneClient"
    ) -> None:
        self._ledger, self._gateway, self._iot, self._iot_data = ledger, gateway, iot, iot_data

    def process(self, device: Device) -> str:
        """Do what the row requires and return the outcome. Raise what the event source mapping must retry."""
        return self._gateway.run(lambda: self._process(device))

    def withdraw(self, device: Device) -> str:
        """Process a superseded record. The record of the later claim, release or revocation does the rest. But an
        attempt at this one may have registered the device again since, or have deactivated it in the target that it is
        claimed for now."""
        return self._gateway.run(lambda: self._withdraw(device))

    def is_wait_expired(self, device: Device) -> bool:
        """Return whether a target of this device has been unreachable for so long that the device must fail."""
        return any(self._gateway.is_unreachable(target) for target in (device.target, *device.targets_to_clear))

    def give_up(self, device: Device, error: Exception) -> str:
        """Record that all attempts failed, so that the records behind this one are processed."""
        return self._gateway.run(lambda: self._give_up(device, error))

    def give_up_withdrawal(self, device: Device) -> str:
        """Record that a superseded record's target could not be reached and is to be cleared."""
        if device.devstate is State.CLAIMED and device.target is not None:
            self._ledger.leave_uncleared(device.certid, device.target, ACTOR, _UNREACHABLE)
        return SUPERSEDED

    def _give_up(self, device: Device, error: Exception) -> str:
        message = f"attempts failed for minutes; the last error: {type(error).__name__}: {error}"[:400]
        refusal = TargetRefusal.with_advice(_UNREACHABLE, message)
        if device.devstate is State.CLAIMED:
            return self._fail(device, refusal)
        self._ledger.retire(device, None, ACTOR, refusal.code, refusal.message)
        return refusal.code

    def _process(self, device: Device) -> str:
        if device.devstate is State.CLAIMED:
            return self._commission(device)
        if device.devstate is State.REVOKED:
            return self._deactivate_everywhere(device)
        if device.devstate is State.REFUSED:
            return self._readmit(device)
        if device.devstate is State.FAILED:
            return "already failed"
        if device.devstate is State.PROVING:
            self._publish_presence_challenge(device)
        if device.devstate is State.COMMISSIONED:
            self._push_route(device)
        return self._clear_targets(device)

    def _commission(self, device: Device) -> str:
        try:
            endpoint = self._gateway.register(device)
        except TargetRefusal as refusal:
            return self._fail(device, refusal)
        try:
            commissioned = self._ledger.commission(device, endpoint, ACTOR)
        except (Conflict, NotFound) as conflict:
            return self._resolve_conflict(device, conflict)
        self._push_route(commissioned)
        return self._clear_targets(commissioned) if commissioned.targets_to_clear else "commissioned"

    def _fail(self, device: Device, refusal: TargetRefusal) -> str:
        try:
            self._ledger.fail(device, refusal.code, refusal.message, ACTOR)
        except (Conflict, NotFound) as conflict:
            return self._resolve_conflict(device, conflict)
        return refusal.code

    def _resolve_conflict(self, device: Device, conflict: Conflict | NotFound) -> str:
        """Continue after the ledger has rejected a result. Either another claim, release or revocation came first; or
        an interrupted attempt at this one has written its result, and its remaining steps are done now. If the row was
        only busy, the event source mapping retries."""
        current = self._ledger.get(device.certid)
        if current is None or current.generation != device.generation:
            return self._withdraw(device)
        if current.devstate is State.CLAIMED:
            raise conflict
        return self._process(current)

    def _withdraw(self, device: Device) -> str:
        if device.devstate is State.CLAIMED and device.target is not None:
            self._align(device.certid, device.target)
        for target in device.targets_to_clear:
            self._align(device.certid, target, activate_only=True)
        return SUPERSEDED

    def _align(self, certid: Fingerprint, target: Target, *, activate_only: bool = False) -> None:
        """Make the certificate in `target` what the current claim requires. Read the claim again after each change: a
        newer claim for the same target may have registered the device just before it was deactivated. `activate_only`:
        the certificate can only have been deactivated; its clearing is pending."""
        is_active = False if activate_only else None
        while True:
            current = self._ledger.get(certid)
            required = _must_be_active(current, target)
            if required is None or required is is_active:
                break
            try:
                (self._gateway.activate if required else self._gateway.deactivate)(target, certid)
            except TargetRefusal as refusal:
                self._record_refused_alignment(certid, target, current if required else None, refusal)
                break
            is_active = required

    def _record_refused_alignment(
        self, certid: Fingerprint, target: Target, claimed: Device | None, refusal: TargetRefusal
    ) -> None:
        """Record that the target has refused a change: as the claim's reason (`claimed` is its row), or as a target to
        clear."""
        logger.warning("not withdrawn", extra={"target": str(target), "code": refusal.code})
        if claimed is not None:
            self._ledger.retire(claimed, None, ACTOR, refusal.code, refusal.message)
        else:
            self._ledger.leave_uncleared(certid, target, ACTOR, refusal.code)

    def _push_route(self, device: Device) -> None:
        """Send the route to a device in the lobby. From the second claim on, send it to the target as well: the device
        may be there already, with only its profile or configuration changed."""
        route = device.route()
        if route is None or device.devicename is None or device.target is None:
            return
        self._iot_data.publish(topic=lobby_topic(device.devicename), qos=1, payload=route.encode())
        if device.generation > 1:
            try:
                self._gateway.publish_route(device.target, device.devicename, route)
            except TargetRefusal as refusal:
                self._ledger.retire(device, None, ACTOR, refusal.code, refusal.message)

    def _publish_presence_challenge(self, device: Device) -> None:
        """Send the presence code to a device in the lobby that can show it. A device that misses the message sends
        another hello."""
        challenge = device.presence_challenge()
        if challenge is not None and device.devicename is not None:
            self._iot_data.publish(topic=lobby_topic(device.devicename), qos=1, payload=challenge.encode())

    def _clear_targets(self, device: Device) -> str:
        generation = device.generation
        for target in device.targets_to_clear:
            device = self._clear(device, target)
            if device.generation != generation:
                self._align(device.certid, target, activate_only=True)
                return SUPERSEDED
        if device.needs_commissioner:
            self._ledger.retire(device, None, ACTOR)
        return "cleared"

    def _clear(self, device: Device, target: Target) -> Device:
        """Clear one target. A revoked device gets no reset message."""
        reset = device.devstate is not State.REVOKED
        try:
            self._gateway.clear(target, device.certid, device.devicename, reset=reset)
        except TargetRefusal as refusal:
            return self._ledger.retire(device, target, ACTOR, refusal.code, refusal.message)
        return self._ledger.retire(device, target, ACTOR)

    def _deactivate_everywhere(self, device: Device) -> str:
        registry.deactivate(self._iot, device.certid)
        if device.devicename is not None:
            registry.disconnect(lambda: self._iot_data, device.devicename)
        self._clear_targets(device)
        return "deactivated"

    def _readmit(self, device: Device) -> str:
        """Delete a refused certificate from the lobby's AWS IoT, so that its next connection registers it again."""
        try:
            self._delete_certificate(device)
        except ClientError as error:
            if code_of(error) != NOT_FOUND:
                raise
        self._ledger.retire(device, None, ACTOR)
        return "may connect again"

    def _delete_certificate(self, device: Device) -> None:
        try:
            self._iot.delete_certificate(certificateId=device.certid, forceDelete=True)
        except ClientError as error:
            if code_of(error) != "DeleteConflictException" or device.devicename is None:
                raise
            description = self._iot.describe_certificate(certificateId=device.certid)["certificateDescription"]
            arn = description["certificateArn"]
            self._iot.detach_thing_principal(thingName=device.devicename, principal=arn)
            self._iot.delete_certificate(certificateId=device.certid, forceDelete=True)


def _must_be_active(device: Device | None, target: Target) -> bool | None:
    """Return whether the current claim requires the certificate to be active in `target`; None if it must stay as it is
    because the device may still work there: `target` is cleared when the device's new target is ready."""
    if device is None:
        return False
    if target in device.targets_to_clear and device.devstate in (State.CLAIMED, State.FAILED):
        return None
    return is_claimed_for(device, target)
