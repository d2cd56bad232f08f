"""Lambda: connections, the handler for AWS IoT's lifecycle events in the lobby account.

It records whether a device is connected to the lobby, with one write per connection and per disconnection, and the
problems of connections: refused attempts, and devices that take the connection from each other, which may mean that a
certificate was copied (`clone_watch`). The certificate and the client id are authenticated by AWS IoT; an event without
a certificate of the ledger changes nothing. An event that cannot be processed is retried by Lambda, then sent to the
on-failure queue.
"""

import os
from dataclasses import replace
from functools import partial
from typing import Any, Final

from aws_lambda_powertools import Logger

from lobby.aws.clients import at_init
from lobby.clone_watch import CloneWatch
from lobby.domain.connections.clones import LOBBY, SKEW_MS, ClonePolicy, LobbySession, Sighting
from lobby.domain.connections.connection_problem import DENIED
from lobby.domain.connections.connectivity import (
    CLIENT_INITIATED,
    DUPLICATE,
    ConnectionChange,
    Connectivity,
    LifecycleEvent,
    may_be_in_target,
)
from lobby.domain.connections.lifecycle_events import change_of, problem_of
from lobby.domain.device import Device
from lobby.errors import InvalidInput
from lobby.home_guard import everywhere
from lobby.ledger.connection import connect
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.connections.sightings import Sightings
from lobby.ledger.regions.routing import Access
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import parse_fingerprint, shown
from lobby.settings import ConnectionsSettings, lobby_regions, read_settings
from lobby.wire import CONNECT_FAILED

_CHANGES: Final = ("online", "offline", "problem")
logger = Logger(service="connections")


class ConnectionRecorder:
    """Records lifecycle events."""

    def __init__(self, ledger: Ledger, connections: Connections, watch: CloneWatch, place: str | None = None) -> None:
        """`place` identifies this Region in a lobby with several, because connection versions can be compared only
        within a Region."""
        self._ledger, self._connections, self._watch, self._place = ledger, connections, watch, place

    def process(self, event: dict[str, Any]) -> str:
        """Record an event of the rule (`wire.CONNECTIONS_SQL`). Return `online`, `offline`, `problem`, or why nothing
        was recorded. Raise `InvalidInput` for an event of another form."""
        try:
            certid = parse_fingerprint(event.get("certid"))
        except InvalidInput:
            return "not a certificate"
        device = self._ledger.find(certid)
        if device is None:
            return "unknown device"
        if event.get("event") == CONNECT_FAILED:
            problem = problem_of(DENIED, device.certid, event, LOBBY)
            return "problem" if self._connections.record_problem(problem) else "nothing new"
        if device.devicename != event.get("devicename"):
            return "mistaken"
        change = replace(change_of(event), place=self._place)
        ends = event.get("reason") == CLIENT_INITIATED
        recorded = self._connections.record(device, change, partial(self._left, device, change) if ends else _nothing)
        if event.get("reason") == DUPLICATE:
            return self._taken_over(device, event, recorded.before)
        status = "online" if change.change is ConnectionChange.CONNECTED else "offline"
        return status if recorded.changed else "nothing new"

    def _taken_over(self, device: Device, event: dict[str, Any], before: Connectivity | None) -> str:
        """Count a takeover. The status before it describes one of the two connections, with its address."""
        written, problem = self._connections.count_problem(problem_of(DUPLICATE, device.certid, event, LOBBY))
        seen = before.last if before else None
        if seen is not None and seen.address is not None:
            sighting = Sighting(seen.place or LOBBY, seen.version, seen.session, seen.at, seen.address)
            self._watch.took_over(device, problem, sighting)
        return "problem" if written else "nothing new"

    def _left(self, device: Device, end: LifecycleEvent, before: Connectivity | None) -> None:
        """Check a connection that the client has ended, if it was long enough to contain another one."""
        begin = before.last if before else None
        if begin is None or begin.address is None or begin.session != end.session or not may_be_in_target(device):
            return
        if end.at - begin.at > 4 * SKEW_MS:
            self._watch.left_lobby(device, LobbySession(begin.address, begin.at, end.at))


def _nothing(_before: Connectivity | None) -> None:
    """Look at nothing."""


@at_init
def _recorder() -> ConnectionRecorder:
    settings = read_settings(ConnectionsSettings, os.environ)
    connect()
    ledger, targets = Ledger(settings.region), RecentTargets(Targets.read_only())
    watch = CloneWatch(ledger, Sightings(), targets, ClonePolicy(settings.clone_policy))
    place = f"{LOBBY} in {settings.region}" if lobby_regions(os.environ) else None
    return ConnectionRecorder(ledger, Connections(), watch, place)


@everywhere(Access.DOOR)
def handler(event: dict[str, Any], _context: object, recorder: ConnectionRecorder | None = None) -> dict[str, str]:
    """Handle an event of the topic rule `device_lobby_connections`."""
    outcome = (recorder or _recorder()).process(event)
    log = logger.info if outcome in _CHANGES else logger.debug
    fields = {"certid": shown(event.get("certid")), "clientid": shown(event.get("devicename")), "outcome": outcome}
    log("connection", extra=fields)
    return {"outcome": outcome}
