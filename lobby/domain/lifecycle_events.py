"""Reads AWS IoT's lifecycle events as the topic rules select them (`wire.CONNECTIONS_SQL`, `target_rules`).

AWS IoT creates these events, but an event of another form, such as one of a later version of AWS IoT, must not be
misread: it is an error that names the value. Client ids are chosen by clients and are only shown.
"""

from typing import Any, Final

from lobby.domain.connection_problem import ConnectionProblem
from lobby.domain.connectivity import Change, LifecycleEvent
from lobby.errors import InvalidInput
from lobby.names import Fingerprint, shown

LOBBY: Final = "lobby"
"""The `place` of a problem in the lobby; in a target it is the target's key."""
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
    if kind not in set(Change) or type(version) is not int:
        raise InvalidInput("INVALID_EVENT", f"got {shown(kind)} with version {shown(version)}, want a lifecycle event")
    return LifecycleEvent(Change(kind), _session_of(event), version, _time_of(event))


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
