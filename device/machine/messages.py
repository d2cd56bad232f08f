"""What the cloud, or someone at the device, tells it: a route to follow, a factory reset, or a code to show.

Only a lobby says where a device belongs. The target it is in may change its config and may send it back, no more: it
belongs to somebody else than the lobby, and the next target to somebody else again. Anything that is neither is noted
and ignored. The rules for a route that is repeated, that is older than the one already known, or that has just led
nowhere, live here.
"""

from dataclasses import replace
from typing import Final

from device.machine import connection
from device.machine.events import Show
from device.machine.state import Phase, Place, State, Timer, Turn
from lobby.errors import InvalidInput
from lobby.names import shown
from lobby.wire import PresenceChallenge, Reset, Route, lobby_topic, parse_message

_SOON: Final = 1.0
"""Seconds until the storage is asked for what came on the way out, however much that was."""


def hear(turn: Turn, topic: str, payload: bytes) -> None:
    """A message: obeyed if it is for this device and means something, else noted and ignored."""
    if turn.state.phase is Phase.LEAVING and turn.state.next_place is not Place.TARGET:
        return ignore(turn, "on the way out")
    if topic != lobby_topic(turn.plan.thing):
        return ignore(turn, f"got topic {shown(topic)}, want {lobby_topic(turn.plan.thing)}")
    try:
        message = parse_message(payload)
    except InvalidInput as error:
        return ignore(turn, error.message)
    match message:
        case Reset():
            turn.tell("reset_received", by="message")
            _forget(turn, again=False)
        case Route():
            _weigh(turn, _with_port(turn, message))
        case PresenceChallenge():
            _show(turn, message)
    return None


def ignore(turn: Turn, reason: str) -> None:
    turn.tell("message_ignored", reason=reason)


def obey_command(turn: Turn) -> None:
    """Somebody at the device asks for a reset, and left a mark for it that is to be removed, too."""
    turn.note("reset_received", by="command")
    _forget(turn, again=True)


def _forget(turn: Turn, *, again: bool) -> None:
    """Forget the route and ask the lobby. Where the device is in the lobby already, it stays; and where nothing is
    kept, or the storage will be asked anyway, the disk is spared, `again` or not."""
    state = turn.state
    turn.change(route=None, doubted=None, confirmed=False, fallbacks=0)
    turn.cancel(Timer.REVISIT)
    hide(turn)
    if again or state.route or not (state.bare or turn.pending(Timer.STORAGE)):
        connection.keep(turn)
    if state.place is Place.TARGET or state.next_place is Place.TARGET:
        connection.depart(turn, Place.LOBBY)


def revisit(turn: Turn) -> None:
    """The patience with the unreachable target is over. A lobby that is connected decides; it may have a better
    route, or none any more."""
    if turn.state.place is Place.LOBBY and turn.state.confirmed:
        connection.depart(turn, Place.TARGET)


def kept(turn: Turn) -> None:
    turn.cancel(Timer.STORAGE)
    turn.change(storage_fault="", bare=turn.state.route is None)
    turn.note("route_stored" if turn.state.route else "route_forgotten")


def not_kept(turn: Turn, detail: str) -> None:
    """Tried again without end, told once."""
    turn.remind(Timer.STORAGE, turn.timing.store_every)
    if detail != turn.state.storage_fault:
        turn.change(storage_fault=detail)
        turn.note("route_not_stored", detail=detail, again_every_s=turn.timing.store_every)


def _show(turn: Turn, question: PresenceChallenge) -> None:
    """A code of the lobby's, said once however often it is repeated: whoever claims the device reads it off."""
    state = turn.state
    if not turn.plan.show_codes or state.place is not Place.LOBBY or state.phase is Phase.LEAVING:
        return ignore(turn, "got a code to show, want none: not in a lobby, or not told to show codes")
    if question == state.shown:
        return None
    turn.change(shown=question)
    turn.do(Show(question.code))
    return turn.tell("presence_code", code=question.code, generation=question.generation)


def hide(turn: Turn) -> None:
    """What was asked is answered, or is asked no more."""
    if turn.state.shown is not None:
        turn.change(shown=None)
        turn.do(Show(None))


def _weigh(turn: Turn, route: Route) -> None:
    state, place = turn.state, f"{route.iotep}:{route.port}"
    by_lobby = state.place is Place.LOBBY or state.endpoint in turn.plan.lobbies
    objection = _objection(state, route, by_lobby=by_lobby)
    if route != state.route and not objection:
        turn.note("route_received", endpoint=place, generation=route.generation)
        return _follow(turn, route)
    turn.tell("route_received", endpoint=place, generation=route.generation)
    if route == state.route:
        return _repeated(turn)
    if by_lobby:
        turn.change(doubted=route)
    return ignore(turn, objection)


def _objection(state: State, route: Route, *, by_lobby: bool) -> str:
    """Why a route that is new is not followed; empty where it is. Old news arrives late once. A lobby that names the
    same older route twice has been restored from a backup, or is another lobby: it is believed, or the device would
    be stranded. A target is never."""
    known = state.route
    if known is None:
        return ""
    if not by_lobby and _address(route) != _address(known):
        return f"got {route.iotep}:{route.port} from the target, which may send the device back but nowhere else"
    insists = by_lobby and state.doubted == route
    if _is_older(route, known, unsaid_is_older=not by_lobby) and not insists:
        return f"got generation {route.generation}, already have {known.generation}"
    return ""


def _is_older(route: Route, known: Route, *, unsaid_is_older: bool) -> bool:
    if known.generation is None or route.generation is None:
        return known.generation is not None and unsaid_is_older
    return route.generation < known.generation


def _repeated(turn: Turn) -> None:
    state = turn.state
    if state.place is Place.TARGET or state.next_place is Place.TARGET:
        return ignore(turn, "already on this route")
    if turn.pending(Timer.REVISIT):
        turn.change(confirmed=True)
        again_in = state.deadlines[Timer.REVISIT] - turn.now
        return turn.tell("route_repeated", reason="it led nowhere just now", again_in_s=round(again_in, 3))
    hide(turn)
    return connection.depart(turn, Place.TARGET)


def _follow(turn: Turn, route: Route) -> None:
    """A new route: keep it, and go, even if only its config is new: that the device comes anew is how the target
    sees that it has heard."""
    turn.change(route=route, doubted=None, confirmed=False, fallbacks=0)
    turn.cancel(Timer.REVISIT)
    hide(turn)
    if turn.state.phase is not Phase.LEAVING:
        connection.keep(turn)
    elif not turn.pending(Timer.STORAGE):
        turn.remind(Timer.STORAGE, _SOON)
    connection.depart(turn, Place.TARGET)


def _with_port(turn: Turn, route: Route) -> Route:
    """A route without a port means the one in use."""
    endpoint = turn.state.endpoint
    return route if route.port or endpoint is None else replace(route, port=endpoint.port)


def _address(route: Route) -> tuple[str, int | None]:
    return route.iotep.lower(), route.port
