"""Handles messages to the device by their kind: a route, a factory reset, a presence challenge, a message of a renewal,
or a new lobby.

Anything else is logged and ignored. Resets and presence challenges are handled here, routes in `routes`, messages of
renewals in `renewal`, and new lobbies in `new_lobby`.
"""

from device.machine import connection, new_lobby, renewal, routes
from device.machine.events import ShowCode
from device.machine.routes import hide_code
from device.machine.state import Location, Phase, Step, Timer
from lobby.errors import InvalidInput
from lobby.names import shown
from lobby.wire import (
    Message,
    NewCertificate,
    NewLobby,
    PresenceChallenge,
    RenewalRequest,
    Reset,
    Route,
    lobby_topic,
    parse_message,
)


def handle_message(step: Step, topic: str, payload: bytes) -> None:
    """Carry out a valid message on the device's own topic. Log and ignore any other message."""
    if step.state.phase is Phase.DISCONNECTING and step.state.next_location is not Location.TARGET:
        return step.ignore("disconnecting")
    if topic != lobby_topic(step.plan.thing):
        return step.ignore(f"got topic {shown(topic)}, want {lobby_topic(step.plan.thing)}")
    try:
        message = parse_message(payload)
    except InvalidInput as error:
        return step.ignore(error.message)
    return _carry_out(step, message)


def _carry_out(step: Step, message: Message) -> None:
    match message:
        case Reset():
            step.log_limited("reset_received", by="message")
            _forget_route(step, always_write=False)
        case Route():
            new_lobby.settle(step)
            renewal.on_route(step, routes.with_port(step, message))
            new_lobby.store(step)
        case PresenceChallenge():
            _show_code(step, message)
        case RenewalRequest() | NewCertificate():
            renewal.on_message(step, message)
        case NewLobby():
            new_lobby.on_new_lobby(step, message)


def on_reset_requested(step: Step) -> None:
    """Handle the reset that a user at the device requests. The storage is always written, which also removes the
    request file."""
    step.log("reset_received", by="command")
    _forget_route(step, always_write=True)


def _forget_route(step: Step, *, always_write: bool) -> None:
    """Forget the route and return to the lobby, or stay there. If the storage contains no route, or a write is already
    scheduled, the storage is written only with `always_write`."""
    state = step.state
    step.update(route=None, unconfirmed_route=None, route_confirmed=False, fallbacks=0, standby_visits=0, looking=False)
    step.cancel(Timer.REVISIT, Timer.LOOK)
    hide_code(step)
    if always_write or state.route or not (state.storage_empty or step.is_set(Timer.STORAGE)):
        connection.update_storage(step)
    if state.location is not Location.LOBBY or state.next_location is Location.TARGET:
        connection.leave(step, Location.LOBBY)


def revisit(step: Step) -> None:
    """Try the target again after a fallback, if the lobby has repeated its route. Otherwise stay connected to the
    lobby, which may send another route."""
    if step.state.location is Location.LOBBY and step.state.route_confirmed:
        connection.leave(step, Location.TARGET)


def on_storage_updated(step: Step) -> None:
    if step.state.lobby_stored:
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
        return step.ignore("got a presence challenge, want none: not in a lobby, or show_codes is off")
    if challenge == state.shown_challenge:
        return None
    step.update(shown_challenge=challenge)
    step.act(ShowCode(challenge.code))
    return step.log_limited("presence_code", code=challenge.code, generation=challenge.generation)
