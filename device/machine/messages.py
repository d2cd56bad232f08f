"""Messages to the device: a route, a factory reset or a presence challenge. Anything else is logged and ignored.

Only a lobby decides which target a device belongs to. A target may change the device's config or send it back to the
lobby, nothing more, because targets have different owners. The rules for a route that is repeated, older than the
current one, or whose target was unreachable are here.
"""

from dataclasses import replace
from typing import Final

from device.machine import connection
from device.machine.events import ShowCode
from device.machine.state import Location, Phase, State, Step, Timer
from lobby.errors import InvalidInput
from lobby.names import shown
from lobby.wire import PresenceChallenge, Reset, Route, lobby_topic, parse_message

_STORE_DELAY_S: Final = 1.0
"""Routes that arrive while disconnecting are stored once after this time, however many arrive."""


def handle_message(step: Step, topic: str, payload: bytes) -> None:
    """Carry out a valid message on the device's own topic. Log and ignore any other message."""
    if step.state.phase is Phase.DISCONNECTING and step.state.next_location is not Location.TARGET:
        return ignore(step, "disconnecting")
    if topic != lobby_topic(step.plan.thing):
        return ignore(step, f"got topic {shown(topic)}, want {lobby_topic(step.plan.thing)}")
    try:
        message = parse_message(payload)
    except InvalidInput as error:
        return ignore(step, error.message)
    match message:
        case Reset():
            step.log_limited("reset_received", by="message")
            _forget_route(step, always_write=False)
        case Route():
            _on_route(step, _with_port(step, message))
        case PresenceChallenge():
            _show_code(step, message)
    return None


def ignore(step: Step, reason: str) -> None:
    step.log_limited("message_ignored", reason=reason)


def on_reset_requested(step: Step) -> None:
    """A user at the device requests a reset. The storage is always written, which also removes the request file."""
    step.log("reset_received", by="command")
    _forget_route(step, always_write=True)


def _forget_route(step: Step, *, always_write: bool) -> None:
    """Forget the route and return to the lobby, or stay there. If the storage contains no route, or a write is
    scheduled, it is written only with `always_write`."""
    state = step.state
    step.update(route=None, unconfirmed_route=None, route_confirmed=False, fallbacks=0)
    step.cancel(Timer.REVISIT)
    hide_code(step)
    if always_write or state.route or not (state.storage_empty or step.is_set(Timer.STORAGE)):
        connection.update_storage(step)
    if state.location is Location.TARGET or state.next_location is Location.TARGET:
        connection.leave(step, Location.LOBBY)


def revisit(step: Step) -> None:
    """Try the target again after a fallback, if the lobby has repeated its route. Otherwise stay connected to the
    lobby, which may send another route."""
    if step.state.location is Location.LOBBY and step.state.route_confirmed:
        connection.leave(step, Location.TARGET)


def on_storage_updated(step: Step) -> None:
    step.cancel(Timer.STORAGE)
    step.update(storage_error="", storage_empty=step.state.route is None)
    step.log("route_stored" if step.state.route else "route_forgotten")


def on_storage_failed(step: Step, detail: str) -> None:
    """Schedule another attempt, without limit. The same error is logged once."""
    step.set_timer(Timer.STORAGE, step.timing.store_every)
    if detail != step.state.storage_error:
        step.update(storage_error=detail)
        step.log("route_not_stored", detail=detail, retry_every_s=step.timing.store_every)


def _show_code(step: Step, challenge: PresenceChallenge) -> None:
    """Show the code to the user who claims the device. A repeated challenge changes nothing and is not logged."""
    state = step.state
    if not step.plan.show_codes or state.location is not Location.LOBBY or state.phase is Phase.DISCONNECTING:
        return ignore(step, "got a presence challenge, want none: not in a lobby, or show_codes is off")
    if challenge == state.shown_challenge:
        return None
    step.update(shown_challenge=challenge)
    step.act(ShowCode(challenge.code))
    return step.log_limited("presence_code", code=challenge.code, generation=challenge.generation)


def hide_code(step: Step) -> None:
    """Remove the presence code: the challenge was answered or is no longer valid."""
    if step.state.shown_challenge is not None:
        step.update(shown_challenge=None)
        step.act(ShowCode(None))


def _on_route(step: Step, route: Route) -> None:
    state, address = step.state, f"{route.iotep}:{route.port}"
    from_lobby = state.location is Location.LOBBY or state.endpoint in step.plan.lobbies
    objection = _objection(state, route, from_lobby=from_lobby)
    if route != state.route and not objection:
        step.log("route_received", endpoint=address, generation=route.generation)
        return _follow(step, route)
    step.log_limited("route_received", endpoint=address, generation=route.generation)
    if route == state.route:
        return _on_repeated_route(step)
    if from_lobby:
        step.update(unconfirmed_route=route)
    return ignore(step, objection)


def _objection(state: State, route: Route, *, from_lobby: bool) -> str:
    """Return why a new route is not followed, or an empty string.

    A delayed message with an older route arrives only once. If a lobby sends the same older route twice, it was
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


def _on_repeated_route(step: Step) -> None:
    state = step.state
    if state.location is Location.TARGET or state.next_location is Location.TARGET:
        return ignore(step, "already on this route")
    if step.is_set(Timer.REVISIT):
        step.update(route_confirmed=True)
        retry_in = state.deadlines[Timer.REVISIT] - step.now
        return step.log_limited("route_repeated", reason="its target was unreachable", retry_in_s=round(retry_in, 3))
    hide_code(step)
    return connection.leave(step, Location.TARGET)


def _follow(step: Step, route: Route) -> None:
    """Store the new route and reconnect to its target, even if only the config is new: the new connection shows the
    target that the device has received it."""
    step.update(route=route, unconfirmed_route=None, route_confirmed=False, fallbacks=0)
    step.cancel(Timer.REVISIT)
    hide_code(step)
    if step.state.phase is not Phase.DISCONNECTING:
        connection.update_storage(step)
    elif not step.is_set(Timer.STORAGE):
        step.set_timer(Timer.STORAGE, _STORE_DELAY_S)
    connection.leave(step, Location.TARGET)


def _with_port(step: Step, route: Route) -> Route:
    """A route without a port uses the port of the current connection."""
    endpoint = step.state.endpoint
    return route if route.port or endpoint is None else replace(route, port=endpoint.port)


def _address(route: Route) -> tuple[str, int | None]:
    return route.iotep.lower(), route.port
