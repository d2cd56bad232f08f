"""The commissioner's work for one device, by its state: commission it, clear what it left, or shut it out.

Everything here may be cut off at any step and done again. The ledger is told of a success only for the claim
that was worked on; where the claim has changed meanwhile, what was registered for the old one is put out of use
again. The new place is made ready before the old one is taken away.
"""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from commissioner import registry
from commissioner.failures import Refused, code_of, refusal
from commissioner.sessions import Sessions, TargetSession
from lobby.errors import Conflict, NotFound
from lobby.ledger.device import Device
from lobby.ledger.states import State
from lobby.ledger.store import Ledger
from lobby.ledger.targets import RecentTargets
from lobby.names import Target
from lobby.wire import lobby_topic

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient

ACTOR: Final = "service:commissioner"
_AT_HOME: Final = (State.CLAIMED, State.COMMISSIONED, State.ARRIVED)


class Commissioner:
    """Does what a device's row asks for. `iot` and `iot_data` are the lobby's own."""

    def __init__(
        self,
        ledger: Ledger,
        targets: RecentTargets,
        sessions: Sessions,
        iot: "IoTClient",
        iot_data: "IoTDataPlaneClient",
    ) -> None:
        self._ledger, self._targets, self._sessions = ledger, targets, sessions
        self._iot, self._iot_data = iot, iot_data

    def serve(self, device: Device) -> str:
        """What was done, in a word. Raises what the stream shall deliver again."""
        if device.devstate is State.CLAIMED:
            return self._commission(device)
        if device.devstate is State.REVOKED:
            return self._shut_out(device)
        if device.devstate is State.REFUSED:
            return self._let_knock_again(device)
        if device.devstate is State.FAILED:
            return "failed before"
        if device.devstate is State.COMMISSIONED:
            self._push(device)
        return self._clear_left(device)

    def _commission(self, device: Device) -> str:
        try:
            session = self._registered(device)
        except Refused as refused:
            return self._failed(device, refused)
        try:
            after = self._ledger.commission(device, session.endpoint, ACTOR)
        except (Conflict, NotFound) as changed:
            return self._undo(device, session, changed)
        self._push(after)
        return self._clear_left(after) if after.previous else "commissioned"

    def _registered(self, device: Device) -> TargetSession:
        target, name, pem = device.target, device.devicename, device.devicecert
        if target is None or name is None or pem is None:
            raise AssertionError(f"a claimed device has a target and an identity: {device.certid}")
        session = self._session(target, device.profile)
        if device.profile not in session.registered.profiles:
            raise Refused("UNKNOWN_PROFILE", f"got profile {device.profile}, which {target} does not have")
        try:
            registry.register(session, device.certid, pem, name, device.profile)
            _ = session.endpoint
        except ClientError as error:
            raise self._refusal(error, session) or error from error
        return session

    def _refusal(self, error: ClientError, session: TargetSession) -> Refused | None:
        refused = refusal(error, str(session.target))
        if refused is not None:
            self._sessions.forget(session.registered)
        return refused

    def _session(self, target: Target, profile: str | None = None) -> TargetSession:
        try:
            registered = self._targets.get(target, profile)
            return self._sessions.of(registered)
        except NotFound as unknown:
            raise Refused("UNKNOWN_TARGET", unknown.message) from None
        except ClientError as error:
            raise refusal(error, str(target)) or error from error

    def _failed(self, device: Device, refused: Refused) -> str:
        try:
            self._ledger.fail(device, refused.code, refused.message, ACTOR)
        except (Conflict, NotFound):
            return "overtaken"
        return refused.code

    def _undo(self, device: Device, session: TargetSession, changed: Exception) -> str:
        if isinstance(changed, Conflict) and changed.code not in ("CHANGED_MEANWHILE", "NOT_ALLOWED", "REVOKED"):
            raise changed
        if self._is_left_over(device):
            registry.deactivate(session.iot, device.certid)
        return "overtaken"

    def withdraw(self, device: Device) -> str:
        """For a record that was overtaken. Another claim, a release or a revocation came first, and its own record
        does the rest; but a try at this one that was cut off may have registered the device once more since."""
        if device.devstate is State.CLAIMED and device.target is not None and self._is_left_over(device):
            try:
                registry.deactivate(self._session(device.target).iot, device.certid)
            except Refused:
                return "overtaken, and shut out there"
            except ClientError as error:
                if refusal(error, str(device.target)) is None:
                    raise
        return "overtaken"

    def _is_left_over(self, device: Device) -> bool:
        """Whether nobody else answers for the device's certificate in the claim's target: neither the present
        claim, nor the record that will clear it."""
        current = self._ledger.get(device.certid)
        if current is None:
            return True
        at_home = current.target == device.target and current.devstate in _AT_HOME
        return not at_home and device.target not in current.previous

    def _push(self, device: Device) -> None:
        route = device.route()
        if route is None or device.devicename is None:
            return
        self._iot_data.publish(topic=lobby_topic(device.devicename), qos=1, payload=route.encode())

    def _clear_left(self, device: Device) -> str:
        generation = device.generation
        for target in device.previous:
            device = self._cleared(device, target)
            if device.generation != generation:
                return "overtaken"
        if device.turn:
            self._ledger.retire(device, None, ACTOR)
        return "cleared"

    def _cleared(self, device: Device, target: Target) -> Device:
        try:
            self._take_away(device, self._session(target))
        except Refused as refused:
            return self._ledger.retire(device, target, ACTOR, refused.code, refused.message)
        return self._ledger.retire(device, target, ACTOR)

    def _take_away(self, device: Device, session: TargetSession) -> None:
        try:
            if device.devicename is not None and device.devstate is not State.REVOKED:
                registry.say_goodbye(session, device.devicename)
            registry.deactivate(session.iot, device.certid)
        except ClientError as error:
            raise self._refusal(error, session) or error from error

    def _shut_out(self, device: Device) -> str:
        registry.deactivate(self._iot, device.certid)
        self._clear_left(device)
        return "shut out"

    def _let_knock_again(self, device: Device) -> str:
        """A refused certificate is forgotten by AWS IoT, so that its next connect is a first one."""
        try:
            self._iot.delete_certificate(certificateId=device.certid, forceDelete=True)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
        self._ledger.retire(device, None, ACTOR)
        return "may knock again"
