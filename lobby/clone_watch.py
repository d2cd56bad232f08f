"""Looks for devices whose certificate is in use twice, each time a report may show this.

Used by the handlers of lifecycle events in the lobby and of reports of the targets. A device that connects normally
causes no cost: connections are recorded only while takeovers are reported, and for devices that fell back to the lobby.
A suspicion is written to the ledger. The policy of the device's target, or else the lobby's setting, decides what
follows.
"""

from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools import Logger

from lobby.domain.connections.clones import (
    ClonePolicy,
    Evidence,
    LobbySession,
    Sighting,
    at_once,
    takeovers,
    usable_from,
)
from lobby.domain.connections.connection_problem import ConnectionProblem
from lobby.domain.device import Device
from lobby.errors import Conflict, NotFound
from lobby.ledger.connections.sightings import Sightings
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets

logger = Logger(service="clones")
ACTOR: Final = "service:clones"


@dataclass(frozen=True)
class CloneWatch:
    """`policy` is the lobby's setting."""

    ledger: Ledger
    sightings: Sightings
    targets: RecentTargets
    policy: ClonePolicy

    def took_over(self, device: Device, problem: ConnectionProblem | None, *seen: Sighting) -> None:
        """Record connections during a series of takeovers, and look for two clients that take turns. `problem` counts
        the takeovers so far; a few are normal. A device that is already suspected is skipped."""
        if not seen or device.is_suspected:
            return
        sightings = self.sightings.add(device.certid, *seen)
        since = usable_from(device.suspicion)
        if problem is not None and problem.is_serious:
            self._found(device, takeovers(sightings, seen[-1].place, since), since)

    def left_lobby(self, device: Device, session: LobbySession) -> None:
        """Find connections to a target during a connection to the lobby that has ended."""
        since = usable_from(device.suspicion)
        self._found(device, at_once(self.sightings.of(device.certid), session, since), since)

    def _found(self, device: Device, evidence: Evidence | None, since: int) -> None:
        if evidence is None or device.is_suspected:
            return
        try:
            self.ledger.suspect(device, evidence, self._policy_for(device), since, ACTOR)
        except (Conflict, NotFound) as conflict:
            if conflict.code == "CHANGED_MEANWHILE":
                raise
            logger.info("changed concurrently", extra={"certid": device.certid, "code": conflict.code})
        else:
            logger.warning("clone suspected", extra={"certid": device.certid, "evidence": evidence.summary})

    def _policy_for(self, device: Device) -> ClonePolicy:
        try:
            registered = None if device.target is None else self.targets.get(device.target)
        except NotFound:
            registered = None
        return (registered.clones if registered else None) or self.policy
