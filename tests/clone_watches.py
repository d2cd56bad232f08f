"""The watch for copied certificates (`lobby.clone_watch`), for tests of the handlers that use it."""

from lobby.clone_watch import CloneWatch
from lobby.domain.connections.clones import ClonePolicy
from lobby.ledger.connections.sightings import Sightings
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets


def clone_watch(ledger: Ledger, targets: Targets | None = None, policy: ClonePolicy = ClonePolicy.FLAG) -> CloneWatch:
    return CloneWatch(ledger, Sightings(lambda _attempt: None), RecentTargets(targets or Targets.read_only()), policy)
