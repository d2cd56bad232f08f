"""Renaming, archiving, restoring and removing targets. Each is recorded in the target's history.

An archived target takes no new claims; its devices stay and can be moved, released and retried. A target is removed in
two steps, so that no claim in progress is lost: first it is archived; later, when all earlier requests have ended, it
can be removed if no device is assigned to it. A removed target stays readable for the commissioner, which may still
have to clear devices there.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lobby.domain.targets.target import RegisteredTarget, TargetEntry, TargetEvent
from lobby.domain.targets.target_names import parse_target_name, require_distinct
from lobby.errors import Conflict
from lobby.ledger.clock import now, timestamp
from lobby.ledger.enrolments.serial_claims import claims_of
from lobby.ledger.lists.counts import Tally, read_counts
from lobby.ledger.targets.target_registry import Targets
from lobby.ledger.targets.target_rows import entries, write
from lobby.names import Target

REQUEST_TIME: Final = timedelta(seconds=30)
"""Longer than a request of the API, whose function has a timeout of 29 s, so every request that began before the change
has ended."""


class TargetAdministration:
    """Every method raises `NotFound` UNKNOWN_TARGET or `Conflict` CHANGED_MEANWHILE."""

    def __init__(
        self,
        targets: Targets,
        clock: Callable[[], datetime] = now,
        counts: Callable[[], Iterable[Tally]] = read_counts,
    ) -> None:
        self._targets, self._clock, self._counts = targets, clock, counts

    def rename(self, target: Target, name: str, actor: str) -> RegisteredTarget:
        """Rename a target and return it. Raise `InvalidInput` INVALID_NAME or NAME_IMITATES."""
        known = {each.target: each for each in self._targets.all()}
        before = known.get(target) or self._targets.get(target)
        new = parse_target_name(name)
        require_distinct(new, target, {key: each.name for key, each in known.items()})
        return self._targets.change(before, replace(before, name=new), actor)

    def archive(self, target: Target, actor: str) -> RegisteredTarget:
        """Stop new claims. An archived target is returned unchanged. Raise `Conflict` TARGET_IS_STANDBY or
        TARGET_EVACUATED."""
        before = self._targets.get(target)
        if before.archivedat is not None:
            return before
        self._require_no_standby(target)
        if before.evacuated_at is not None:
            raise Conflict("TARGET_EVACUATED", f"got {target}, evacuated at {before.evacuated_at}; return it first")
        after = replace(before, archivedat=timestamp(self._clock()))
        return write(before, after, self._targets.entry(actor, TargetEvent.ARCHIVED))

    def restore(self, target: Target, actor: str) -> RegisteredTarget:
        """Allow claims again."""
        before = self._targets.get(target)
        if before.archivedat is None:
            return before
        return write(before, replace(before, archivedat=None), self._targets.entry(actor, TargetEvent.RESTORED))

    def remove(self, target: Target, actor: str) -> RegisteredTarget:
        """Remove an archived target without devices and return it. Raise `Conflict`: TARGET_NOT_ARCHIVED,
        TARGET_ARCHIVED_JUST_NOW, TARGET_IS_STANDBY, TARGET_IN_USE with the number of its devices, or of serial
        numbers that are claimed for it."""
        before = self._targets.get(target)
        if before.archivedat is None:
            raise Conflict("TARGET_NOT_ARCHIVED", f"got {target}, which takes claims; archive it first")
        if before.archivedat > timestamp(self._clock() - REQUEST_TIME):
            seconds = int(REQUEST_TIME.total_seconds())
            message = (
                f"got {target}, archived at {before.archivedat}; want {seconds} seconds for claims in progress to end"
            )
            raise Conflict("TARGET_ARCHIVED_JUST_NOW", message)
        self._require_no_standby(target)
        self._require_unused(target)
        return write(before, replace(before, removed=True), self._targets.entry(actor, TargetEvent.REMOVED))

    def history(self, target: Target) -> list[TargetEntry]:
        """Return the history of a target, even of a removed one, oldest entry first."""
        found = entries(target)
        if not found:
            self._targets.get(target)  # registered by a version without a history
        return found

    def _require_no_standby(self, target: Target) -> None:
        """Raise `Conflict` TARGET_IS_STANDBY."""
        others = sorted(each.name for each in self._targets.all() if each.standby == target)
        if others:
            message = f"got {target}, the standby of {', '.join(others)}; give them another one, or none, first"
            raise Conflict("TARGET_IS_STANDBY", message)

    def _require_unused(self, target: Target) -> None:
        states: Counter[str] = Counter()
        for tally in self._counts():
            if tally.bucket.target == target or tally.bucket.place == str(target):
                states[tally.bucket.state] += tally.count
        if states:
            total = sum(states.values())
            listed = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
            devices = "1 device is" if total == 1 else f"{total} devices are"
            message = f"got {target}: {devices} assigned ({listed}); want none: move or release them"
            raise Conflict("TARGET_IN_USE", message)
        serials = claims_of(target)
        if serials:
            claimed = "1 serial number is" if serials == 1 else f"{serials} serial numbers are"
            message = f"got {target}: {claimed} claimed for it; want none: withdraw them (lobbyctl serials withdraw)"
            raise Conflict("TARGET_IN_USE", message)
