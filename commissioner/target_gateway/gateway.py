"""The commissioner's calls into target accounts: sessions and error translation in one place.

Every method raises `TargetRefusal` for a permanent refusal, `NoAnswer` if the target does not answer, and botocore's
error for any other temporary failure. A refusal may come from an outdated session, because the role was created again
or got another permission since. So a refusal counts only with a new session: an older session is dropped, and `run`
repeats the work with a new one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final, TypeVar

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.errors import NoAnswer, StaleSession, TargetRefusal
from commissioner.target_gateway import registry, things
from commissioner.target_gateway.error_translation import (
    NOT_FOUND,
    SESSION_REASONS,
    code_of,
    is_answer,
    target_refusal,
)
from commissioner.target_gateway.registry import ACTIVE_NOW, Registration
from commissioner.target_gateway.sessions import Sessions, TargetSession
from commissioner.target_gateway.shadows import Copied, ShadowsOfThing
from lobby.domain.device import Device
from lobby.domain.shadows.shadow_documents import State
from lobby.domain.shadows.shadow_transitions import keeps_thing
from lobby.domain.standby.standby import StandbyMode
from lobby.domain.targets.profile import Profiles
from lobby.domain.targets.target import RegisteredTarget
from lobby.domain.transfers.transfer import TransferStep
from lobby.errors import NotFound
from lobby.ledger.targets.target_registry import RecentTargets
from lobby.names import Fingerprint, Target, ThingName
from lobby.wire import RenewalRequest, Reset, Route

R = TypeVar("R")
_ERROR_LIMIT: Final = 400
logger: Final = Logger(service="commissioner")


class TargetGateway:
    """`targets` is the register of targets; `profiles` are the lobby's profiles, and `lobby` is its key. With
    `removes_left`, the registration of a device that has left a target is removed there; otherwise its thing is
    marked."""

    def __init__(
        self, targets: RecentTargets, sessions: Sessions, profiles: Profiles, lobby: str, *, removes_left: bool = False
    ) -> None:
        self._targets, self._sessions, self._profiles = targets, sessions, profiles
        self._lobby, self._removes_left = lobby, removes_left

    def run(self, work: Callable[[], R]) -> R:
        """Do the work for one device. Repeat it with a new session each time a target refuses an old one."""
        self._sessions.begin()
        while True:
            with suppress(StaleSession):  # this ends, because each repetition has one old session less
                return work()

    def register(self, device: Device, is_former: Callable[[Fingerprint], bool] = lambda _: False) -> str:
        """Register a claimed device in its target and return the target's endpoint. `is_former`: whether a
        certificate's name has gone to this device."""
        if device.target is None:
            raise AssertionError(f"a claimed device has a target: {device.certid}")
        return self._register(device.target, device, is_former, ACTIVE_NOW)

    def standby_of(self, target: Target | None) -> tuple[Target | None, StandbyMode]:
        """Return the standby of a registered target, and whether certificates are active there."""
        registered = None if target is None else self._targets.get(target)
        return (registered.standby, registered.standby_mode) if registered else (None, StandbyMode.ACTIVE)

    def target_now(self, target: Target | None) -> RegisteredTarget | None:
        """Return a registered target from the table, not from the cache; None if it is not registered."""
        with suppress(NotFound):
            return None if target is None else self._targets.read(target)
        return None

    def prepare(
        self,
        standby: Target,
        device: Device,
        mode: StandbyMode,
        is_former: Callable[[Fingerprint], bool] = lambda _: False,
    ) -> str:
        """Also register a placed device in its standby, as an evacuation requires it, and return the standby's
        endpoint. Deactivate the certificates that the device has replaced. Can be repeated, even with another mode."""
        wanted = Registration(mode.name, device.generation + 1)
        endpoint = self._register(standby, device, is_former, wanted)
        if device.retiring:
            self.retire(standby, device.retiring)
        return endpoint

    def send_to_lobby(self, target: Target, device: Device) -> None:
        """Ask a device that may be connected to `target` to return to the lobby. Its registration stays, so the device
        would stay without the message: raise `TargetRefusal` if the target refuses it."""
        if device.devicename is not None:
            self._publish(self._session(target), device.devicename, Reset())

    def _register(
        self, target: Target, device: Device, is_former: Callable[[Fingerprint], bool], wanted: Registration
    ) -> str:
        name = device.devicename
        if name is None or len(device.pems()) < len(device.certificates):
            raise AssertionError(f"a claimed device has an identity: {device.certid}")
        session = self._session(target, device.profile)
        if session.registered.removed:
            message = f"got {target}, which was removed, want a registered target"
            raise TargetRefusal.with_advice("UNKNOWN_TARGET", message)
        if device.profile not in session.registered.profiles:
            message = f"got profile {device.profile}, which {target} does not have"
            raise TargetRefusal.with_advice("UNKNOWN_PROFILE", message)
        try:
            self._profiles.get(device.profile)
        except NotFound as unknown:
            raise TargetRefusal.with_advice("UNKNOWN_PROFILE", unknown.message) from None
        with self._calling(session):
            registry.register(session, device, name, self._profiles, self._lobby, is_former, wanted)
            return session.endpoint

    def activate(self, target: Target, certificates: Iterable[Fingerprint]) -> None:
        """Set the certificates ACTIVE in `target`, if they are registered there."""
        session = self._session(target)
        for certificate in certificates:
            with self._calling(session):
                try:
                    registry.activate(session, certificate)
                except ClientError as error:
                    if code_of(error) != NOT_FOUND:
                        raise

    def deactivate(self, target: Target, certificates: Iterable[Fingerprint]) -> None:
        """Set the certificates INACTIVE in `target`."""
        self._deactivate(self._session(target), certificates)

    def clear(self, target: Target, device: Device, *, reset: bool = True) -> None:
        """Send a device that has left `target` back to the lobby if it is still connected there, then deactivate its
        certificates, end its connection, and mark or remove its thing. Without `reset`, no message is sent. A thing
        whose shadows are not copied yet is only marked. If the device's new lobby has registered it there meanwhile,
        its certificates and its thing stay as they are, and a refused message is a refusal: without the message, the
        device would stay with its old route. A device that was transferred to another lobby loses this lobby's
        policies, because the other one may activate its certificate again."""
        session = self._session(target)
        has_new_lobby = self._has_new_lobby(session, device)
        if device.devicename is not None and reset:
            self._publish_reset(session, device.devicename, is_required=has_new_lobby)
        if not has_new_lobby:
            self._end_registration(session, device)
        if _is_transferred(device):
            for certificate in device.all_certificates:
                self._detach_policies(session, certificate)

    def _end_registration(self, session: TargetSession, device: Device) -> None:
        target, certificates, name = session.target, device.all_certificates, device.devicename
        self._deactivate(session, certificates)
        if name is not None:
            registry.disconnect(lambda: session.iot_data, name)
            with self._calling(session):
                version = things.mark_left(session.iot, device.certid, name, self._lobby, device.generation)
            if version is None and self._has_new_lobby(session, device):
                self.activate(target, (device.current,))
            with self._calling(session):
                if version is not None and self._removes_left and not keeps_thing(device, target):
                    arns = [registry.certificate_arn(target, each) for each in certificates]
                    things.remove(session.iot, arns, name, version)

    def _detach_policies(self, session: TargetSession, certificate: Fingerprint) -> None:
        with self._calling(session):
            try:
                registry.detach_policies(session.iot, registry.certificate_arn(session.target, certificate))
            except ClientError as error:
                if code_of(error) != NOT_FOUND:
                    raise

    def _has_new_lobby(self, session: TargetSession, device: Device) -> bool:
        """Return whether the lobby to which a device was transferred has registered it in the same target."""
        name = device.devicename
        if name is None or not _is_transferred(device):
            return False
        with self._calling(session):
            return things.is_claimed_by_another(session.iot, device.known_certificates, name, self._lobby)

    def retire(self, target: Target, certificates: Iterable[Fingerprint]) -> None:
        """Deactivate the certificates that a device has replaced, and remove them if registrations are removed. The
        device's connection with its new certificate stays."""
        session = self._session(target)
        self._deactivate(session, certificates)
        if self._removes_left:
            with self._calling(session):
                for certificate in certificates:
                    things.remove_certificate(session.iot, registry.certificate_arn(target, certificate))

    def ask_to_renew(self, target: Target, name: ThingName, request: RenewalRequest) -> None:
        """Ask a device that may be connected to `target` to renew its certificate."""
        self._publish(self._session(target), name, request)

    def read_shadows(self, target: Target, name: ThingName, pause: Callable[[], None]) -> dict[str, State]:
        """Return the state of each shadow of a thing. `pause` waits before each request, as below."""
        session = self._session(target)
        with self._calling(session):
            return ShadowsOfThing(session.iot_data, name, pause).read()

    def write_shadows(
        self, target: Target, name: ThingName, wanted: Mapping[str, State], since: str, pause: Callable[[], None]
    ) -> Copied:
        """Write these states to the shadows of a thing, except shadows that were written since the request."""
        session = self._session(target)
        with self._calling(session):
            return ShadowsOfThing(session.iot_data, name, pause).write(wanted, since)

    def delete_shadows(self, target: Target, name: ThingName, pause: Callable[[], None]) -> int:
        """Delete all shadows of a thing, and return how many there were."""
        session = self._session(target)
        with self._calling(session):
            return ShadowsOfThing(session.iot_data, name, pause).delete()

    def publish_route(self, target: Target, name: ThingName, route: Route) -> None:
        """Send a route to a device that may be connected to `target`."""
        self._publish(self._session(target), name, route)

    def _publish(self, session: TargetSession, name: ThingName, message: RenewalRequest | Reset | Route) -> None:
        with self._calling(session):
            registry.publish(session, name, message)

    def _publish_reset(self, session: TargetSession, name: ThingName, *, is_required: bool) -> None:
        """Send a reset message, if the target allows it. Unless it `is_required`, the message only saves time:
        otherwise the device finds its certificate inactive and falls back to the lobby. So a refusal of the
        message does not keep the certificate active."""
        try:
            self._publish(session, name, Reset())
        except TargetRefusal as refusal:
            if is_required:
                raise
            extra = {"target": str(session.target), "thing": name, "code": refusal.code}
            logger.warning("reset message refused", extra=extra)

    def _deactivate(self, session: TargetSession, certificates: Iterable[Fingerprint]) -> None:
        for certificate in certificates:
            with self._calling(session):
                registry.deactivate(session.iot, certificate)

    def _session(self, target: Target, profile: str | None = None) -> TargetSession:
        try:
            return self._sessions.of(self._targets.get(target, profile))
        except NotFound as unknown:
            raise TargetRefusal.with_advice("UNKNOWN_TARGET", unknown.message) from None
        except ClientError as error:
            refusal = target_refusal(error, str(target))
            if refusal is None:
                raise
            raise refusal from error

    @contextmanager
    def _calling(self, session: TargetSession) -> Iterator[None]:
        """Translate the target's failures. A refused session is not used again."""
        try:
            yield
        except BotoCoreError as error:
            raise NoAnswer(f"got {type(error).__name__} from {session.target}: {error}"[:_ERROR_LIMIT]) from error
        except ClientError as error:
            if not is_answer(error):
                raise NoAnswer(f"got {code_of(error)} from {session.target}: {error}"[:_ERROR_LIMIT]) from error
            refusal = target_refusal(error, str(session.target))
            if refusal is None:
                raise
            self._sessions.discard(session.registered)
            if refusal.code in SESSION_REASONS and not self._sessions.is_new(session.registered):
                raise StaleSession(f"got {refusal.code} from {session.target}, want a new session") from error
            raise refusal from error


def _is_transferred(device: Device) -> bool:
    return device.transfer is not None and device.transfer.step is TransferStep.COMPLETED
