"""Lambda: the desk. A device says hello in the lobby; it gets its route, or is noted as waiting.

One read a hello. Who speaks is the certificate and the client id that AWS IoT vouches for; nothing that the
payload says decides anything, least of all where an answer goes: only whether the device can show a code, which a
claim may wait for. A hello of an unknown certificate, or under another's name, is logged and changes nothing.
"""

import os
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from lobby.aws.clients import LobbyClients
from lobby.domain.device import Device
from lobby.domain.states import State
from lobby.errors import Conflict, InvalidInput
from lobby.ledger.store import HEARTBEAT_INTERVAL, Ledger, timestamp
from lobby.names import Fingerprint, parse_fingerprint, shown
from lobby.settings import LobbySettings, read_settings
from lobby.wire import PRESENCE, PresenceChallenge, Route, lobby_topic

if TYPE_CHECKING:
    from types_boto3_iot_data import IoTDataPlaneClient

ACTOR: Final = "service:receptionist"
_MAX_VERSION: Final = 64
logger = Logger(service="receptionist")


class Receptionist:
    """Answers hellos."""

    def __init__(self, iot_data: "IoTDataPlaneClient", ledger: Ledger) -> None:
        self._iot_data, self._ledger = iot_data, ledger

    def greet(
        self,
        certid: Fingerprint,
        clientid: object,
        clientversion: str | None,
        *,
        shows: bool = False,
        at: object = None,
    ) -> str:
        """What was done: `routed`, `fell back` (routed, and the ledger says that it is here), `entered`, `waiting`,
        `asked` (to show its code), `unknown`, `revoked` or `mistaken` (not its own name). `shows`: it can show a code;
        `at`: when AWS IoT heard it, in ms since 1970."""
        device = self._ledger.get(certid)
        if device is None or device.devicename is None:
            return "unknown"
        if device.devicename != clientid:
            return "mistaken"
        route = device.route()
        if route is not None:
            self._send(route, lobby_topic(device.devicename))
            return self._fell_back(device, clientversion, shows=shows) if _is_since(device, at) else "routed"
        if device.devstate is State.REVOKED:
            return self._show_out(device)
        if device.devstate is State.KNOCKING:
            return self._enter(device, clientversion, shows=shows)
        return self._wait(device, clientversion, shows=shows)

    def _wait(self, device: Device, clientversion: str | None, *, shows: bool) -> str:
        question = replace(device, shows_code=shows).presence_challenge()
        if question is not None and device.devicename is not None:
            self._send(question, lobby_topic(device.devicename))
        self._ledger.record_heartbeat(device, clientversion, shows)
        return "asked" if question else "waiting"

    def _fell_back(self, device: Device, clientversion: str | None, *, shows: bool) -> str:
        """It had arrived, and is here again: the ledger says so until its target reports it anew."""
        try:
            self._ledger.hello(device, clientversion, ACTOR, shows)
        except Conflict as conflict:
            logger.info("changed while it said hello", extra={"certid": device.certid, "code": conflict.code})
        return "fell back"

    def _show_out(self, device: Device) -> str:
        """It should not have been able to speak: it was revoked in the moment that its certificate was activated.
        The commissioner is asked to shut it out again."""
        if not device.needs_commissioner:
            self._ledger.retry(device.certid, ACTOR)
        return "revoked"

    def _enter(self, device: Device, clientversion: str | None, *, shows: bool) -> str:
        try:
            after = self._ledger.hello(device, clientversion, ACTOR, shows)
        except Conflict as conflict:
            logger.info("claimed while it said hello", extra={"certid": device.certid, "code": conflict.code})
            return self._wait(self._ledger.get(device.certid) or device, clientversion, shows=shows)
        return "entered" if after.devstate is State.INLOBBY else "waiting"

    def _send(self, message: Route | PresenceChallenge, topic: str) -> None:
        self._iot_data.publish(topic=topic, qos=1, payload=message.encode())


def _is_since(device: Device, at: object) -> bool:
    """Whether a hello of the moment `at` (ms since 1970, by AWS IoT) shows that the device has left its target: not
    one that was said before it arrived, and is worked on late. One claim is so written to at most once a minute."""
    if device.devstate is not State.ARRIVED or type(at) is not int:
        return False
    return timestamp(datetime.fromtimestamp(at / 1000, UTC) - HEARTBEAT_INTERVAL) > device.enteredat


def version_of(text: object) -> str | None:
    """A client's word for its version, if it is one: short printable text."""
    fits = isinstance(text, str) and 0 < len(text) <= _MAX_VERSION and text.isprintable()
    return str(text) if fits else None


@cache
def _receptionist() -> Receptionist:
    settings = read_settings(LobbySettings, os.environ)
    return Receptionist(LobbyClients().iot_data, Ledger(settings.region))


def handler(event: dict[str, Any], _context: object, receptionist: Receptionist | None = None) -> dict[str, str]:
    """For the rule `lobby` (`wire.HELLO_SQL`)."""
    try:
        certid = parse_fingerprint(event.get("certid"))
    except InvalidInput as error:
        logger.warning("hello without a certificate", extra={"rule": error.message})
        return {"outcome": "unknown"}
    outcome = (receptionist or _receptionist()).greet(
        certid,
        event.get("devicename"),
        version_of(event.get("clientversion")),
        shows=event.get(PRESENCE) is True,
        at=event.get("receivedat"),
    )
    log = logger.warning if outcome in ("unknown", "mistaken") else logger.info
    log("hello", extra={"certid": certid, "clientid": shown(event.get("devicename")), "outcome": outcome})
    return {"outcome": outcome}
