"""The change to another lobby, which the current lobby requests when the device has a new owner.

The device forgets its route, stores the new lobby and connects there. Until the new lobby has kept a connection or has
sent a route, the device also tries the earlier lobbies, so that a wrong endpoint does not disconnect it. From then on,
the device belongs to the new lobby and connects to no earlier one. Only a lobby can request the change, because targets
have other owners.
"""

from dataclasses import replace

from device.machine import connection
from device.machine.events import StoreLobby
from device.machine.plan import AdoptedLobby, Endpoint
from device.machine.routes import hide_code
from device.machine.state import Location, Step, Timer
from lobby.wire import NewLobby


def on_new_lobby(step: Step, message: NewLobby) -> None:
    """Go to the new lobby. The current lobby repeats the message after each hello, so a lost message or a failed
    connection to the new lobby needs no other treatment."""
    state = step.state
    if state.location is not Location.LOBBY or state.endpoint is None or not step.plan.changes_lobby:
        return step.ignore("got a new lobby, want one from a lobby, for a client that changes its lobby")
    endpoint = Endpoint(message.iotep, message.port or state.endpoint.port)
    if endpoint == state.endpoint:
        return step.ignore("already at this lobby")
    hide_code(step)
    if state.adopted is None or state.adopted.endpoint != endpoint:
        step.log("lobby_changed", endpoint=str(endpoint))
        _change_lobby(step, endpoint)
    else:
        step.log_limited("lobby_repeated", endpoint=str(endpoint))
    step.update(lobby_index=0)
    return connection.leave(step, Location.LOBBY)


def settle(step: Step) -> None:
    """Forget the earlier lobbies, because the new one works. `store` writes this change."""
    state, adopted = step.state, step.state.adopted
    if adopted is None or not adopted.before or (state.location, state.endpoint) != (Location.LOBBY, adopted.endpoint):
        return
    step.log("lobby_settled", endpoint=str(adopted.endpoint))
    step.update(adopted=replace(adopted, before=()), lobby_stored=False, lobby_index=0)


def store(step: Step) -> None:
    """Write the new lobby, unless it is already stored, or this step already writes it with a route."""
    if not step.state.lobby_stored and not any(isinstance(each, StoreLobby) for each in step.actions):
        connection.update_storage(step)


def on_lobby_stored(step: Step) -> None:
    step.update(lobby_stored=True, storage_error="")
    step.log("lobby_stored", endpoint=str(step.state.adopted and step.state.adopted.endpoint))


def _change_lobby(step: Step, endpoint: Endpoint) -> None:
    """Make this lobby the device's own. If it is one of the earlier lobbies, it is not kept twice."""
    before = tuple(each for each in step.lobbies if each != endpoint)
    step.update(
        adopted=AdoptedLobby(endpoint, before),
        lobby_stored=False,
        route=None,
        unconfirmed_route=None,
        route_confirmed=False,
        fallbacks=0,
        standby_visits=0,
        looking=False,
    )
    step.cancel(Timer.REVISIT, Timer.LOOK)
    connection.update_storage(step)
