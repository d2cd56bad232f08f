"""The commissioner's work for one device in one lane, decided by the row's state: register the device in its target,
clear a target that it has left, or deactivate it everywhere.

Every step can be interrupted and repeated. A lane does only its own part of a row, and the row then waits in the next
lane. Calls into a target belong to that target's lane, so they never overlap. A result is written to the ledger only
for the claim that was worked on. If the claim has changed in the meantime, the certificate gets the status that the
current claim requires, and the claim is read again after each change. So the last run that changes the certificate has
read the current claim. A new target is ready before the old one is cleared.
"""

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from commissioner.errors import TargetRefusal
from commissioner.lobby_side import LobbySide
from commissioner.shadow_work import ShadowWork
from commissioner.standby_work import StandbyWork
from commissioner.target_gateway.error_translation import NOT_FOUND, code_of
from commissioner.target_gateway.gateway import TargetGateway
from lobby.aws.region_clients import ONE_REGION, RegionClients
from lobby.domain.commissioner_transitions import is_claimed_for, is_other_place
from lobby.domain.device import Device
from lobby.domain.lanes.lane import LOBBY, Lane, main_lane, target_of
from lobby.domain.renewals.renewal_transitions import has_work_in_target, is_renewed_in_target, retires_in_lobby
from lobby.domain.standby.standby import StandbyStatus
from lobby.domain.states import DEACTIVATED_STATES, State
from lobby.errors import Conflict, NotFound
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target
from lobby.wire import Message

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient

ACTOR: Final = "service:commissioner"
SUPERSEDED: Final = "superseded"
logger = Logger(service="commissioner")


class Commissioner:
    """Does the work that a device's row requires. `iot` and `iot_data` are clients of the lobby account in this Region,
    and `regions` has the clients of its other Regions."""

    def __init__(
        self,
        ledger: Ledger,
        gateway: TargetGateway,
        iot: "IoTClient",
        iot_data: "IoTDataPlaneClient",
        regions: RegionClients = ONE_REGION,
        shadows: ShadowWork | None = None,
    ) -> None:
        self._ledger, self._gateway, self._iot, self._iot_data, self._regions = ledger, gateway, iot, iot_data, regions
        self._shadow_work = shadows or ShadowWork(gateway, gateway)
        self._lobby = LobbySide(ledger, iot, iot_data, regions)
        self._standby_work = StandbyWork(ledger, gateway, self._send, ACTOR)

    def process(self, device: Device, lane: Lane) -> str:
        """Do the lane's part of the row's work and return the outcome. Raise errors after which the work must be
        retried."""
        if device.reactivate:
            self._lobby.reactivate(device)
        return self._gateway.run(lambda: self._process(device, lane))

    def finish(self, device: Device, lane: Lane) -> str:
        """Complete the work of a run that may have been interrupted after recording its result: send the route."""
        if device.devstate is State.COMMISSIONED and device.target == target_of(lane):
            self._gateway.run(lambda: self._push_route(device))
        return "route sent again"

    def give_up(self, device: Device, lane: Lane, error: Exception) -> str:
        """Record that every attempt for this device failed, although the target answers for other devices."""
        return self._gateway.run(lambda: self._give_up(device, lane, error))

    def _give_up(self, device: Device, lane: Lane, error: Exception) -> str:
        message = f"attempts failed for minutes; the last error: {type(error).__name__}: {error}"[:400]
        refusal = TargetRefusal.with_advice("TARGET_UNREACHABLE", message)
        if device.devstate is State.CLAIMED:
            return self._fail(device, lane, refusal)
        if device.standby is not None and device.works_in_standby and target_of(lane) == device.standby.target:
            return self._standby_work.refused(device, refusal)
        self._ledger.retire(device, target_of(lane), ACTOR, refusal.code, refusal.message)
        return refusal.code

    def _process(self, device: Device, lane: Lane) -> str:
        if device.devstate is State.CLAIMED:
            return self._commission(device, lane)
        if device.devstate is State.REFUSED:
            return self._readmit(device)
        if device.devstate in DEACTIVATED_STATES:
            self._lobby.expel(device)
        if device.devstate is State.TRANSFERRED and lane == LOBBY:
            self._lobby.send_away(device)
        if device.devstate is State.PROVING:
            self._publish_presence_challenge(device)
        target = target_of(lane)
        if device.standby is not None and device.works_in_standby and target == device.standby.target:
            return self._standby_work.carry_out(device, lambda certid: self._is_former(certid, device))
        if target is not None and target == device.target and has_work_in_target(device):
            outcome = self._renew(device, target) if is_renewed_in_target(device) else ""
            return self._standby_work.announce(device, target) if device.announces_standby else outcome
        return self._clear_target(device, lane)

    def _renew(self, device: Device, target: Target) -> str:
        """Do the work of a renewal in the target: retire the replaced certificates in the target and in the lobby, and
        ask the device to renew if it is due."""
        try:
            self._gateway.retire(target, device.retiring)
            self._ask_to_renew(device, target)
        except TargetRefusal as refusal:
            return self._uncleared(device, None, refusal)
        self._lobby.deactivate(device.retiring)
        if device.devstate is State.COMMISSIONED:  # a run that ended before it sent the route is continued here
            self._push_route(device)
        self._ledger.retire_certificates(device, device.retiring, ACTOR)
        return "retired" if device.retiring else "asked to renew"

    def _retire_in_lobby(self, device: Device) -> str:
        """Retire the old certificates of a device that was released before its target had retired them. The targets
        that the device has left are cleared, so only the lobby's part is left."""
        self._lobby.deactivate(device.retiring)
        self._ledger.retire_certificates(device, device.retiring, ACTOR)
        return "retired"

    def _ask_to_renew(self, device: Device, target: Target) -> None:
        request = device.renewal_request()
        if request is not None and device.devicename is not None:
            self._gateway.ask_to_renew(target, device.devicename, request)

    def _commission(self, device: Device, lane: Lane) -> str:
        try:
            endpoint = self._gateway.register(device, lambda certid: self._is_former(certid, device))
            shadows = self._shadow_work.carry_out(device)
        except TargetRefusal as refusal:
            return self._fail(device, lane, refusal)
        try:
            standby, _ = self._gateway.standby_of(device.target)
            commissioned = self._ledger.commission(device, endpoint, ACTOR, standby, shadows)
        except (Conflict, NotFound) as conflict:
            return self._resolve_conflict(device, lane, conflict)
        self._push_route(commissioned)
        return "commissioned"

    def _is_former(self, certid: Fingerprint, device: Device) -> bool:
        """Return whether a certificate is revoked, and its name has gone to this device."""
        former = self._ledger.get(certid)
        return former is not None and former.devstate is State.REVOKED and former.devicename == device.devicename

    def _fail(self, device: Device, lane: Lane, refusal: TargetRefusal) -> str:
        try:
            self._ledger.fail(device, refusal.code, refusal.message, ACTOR)
        except (Conflict, NotFound) as conflict:
            return self._resolve_conflict(device, lane, conflict)
        return refusal.code

    def _resolve_conflict(self, device: Device, lane: Lane, conflict: Conflict | NotFound) -> str:
        """Continue after the ledger has rejected a result. Either another claim, release or revocation came first, or
        an interrupted attempt has already written this result, and its last step is done now. If the row was only busy,
        the write is tried again."""
        current = self._ledger.get(device.certid)
        if current is None or current.generation != device.generation:
            return self._withdraw(device)
        if current.devstate is State.CLAIMED:
            raise conflict
        return self.finish(current, lane)

    def _withdraw(self, device: Device) -> str:
        if device.devstate is State.CLAIMED and device.target is not None:
            self._align(device, device.target)
        return SUPERSEDED

    def _align(self, device: Device, target: Target, *, activate_only: bool = False) -> None:
        """Set the certificates in `target` to the state that the current claim requires. Read the claim again after
        each change: a newer claim for the same target may have registered the device just before it was deactivated.
        `activate_only`: the certificate can at most have been deactivated wrongly, because its clearing is still
        pending."""
        done: tuple[bool, tuple[Fingerprint, ...]] | None = (False, device.all_certificates) if activate_only else None
        while True:
            current = self._ledger.get(device.certid)
            required = _must_be_active(current, target)
            known = current or device
            wanted = (bool(required), known.certificates if required else known.all_certificates)
            if required is None or wanted == done:
                break
            try:
                (self._gateway.activate if required else self._gateway.deactivate)(target, wanted[1])
            except TargetRefusal as refusal:
                self._record_refused_alignment(device.certid, target, current if required else None, refusal)
                break
            done = wanted

    def _record_refused_alignment(
        self, certid: Fingerprint, target: Target, claimed: Device | None, refusal: TargetRefusal
    ) -> None:
        """Record that the target has refused a change, either as the claim's reason (`claimed` is its row) or as a
        target to clear."""
        logger.warning("not withdrawn", extra={"target": str(target), "code": refusal.code})
        if claimed is not None:
            self._ledger.retire(claimed, None, ACTOR, refusal.code, refusal.message)
        else:
            self._ledger.leave_uncleared(certid, target, ACTOR, refusal.code)

    def _push_route(self, device: Device) -> None:
        """Send the route to a device in the lobby. From the second claim on, also send it to the target, because the
        device may already be there if only its profile or configuration has changed."""
        route = device.route()
        if route is None or device.devicename is None or device.target is None:
            return
        self._send(device, route)
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
            self._send(device, challenge)

    def _send(self, device: Device, message: Message) -> None:
        self._regions.send(device, message, self._iot_data)

    def _clear_target(self, device: Device, lane: Lane) -> str:
        """Clear the lane's target. A revoked or quarantined device gets no reset message."""
        target, generation = target_of(lane), device.generation
        if target is not None and target in device.targets_to_clear:
            try:
                self._gateway.clear(target, device, reset=device.devstate not in DEACTIVATED_STATES)
            except TargetRefusal as refusal:
                return self._uncleared(device, target, refusal)
            device = self._ledger.retire(device, target, ACTOR)
            if device.generation != generation:
                self._align(device, target, activate_only=True)
                return SUPERSEDED
        if retires_in_lobby(device):
            return self._retire_in_lobby(device)
        if device.needs_commissioner and main_lane(device) == LOBBY:
            self._ledger.retire(device, None, ACTOR)
        return "cleared"

    def _uncleared(self, device: Device, target: Target | None, refusal: TargetRefusal) -> str:
        self._ledger.retire(device, target, ACTOR, refusal.code, refusal.message)
        return refusal.code

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
        iot = self._regions.iot(device.lobbyregion, self._iot)
        try:
            iot.delete_certificate(certificateId=device.certid, forceDelete=True)
        except ClientError as error:
            if code_of(error) != "DeleteConflictException" or device.devicename is None:
                raise
            description = iot.describe_certificate(certificateId=device.certid)["certificateDescription"]
            arn = description["certificateArn"]
            iot.detach_thing_principal(thingName=device.devicename, principal=arn)
            iot.delete_certificate(certificateId=device.certid, forceDelete=True)


def _must_be_active(device: Device | None, target: Target) -> bool | None:
    """Return whether the current claim requires the certificate to be active in `target`; None if it must not be
    changed, because the device may still work there until its new target is ready and `target` is cleared."""
    if device is None:
        return False
    if is_other_place(device, target):
        return True if device.standby is not None and device.standby.status is StandbyStatus.ACTIVE else None
    if target in device.targets_to_clear and device.devstate in (State.CLAIMED, State.FAILED):
        return None
    return is_claimed_for(device, target)
