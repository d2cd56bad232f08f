"""What the cloud, or someone at the device, tells it: a route to follow, or a factory reset.

Anything else on the wire is noted and ignored. The rules for a route that is repeated, that is older than the
one already known, or that has just led nowhere, live here.
"""

from dataclasses import replace

from device import passage
from device.moves import Forget, Store
from device.state import Phase, Place, Timer, Turn
from lobby.errors import InvalidInput
from lobby.names import shown
from lobby.wire import Reset, Route, lobby_topic, parse_message


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
            obey_reset(turn, by="message")
        case Route():
            _weigh(turn, _with_port(turn, message))
    return None


def ignore(turn: Turn, reason: str) -> None:
    turn.note("message_ignored", reason=reason)


def obey_reset(turn: Turn, *, by: str) -> None:
    """Forget the route and ask the lobby. Where the device is in the lobby already, it stays."""
    state = turn.state
    turn.note("reset_received", by=by)
    turn.change(route=None, doubted=None, confirmed=False, fallbacks=0)
    turn.cancel(Timer.REVISIT, Timer.STORAGE)
    turn.do(Forget())
    if state.place is Place.TARGET or state.next_place is Place.TARGET:
        passage.depart(turn, Place.LOBBY)


def revisit(turn: Turn) -> None:
    """The patience with the unreachable target is over. A lobby that is connected decides; it may have a better
    route, or none any more."""
    if turn.state.place is Place.LOBBY and turn.state.confirmed:
        passage.depart(turn, Place.TARGET)


def _weigh(turn: Turn, route: Route) -> None:
    state = turn.state
    turn.note("route_received", endpoint=f"{route.iotep}:{route.port}", generation=route.generation)
    if _is_older(route, state.route) and not _lobby_insists(turn, route):
        turn.change(doubted=route)
        return ignore(turn, f"got generation {route.generation}, already have {_generation(state.route)}")
    if route != state.route:
        return _follow(turn, route)
    if state.place is Place.TARGET or state.next_place is Place.TARGET:
        return ignore(turn, "already on this route")
    if turn.pending(Timer.REVISIT):
        turn.change(confirmed=True)
        again_in = state.deadlines[Timer.REVISIT] - turn.now
        return turn.note("route_repeated", reason="it led nowhere just now", again_in_s=round(again_in, 3))
    return passage.depart(turn, Place.TARGET)


def _follow(turn: Turn, route: Route) -> None:
    """A new route: keep it, and go, even if only its config is new: that the device comes anew is how the target
    sees that it has heard."""
    turn.change(route=route, doubted=None, confirmed=False, fallbacks=0)
    turn.cancel(Timer.REVISIT, Timer.STORAGE)
    turn.do(Store(route))
    passage.depart(turn, Place.TARGET)


def _is_older(route: Route, known: Route | None) -> bool:
    if known is None or route.generation is None or known.generation is None:
        return False
    return route.generation < known.generation


def _lobby_insists(turn: Turn, route: Route) -> bool:
    """Old news arrives late once. A lobby that names the same older route twice has been restored from a backup,
    or is another lobby: it is believed, or the device would be stranded. A target is never."""
    return turn.state.place is Place.LOBBY and turn.state.doubted == route


def _with_port(turn: Turn, route: Route) -> Route:
    """A route without a port means the one in use."""
    endpoint = turn.state.endpoint
    return route if route.port or endpoint is None else replace(route, port=endpoint.port)


def _generation(route: Route | None) -> int | None:
    return route.generation if route else None
