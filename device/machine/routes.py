"""Decides which routes the device follows, and follows them.

Only a lobby decides which target a device belongs to. A target may change the device's config or send it back to the
lobby, nothing more, because targets have different owners. Special rules apply to a route that is repeated, is older
than the current one, or has a target that was unreachable.
"""

from dataclasses import replace
from typing import Final

from device.machine import connection
from device.machine.events import ShowCode
from device.machine.state import Location, Phase, State, Step, Timer
from lobby.wire import Route

_STORE_DELAY_S: Final = 1.0
"""Routes that arrive while disconnecting are stored once after this time, however many arrive."""


def hide_code(step: Step) -> None:
    """Remove the presence code: the challenge was answered or is no longer valid."""
    if step.state.shown_challenge is not None:
        step.update(shown_challenge=None)
        step.act(ShowCode(None))


def on_route(step: Step, route: Route) -> None:
    """Follow a route, or ignore it."""
    state, address = step.state, f"{route.iotep}:{route.port}"
    if state.location is Location.STANDBY:
        return step.ignore("got a route from a standby, want one from a lobby or the target")
    from_lobby = state.location is Location.LOBBY or state.endpoint in step.lobbies
    current = state.route
    if not from_lobby and current is not None:
        route = replace(route, standby=current.standby)  # only a lobby decides about the standby
    elif current is not None and route != current and replace(route, standby=current.standby) == current:
        step.log("standby_received", endpoint=address, standby=route.standby and route.standby.iotep)
        step.update(route=route)
        connection.update_storage(step)
        return on_repeated_route(step)
    objection = _objection(state, route, from_lobby=from_lobby)
    if route != state.route and not objection:
        step.log("route_received", endpoint=address, generation=route.generation)
        return _follow(step, route)
    step.log_limited("route_received", endpoint=address, generation=route.generation)
    if route == state.route:
        return on_repeated_route(step)
    if from_lobby:
        step.update(unconfirmed_route=route)
    return step.ignore(objection)


def _objection(state: State, route: Route, *, from_lobby: bool) -> str:
    """Return why a new route is not followed, or an empty string.

    A delayed message with an older route arrives only once. If the same older route arrives twice, the lobby was
    restored from a backup, or it is another lobby. The device then follows the route, because it would never get a
    newer one. An older route from a target is never followed.
    """
    current = state.route
    if current is None:
        return ""
    if not from_lobby and _address(route) != _address(current):
        return f"got {route.iotep}:{route.port} from a target, want the current endpoint: only a lobby moves a device"
    repeated = from_lobby and state.unconfirmed_route == route
    if _is_older(route, current, missing_is_older=not from_lobby) and not repeated:
        return f"got generation {route.generation}, want {current.generation} or later"
    return ""


def _is_older(route: Route, current: Route, *, missing_is_older: bool) -> bool:
    if current.generation is None or route.generation is None:
        return current.generation is not None and missing_is_older
    return route.generation < current.generation


def on_repeated_route(step: Step) -> None:
    """Handle the stored route, which the lobby has sent again: go to its target, unless the target was unreachable just
    now."""
    state = step.state
    if state.location is Location.TARGET or state.next_location is Location.TARGET:
        return step.ignore("already on this route")
    if step.is_set(Timer.REVISIT):
        step.update(route_confirmed=True)
        retry_in = state.deadlines[Timer.REVISIT] - step.now
        return step.log_limited("route_repeated", reason="its target was unreachable", retry_in_s=round(retry_in, 3))
    hide_code(step)
    return connection.leave(step, Location.TARGET)


def _follow(step: Step, route: Route) -> None:
    """Store the new route and reconnect to its target, even if only the config is new: the new connection shows the
    target that the device has received it."""
    step.update(
        route=route, unconfirmed_route=None, route_confirmed=False, fallbacks=0, standby_visits=0, looking=False
    )
    step.cancel(Timer.REVISIT, Timer.LOOK)
    hide_code(step)
    if step.state.phase is not Phase.DISCONNECTING:
        connection.update_storage(step)
    elif not step.is_set(Timer.STORAGE):
        step.set_timer(Timer.STORAGE, _STORE_DELAY_S)
    connection.leave(step, Location.TARGET)


def with_port(step: Step, route: Route) -> Route:
    """Return a route or a standby with a port. If it has none, it gets the port of the current connection."""
    endpoint = step.state.endpoint
    if endpoint is None:
        return route
    standby = route.standby and replace(route.standby, port=route.standby.port or endpoint.port)
    return replace(route, port=route.port or endpoint.port, standby=standby)


def _address(route: Route) -> tuple[str, int | None]:
    return route.iotep.lower(), route.port
