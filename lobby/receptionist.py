"""Lambda: the receptionist, the handler for the hellos of devices. It sends a route, or records that the device waits.

A hello costs one read; if the device has a standby, at most one more read, of its target. The device is identified by
the certificate and the client id, which AWS IoT has authenticated. Fields of the payload never decide anything, such as
the topic of the answer; they only report the capabilities of the client. A hello of an unknown certificate, or with the
client id of another device, is logged and changes nothing.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from lobby.arrival_marks import marks_to, request_mark
from lobby.aws.clients import LobbyClients, at_init
from lobby.aws.device_messages import send
from lobby.contracts.targets import ArrivalMark
from lobby.domain.connections.fallbacks import is_fallback
from lobby.domain.device import Device
from lobby.domain.hellos import Report
from lobby.domain.states import DEACTIVATED_STATES, State
from lobby.domain.transfers.transfer_documents import parse_endpoint
from lobby.errors import Conflict, InvalidInput
from lobby.home_guard import everywhere
from lobby.ledger.connection import connect
from lobby.ledger.regions.routing import Access, at_home, is_away
from lobby.ledger.standby.standby_routes import EVACUATION_CACHE, current_route
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import Fingerprint, parse_fingerprint, shown
from lobby.settings import ReceptionistSettings, read_settings
from lobby.wire import PRESENCE, RENEW, TRANSFER

if TYPE_CHECKING:
    from types_boto3_iot_data import IoTDataPlaneClient

ACTOR: Final = "service:receptionist"
_MAX_VERSION: Final = 64
_CHANGES: Final = ("entered", "fell back", "revoked", "quarantined", "transferred")
_FAULTS: Final = ("unknown", "mistaken", "replaced", "unable")
"""Outcomes that are logged. Any other hello changes nothing, and is not logged: devices repeat them."""
logger = Logger(service="receptionist")


class Receptionist:
    """Answers the hellos of devices."""

    def __init__(
        self,
        iot_data: "IoTDataPlaneClient",
        ledger: Ledger,
        targets: RecentTargets | None = None,
        mark: Callable[[ArrivalMark], object] = lambda _mark: None,
    ) -> None:
        """`mark` requests that a thing is marked as awaited."""
        self._iot_data, self._ledger, self._mark = iot_data, ledger, mark
        self._targets = targets or RecentTargets(Targets.read_only(), age=EVACUATION_CACHE)

    def answer(self, certid: Fingerprint, clientid: object, report: Report, *, at: object = None) -> str:
        """Answer a hello. Return the outcome: `routed`, `fell back` (routed, and recorded as back in the lobby),
        `entered`, `waiting`, `asked` (the presence code was sent), `unknown`, `revoked`, `quarantined`, `replaced` (the
        certificate is no longer in use), `transferred` (to another lobby; `unable`: its client cannot go there) or
        `mistaken` (the client id is not the device's name). `report`: the client's information about itself; `at`: the
        time at which AWS IoT received the hello, in ms since 1970."""
        device = self._find(certid)
        if device is None or device.devicename is None:
            return "unknown"
        if device.devicename != clientid or certid not in device.certificates:
            return "mistaken" if device.devicename != clientid else "replaced"
        route = current_route(device, self._targets)
        if route is not None:
            self._ask_to_renew(device, certid, report)
            send(self._iot_data, device.devicename, route)
            return self._record_routed(device, report, at, to_target=route == device.route())
        return self._receive(device, report)

    def _receive(self, device: Device, report: Report) -> str:
        """Answer the hello of a device that has no route."""
        if device.devstate in DEACTIVATED_STATES:
            return self._deactivate_again(device)
        if device.devstate is State.TRANSFERRED:
            return self._redirect(device, report)
        if device.devstate is State.KNOCKING:
            return self._enter(device, report)
        return self._wait(device, report)

    def _find(self, certid: Fingerprint) -> Device | None:
        """Return the device. In a Region that is not home, the replica is enough for a device that has its route. Any
        other device is read in the home Region, whose data is newer."""
        device = self._ledger.find(certid)
        if (device is None or current_route(device, self._targets) is None) and is_away():
            with at_home(optional=True):
                device = self._ledger.find(certid)
        return device

    def _ask_to_renew(self, device: Device, certid: Fingerprint, report: Report) -> None:
        """Ask a device that is due, unless it has connected with its new certificate. The request comes before the
        route, so that the device renews before it goes to its target."""
        request = replace(device, can_renew=report.can_renew).renewal_request()
        if request is not None and certid != device.pending and device.devicename is not None:
            send(self._iot_data, device.devicename, request)

    def _wait(self, device: Device, report: Report) -> str:
        challenge = replace(device, shows_code=report.shows_code).presence_challenge()
        if challenge is not None and device.devicename is not None:
            send(self._iot_data, device.devicename, challenge)
        self._record_heartbeat(device, report)
        return "asked" if challenge else "waiting"

    def _record_heartbeat(self, device: Device, report: Report) -> None:
        with at_home(optional=True):
            self._ledger.record_heartbeat(device, report.clientversion, report.shows_code, report.can_renew)

    def _record_routed(self, device: Device, report: Report, at: object, *, to_target: bool) -> str:
        """Record the hello of a device that has a route. An arrived device that was in its target for a while has
        fallen back: it is recorded as commissioned until its target reports it again. Its thing is marked for this
        report first, because the event is processed again if the run ends between the two. In all other cases, only
        news about the client is recorded. `to_target`: the route leads to the device's target, which is not
        evacuated."""
        if not _has_fallen_back(device, at):
            self._record_heartbeat(device, report)
            return "routed"
        if device.target is not None and to_target:
            request_mark(self._mark, device, device.target, awaited=True)
        try:
            with at_home(optional=True):
                self._ledger.hello(device, report.clientversion, ACTOR, report.shows_code, report.can_renew)
        except Conflict as conflict:
            logger.info("changed during the hello", extra={"certid": device.certid, "code": conflict.code})
        return "fell back"

    def _deactivate_again(self, device: Device) -> str:
        """Start the commissioner for a device that was revoked or quarantined while its certificate was being
        activated, and can still connect. The commissioner deactivates the certificate again."""
        if not device.needs_commissioner:
            with at_home():
                self._ledger.retry(device.certid, ACTOR)
        return device.devstate.value

    def _redirect(self, device: Device, report: Report) -> str:
        """Send a transferred device to its new lobby. A client that cannot change its lobby gets no message, because it
        would take the endpoint for a target's endpoint."""
        if device.transfer is None or device.transfer.endpoint is None or device.devicename is None:
            return "waiting"
        if not report.can_transfer:
            return "unable"
        send(self._iot_data, device.devicename, parse_endpoint(device.transfer.endpoint))
        return "transferred"

    def _enter(self, device: Device, report: Report) -> str:
        with at_home():
            try:
                after = self._ledger.hello(device, report.clientversion, ACTOR, report.shows_code, report.can_renew)
            except Conflict as conflict:
                logger.info("claimed during the hello", extra={"certid": device.certid, "code": conflict.code})
                return self._wait(self._ledger.get(device.certid) or device, report)
        return "entered" if after.devstate is State.INLOBBY else "waiting"


def _has_fallen_back(device: Device, at: object) -> bool:
    """Return whether a hello that AWS IoT received at `at` (ms since 1970) is recorded as a fallback."""
    return type(at) is int and is_fallback(device, datetime.fromtimestamp(at / 1000, UTC))


def version_of(text: object) -> str | None:
    """Return the client's version, if it is short printable text."""
    fits = isinstance(text, str) and 0 < len(text) <= _MAX_VERSION and text.isprintable()
    return str(text) if fits else None


@at_init
def _receptionist() -> Receptionist:
    settings, clients = read_settings(ReceptionistSettings, os.environ), LobbyClients()
    connect()
    return Receptionist(
        clients.iot_data,
        Ledger(settings.region),
        mark=marks_to(clients.sqs, settings.marks_queue),
    )


@everywhere(Access.RECEPTION)
def handler(event: dict[str, Any], _context: object, receptionist: Receptionist | None = None) -> dict[str, str]:
    """Handle an event of the topic rule `lobby` (`wire.HELLO_SQL`)."""
    try:
        certid = parse_fingerprint(event.get("certid"))
    except InvalidInput as error:
        logger.warning("hello without a certificate", extra={"rule": error.message})
        return {"outcome": "unknown"}
    outcome = (receptionist or _receptionist()).answer(
        certid,
        event.get("devicename"),
        Report(
            version_of(event.get("clientversion")),
            event.get(PRESENCE) is True,
            event.get(RENEW) is True,
            can_transfer=event.get(TRANSFER) is True,
        ),
        at=event.get("receivedat"),
    )
    log = logger.warning if outcome in _FAULTS else logger.info if outcome in _CHANGES else logger.debug
    log("hello", extra={"certid": certid, "clientid": shown(event.get("devicename")), "outcome": outcome})
    return {"outcome": outcome}
