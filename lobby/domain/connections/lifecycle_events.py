"""Reads AWS IoT's lifecycle events as the topic rules select them (`wire.CONNECTIONS_SQL`, `target_rules`).

AWS IoT creates these events, but an event of another form, such as one of a later version of AWS IoT, must not be
misread: it is an error that names the value. Client ids are chosen by clients and are only shown.
"""

import ipaddress
from typing import Any, Final

from lobby.domain.connections.clones import Sighting
from lobby.domain.connections.connection_problem import ConnectionProblem
from lobby.domain.connections.connectivity import ConnectionChange, LifecycleEvent
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, shown

_MAX_TEXT: Final = 128
_MAX_TIME: Final = 253_402_300_800_000
"""The year 10000, in ms since 1970."""


def problem_of(code: str, certid: Fingerprint, event: dict[str, Any], place: str) -> ConnectionProblem:
    """Return the problem that an event reports. Raise `InvalidInput` INVALID_TIME or INVALID_EVENT."""
    at = _time_of(event)
    return ConnectionProblem(certid, code, str(event.get("devicename"))[:_MAX_TEXT], place, _session_of(event), at, at)


def change_of(event: dict[str, Any]) -> LifecycleEvent:
    """Return the change of a connection that an event reports. Raise `InvalidInput` INVALID_EVENT or INVALID_TIME."""
    kind, version = event.get("event"), event.get("version")
    if kind not in set(ConnectionChange) or type(version) is not int:
        raise InvalidInput("INVALID_EVENT", f"got {shown(kind)} with version {shown(version)}, want a lifecycle event")
    return LifecycleEvent(ConnectionChange(kind), _session_of(event), version, _time_of(event), address_of(event))


def sighting_of(event: dict[str, Any], place: str) -> Sighting | None:
    """Return the connection that a `connected` event reports; None if it lacks the version or the address, because the
    rule is of an earlier version. Raise `InvalidInput` INVALID_EVENT or INVALID_TIME."""
    version, address = event.get("version"), address_of(event)
    if type(version) is not int or address is None:
        return None
    return Sighting(place, version, _session_of(event), _time_of(event), address)


def address_of(event: dict[str, Any]) -> str | None:
    """Return where a connection comes from: the IPv4 address, or the network of an IPv6 address, because one device
    changes the rest of it. None if the event does not state it."""
    try:
        address = ipaddress.ip_address(str(event.get("address")))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _session_of(event: dict[str, Any]) -> str:
    session = event.get("session")
    if not isinstance(session, str) or not 0 < len(session) <= _MAX_TEXT:
        raise InvalidInput("INVALID_EVENT", f"got session {shown(session)}, want its identifier")
    return session


def _time_of(event: dict[str, Any]) -> int:
    at = event.get("at")
    if type(at) is not int or not 0 < at < _MAX_TIME:
        raise InvalidInput("INVALID_TIME", f"got {shown(at)}, want milliseconds since 1970")
    return at
