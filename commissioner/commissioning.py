"""The commissioner's work for one device, by its state: commission it, clear what it left, or shut it out.

Everything here may be cut off at any step and done again. The ledger is told of a success only for the claim
that was worked on; where the claim has changed meanwhile, what was registered for the old one is put out of use
again. The new place is made ready before the old one is taken away.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from commissioner.errors import OF_THE_SESSION, Refused, StaleSession, code_of, refusal
from commissioner.target_gateway import registry
from commissioner.target_gateway.circuit_breaker import CircuitBreaker
from commissioner.target_gateway.sessions import Sessions, TargetSession
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.errors import Conflict, NotFound
from lobby.ledger.store import Ledger
from lobby.ledger.targets import RecentTargets
from lobby.names import Target, ThingName
from lobby.wire import Route, lobby_topic

if TYPE_CHECKING:
    from types_boto3_iot import IoTClient
    from types_boto3_iot_data import IoTDataPlaneClient

ACTOR: Final = "service:commissioner"
CLAIM_HELD_STATES: Final = (State.CLAIMED, State.COMMISSIONED, State.ARRIVED, State.FAILED)
"""States in which the certificate in the present target is the present claim's own affair."""
logger = Logger(service="commissioner")


class Commissioner:
    """Does what a device's row asks for. `iot` and `iot_data` are the lobby's own; `breaker` knows who is silent."""

    def __init__(
        self,
        ledger: Ledger,
        targets: RecentTargets,
        sessions: Sessions,
        iot: "IoTClient",
        iot_data: "IoTDataPlaneClient",
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._ledger, self._targets, self._sessions = ledger, targets, sessions
        self._iot, self._iot_data, self._breaker = iot, iot_data, breaker or CircuitBreaker()

    def serve(self, device: Device) -> str:
        """What was done, in a word. Raises what the stream shall deliver again."""
        return self._by_new_sessions(lambda: self._serve(device))

    def _by_new_sessions(self, work: Callable[[], str]) -> str:
        self._sessions.begin()
        while True:
            with suppress(StaleSession):  # each time, one less is left of them
                return work()

    def _serve(self, device: Device) -> str:
        if device.devstate is State.CLAIMED:
            return self._commission(device)
        if device.devstate is State.REVOKED:
            return self._shut_out(device)
        if device.devstate is State.REFUSED:
            return self._let_knock_again(device)
        if device.devstate is State.FAILED:
            return "failed before"
        if device.devstate is State.PROVING:
            self._ask(device)
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
            return self._overtaken(device, changed)
        self._push(after)
        return self._clear_left(after) if after.targets_to_clear else "commissioned"

    def _registered(self, device: Device) -> TargetSession:
        target, name, pem = device.target, device.devicename, device.devicecert
        if target is None or name is None or pem is None:
            raise AssertionError(f"a claimed device has a target and an identity: {device.certid}")
        session = self._session(target, device.profile)
        if device.profile not in session.registered.profiles:
            raise Refused("UNKNOWN_PROFILE", f"got profile {device.profile}, which {target} does not have")
        try:
            with self._breaker.asking(target):
                registry.register(session, device, pem, name)
                _ = session.endpoint
        except ClientError as error:
            raise self._refusal(error, session) or error from error
        return session

    def _refusal(self, error: ClientError, session: TargetSession) -> Refused | None:
        """As `failures.refusal`, and the session is not kept. Raises `OldSession` where that may have been the reason:
        the role was made again since, or was given what it lacked."""
        refused = refusal(error, str(session.target))
        if refused is None:
            return None
        self._sessions.forget(session.registered)
        if refused.code in OF_THE_SESSION and not self._sessions.is_new(session.registered):
            raise StaleSession from error
        return refused

    def _session(self, target: Target, profile: str | None = None) -> TargetSession:
        self._breaker.check(target)
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
        except (Conflict, NotFound) as changed:
            return self._overtaken(device, changed)
        return refused.code

    def _overtaken(self, device: Device, changed: Conflict | NotFound) -> str:
        """The ledger did not take the commissioner's word. Another claim, release or revocation came first; or an
        earlier try at this one had its say, was cut off, and is now brought to its end. A row that was only busy is
        left to the stream."""
        current = self._ledger.get(device.certid)
        if current is None or current.generation != device.generation:
            return self._withdraw(device)
        if current.devstate is State.CLAIMED:
            raise changed
        return self._serve(current)

    def withdraw(self, device: Device) -> str:
        """For a record that was overtaken. Another claim, a release or a revocation came first, and its own record
        does the rest; but a try at this one that was cut off may have registered the device once more since."""
        return self._by_new_sessions(lambda: self._withdraw(device))

    def _withdraw(self, device: Device) -> str:
        if device.devstate is not State.CLAIMED or device.target is None or not self._is_left_over(device):
            return "overtaken"
        try:
            session = self._session(device.target)
        except Refused:
            return "overtaken, and shut out there"
        try:
            with self._breaker.asking(session.target):
                registry.deactivate(session.iot, device.certid)
        except ClientError as error:
            if self._refusal(error, session) is None:
                raise
            logger.warning("not withdrawn", extra={"target": str(session.target), "code": code_of(error)})
        return "overtaken"

    def _is_left_over(self, device: Device) -> bool:
        """Whether nobody else answers for the device's certificate in the claim's target: neither the present
        claim, nor the record that will clear it."""
        current = self._ledger.get(device.certid)
        if current is None:
            return True
        at_home = current.target == device.target and current.devstate in CLAIM_HELD_STATES
        return not at_home and device.target not in current.targets_to_clear

    def _push(self, device: Device) -> None:
        """The route, to a device in the lobby; and from the second claim on to one that may be in the target already,
        where only its profile or config is new."""
        route = device.route()
        if route is None or device.devicename is None or device.target is None:
            return
        self._iot_data.publish(topic=lobby_topic(device.devicename), qos=1, payload=route.encode())
        if device.generation > 1:
            try:
                session = self._session(device.target)
                self._tell_there(session, device.devicename, route)
            except Refused as refused:
                self._ledger.retire(device, None, ACTOR, refused.code, refused.message)

    def _ask(self, device: Device) -> None:
        """The code, to a device in the lobby that can show it. One that does not hear it says hello again."""
        question = device.presence_challenge()
        if question is not None and device.devicename is not None:
            self._iot_data.publish(topic=lobby_topic(device.devicename), qos=1, payload=question.encode())

    def _tell_there(self, session: TargetSession, name: ThingName, route: Route) -> None:
        try:
            with self._breaker.asking(session.target):
                registry.tell(session, name, route)
        except ClientError as error:
            raise self._refusal(error, session) or error from error

    def _clear_left(self, device: Device) -> str:
        generation = device.generation
        for target in device.targets_to_clear:
            device = self._cleared(device, target)
            if device.generation != generation:
                return "overtaken"
        if device.needs_commissioner:
            self._ledger.retire(device, None, ACTOR)
        return "cleared"

    def _cleared(self, device: Device, target: Target) -> Device:
        try:
            self._take_away(device, self._session(target))
        except Refused as refused:
            return self._ledger.retire(device, target, ACTOR, refused.code, refused.message)
        return self._ledger.retire(device, target, ACTOR)

    def _take_away(self, device: Device, session: TargetSession) -> None:
        if device.devicename is not None and device.devstate is not State.REVOKED:
            self._say_goodbye(session, device.devicename)
        try:
            with self._breaker.asking(session.target):
                registry.deactivate(session.iot, device.certid)
        except ClientError as error:
            raise self._refusal(error, session) or error from error

    def _say_goodbye(self, session: TargetSession, name: ThingName) -> None:
        """A courtesy: a device that is not told finds its certificate out of use, and comes back by itself. So a
        target that does not let us speak cannot keep the certificate active by it."""
        try:
            with self._breaker.asking(session.target):
                registry.say_goodbye(session, name)
        except ClientError as error:
            if self._refusal(error, session) is None:
                raise
            logger.warning("no goodbye", extra={"target": str(session.target), "thing": name, "code": code_of(error)})

    def wait_expired(self, device: Device) -> bool:
        """Whether a target that it has to do with has not answered for so long that it shall say so."""
        return any(self._breaker.is_long_silent(target) for target in (device.target, *device.targets_to_clear))

    def give_up(self, device: Device, error: Exception) -> str:
        """For what kept failing: the row says so, and others behind it get their turn."""
        refused = Refused("TARGET_UNREACHABLE", f"tried for minutes; at last: {type(error).__name__}: {error}"[:400])
        if device.devstate is State.CLAIMED:
            return self._failed(device, refused)
        self._ledger.retire(device, None, ACTOR, refused.code, refused.message)
        return refused.code

    def _shut_out(self, device: Device) -> str:
        registry.deactivate(self._iot, device.certid)
        self._clear_left(device)
        return "shut out"

    def _forget(self, device: Device) -> None:
        try:
            self._iot.delete_certificate(certificateId=device.certid, forceDelete=True)
        except ClientError as error:
            if code_of(error) != "DeleteConflictException" or device.devicename is None:
                raise
            found = self._iot.describe_certificate(certificateId=device.certid)["certificateDescription"]
            arn = found["certificateArn"]
            self._iot.detach_thing_principal(thingName=device.devicename, principal=arn)
            self._iot.delete_certificate(certificateId=device.certid, forceDelete=True)

    def _let_knock_again(self, device: Device) -> str:
        """A refused certificate is forgotten by AWS IoT, so that its next connect is a first one."""
        try:
            self._forget(device)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
        self._ledger.retire(device, None, ACTOR)
        return "may knock again"
