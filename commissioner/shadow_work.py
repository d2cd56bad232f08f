"""The commissioner's work with the shadows of a device that moves: before it gets its route to the new target.

Before that, the device cannot write in the new target, so no data of the device is replaced. Every step can be
repeated. The old target is only read, with a separate session that allows nothing else. A move must not wait for an old
target that does not answer: after `PATIENCE`, the device is moved without its shadows, as its row and history state. If
the old target refuses the read because its role is outdated, the move fails, which changes nothing for the device.
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
from lobby.domain.shadows.shadow_choices import NOT_MIGRATED, ShadowChoice, ShadowOutcome, Shadows
from lobby.domain.shadows.shadow_documents import State
from lobby.ledger.clock import now
from lobby.names import Target, ThingName

PATIENCE: Final = timedelta(minutes=1)
"""How long after its request a move waits for an old target that does not answer."""
SILENCE: Final = timedelta(seconds=15)
"""How long an old target that did not answer is not called again. Then one device tries it."""
INTERVAL: Final = 0.1
"""Seconds between two requests for a thing. This is half of AWS IoT's rate limit, because the device also uses its
shadows."""
_FAILS: Final = ("TARGET_PERMISSION_MISSING", "TARGET_SHADOWS_REFUSED")
"""The reasons that fail a move, so that an operator decides. Any other refusal may come from an account that no longer
exists."""
logger: Final = Logger(service="commissioner")


class ShadowWork:
    """`gateway` calls the new target, and `source` the old one. `sleep` waits for a number of seconds."""

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
        `ShadowsAwaited` while the old target does not answer, and the errors of calls into the new target."""
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
