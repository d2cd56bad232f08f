"""The commissioner's work with the shadows of a device that moves: before it gets its route to the new target.

Until then the device cannot write in the new target, so nothing of its own is replaced. Nothing is left to do once it
has its route. Every step can be repeated. The old target is only read, with a session of its own that allows nothing
else. A move out of a target that does not answer must not wait for it: after `PATIENCE` the device is moved without its
shadows, and its row and history say so. A target that refuses the reading because its role is older fails the move,
which changes nothing for the device.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from commissioner.errors import NoAnswer, ShadowsAwaited, TargetRefusal
from commissioner.target_gateway.gateway import TargetGateway
from lobby.domain.device import Device
from lobby.domain.shadow_documents import State
from lobby.domain.shadows import NOT_MIGRATED, ShadowChoice, ShadowOutcome, Shadows
from lobby.ledger.clock import now
from lobby.names import Target, ThingName

PATIENCE: Final = timedelta(minutes=1)
"""How long after its request a move waits for an old target that does not answer."""
SILENCE: Final = timedelta(seconds=15)
"""How long an old target is not called again after it has not answered. Then one device tries it."""
INTERVAL: Final = 0.1
"""Seconds between two requests for a thing, half of what AWS IoT allows: the device uses its shadows, too."""
_FAILS: Final = ("TARGET_PERMISSION_MISSING", "TARGET_SHADOWS_REFUSED")
"""Reasons because of which a move fails, so that an operator decides. Other refusals can be those of an account that
does not exist any more."""
logger: Final = Logger(service="commissioner")


class ShadowWork:
    """`gateway` calls the new target, and `source` the old one. `sleep` waits for so many seconds."""

    def __init__(
        self,
        gateway: TargetGateway,
        source: TargetGateway,
        clock: Callable[[], datetime] = now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gateway, self._source, self._clock, self._sleep = gateway, source, clock, sleep
        self._silent: dict[Target, datetime] = {}

    def carry_out(self, device: Device) -> ShadowOutcome | None:
        """Do what the row requires, and return the outcome; None if it requires nothing. Raise `TargetRefusal`,
        `ShadowsAwaited` while the old target is waited for, and what calls into the new target raise."""
        work, target, name = device.shadows, device.target, device.devicename
        if work is None or not work.is_pending or target is None or name is None:
            return None
        if work.choice is ShadowChoice.RESET:
            return ShadowOutcome(f"shadows: {self._gateway.delete_shadows(target, name, self._pause)} deleted")
        if work.source in (None, target):
            return ShadowOutcome("shadows: in the target already")
        return self._migrate(work, work.source, target, name)

    def _migrate(self, work: Shadows, source: Target, target: Target, name: ThingName) -> ShadowOutcome:
        try:
            found = self._read(source, name)
        except TargetRefusal as refusal:
            if refusal.code in _FAILS:
                raise TargetRefusal(refusal.code, f"shadows of {name} in {source}: {refusal.message}") from refusal
            return _not_migrated(source, refusal.code, refusal.message)
        except (NoAnswer, BotoCoreError, ClientError) as error:
            if self._clock() < datetime.fromisoformat(work.since) + PATIENCE:
                raise ShadowsAwaited(f"got no shadows of {name} from {source}: {error}"[:400]) from error
            return _not_migrated(source, "TARGET_UNREACHABLE", f"{type(error).__name__}: {error}"[:300])
        copied = self._gateway.write_shadows(target, name, found, work.since, self._pause)
        kept = f", {copied.kept} kept that were written since" if copied.kept else ""
        return ShadowOutcome(f"shadows: {copied.written + copied.same} of {len(found)} migrated{kept}")

    def _read(self, source: Target, name: ThingName) -> dict[str, State]:
        until = self._silent.get(source)
        if until is not None:
            if self._clock() < until:
                raise NoAnswer(f"got no answer from {source} a short time ago")
            self._silent[source] = self._clock() + SILENCE
        try:
            found = self._source.run(lambda: self._source.read_shadows(source, name, self._pause))
        except NoAnswer:
            self._silent[source] = self._clock() + SILENCE
            raise
        self._silent.pop(source, None)
        return found

    def _pause(self) -> None:
        self._sleep(INTERVAL)


def _not_migrated(source: Target, code: str, why: str) -> ShadowOutcome:
    logger.warning("shadows not migrated", extra={"target": str(source), "code": code})
    message = f"moved without its shadows, which are in {source} ({code}: {why}); retry the device to copy them later"
    return ShadowOutcome(f"shadows: {NOT_MIGRATED}: {code}", code, message[:700])
