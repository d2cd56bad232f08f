"""Lambda: connections, the handler for AWS IoT's lifecycle events in the lobby account.

It records whether a device is connected to the lobby, with one write per connection and per disconnection, and the
problems of connections: refused attempts, and devices that take the connection from each other. The certificate and the
client id are authenticated by AWS IoT; an event without a certificate of the ledger changes nothing. An event that
cannot be processed is retried by Lambda, then sent to the on-failure queue.
"""

import os
from typing import Any, Final

from aws_lambda_powertools import Logger

from lobby.aws.clients import at_init
from lobby.domain.connection_problem import DENIED
from lobby.domain.connectivity import DUPLICATE, Change
from lobby.domain.lifecycle_events import LOBBY, change_of, problem_of
from lobby.errors import InvalidInput
from lobby.home_guard import everywhere
from lobby.ledger.connection import connect
from lobby.ledger.device_connections import Connections
from lobby.ledger.routing import Access
from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, parse_fingerprint, shown
from lobby.settings import LobbySettings, read_settings
from lobby.wire import CONNECT_FAILED

_CHANGES: Final = ("online", "offline", "problem")
logger = Logger(service="connections")


class ConnectionRecorder:
    """Records lifecycle events."""

    def __init__(self, ledger: Ledger, connections: Connections) -> None:
        self._ledger, self._connections = ledger, connections

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
            return self._problem(DENIED, device.certid, event)
        if device.devicename != event.get("devicename"):
            return "mistaken"
        change = change_of(event)
        has_changed = self._connections.record(device, change)
        if event.get("reason") == DUPLICATE:
            return self._problem(DUPLICATE, device.certid, event)
        return ("online" if change.change is Change.CONNECTED else "offline") if has_changed else "nothing new"

    def _problem(self, code: str, certid: Fingerprint, event: dict[str, Any]) -> str:
        problem = problem_of(code, certid, event, LOBBY)
        return "problem" if self._connections.record_problem(problem) else "nothing new"


@at_init
def _recorder() -> ConnectionRecorder:
    settings = read_settings(LobbySettings, os.environ)
    connect()
    return ConnectionRecorder(Ledger(settings.region), Connections())


@everywhere(Access.DOOR)
def handler(event: dict[str, Any], _context: object, recorder: ConnectionRecorder | None = None) -> dict[str, str]:
    """Handle an event of the topic rule `device_lobby_connections`."""
    outcome = (recorder or _recorder()).process(event)
    log = logger.info if outcome in _CHANGES else logger.debug
    fields = {"certid": shown(event.get("certid")), "clientid": shown(event.get("devicename")), "outcome": outcome}
    log("connection", extra=fields)
    return {"outcome": outcome}
