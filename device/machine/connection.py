"""Connection handling: connect, subscribe, send hellos, back off, leave.

Each function works on one `Step`. `fallback` decides where a device connects after a failure.
"""

import json

from device import CLIENT_VERSION
from device.machine import certificates
from device.machine.backoff import jittered
from device.machine.events import (
    Connect,
    Disconnect,
    Exit,
    ForgetRoute,
    Outcome,
    Publish,
    StoreLobby,
    StoreRoute,
    Subscribe,
)
from device.machine.plan import Endpoint
from device.machine.state import Location, Phase, Step, Timer
from lobby.wire import HELLO_TOPIC, PRESENCE, RENEW, TRANSFER, lobby_topic


def connect(step: Step) -> None:
    """Open the next connection, to the device's current location."""
    endpoint = _destination(step)
    step.update(phase=Phase.CONNECTING, connection_id=step.state.connection_id + 1, endpoint=endpoint)
    log(step, "connecting", attempt=step.state.failures + 1)
    step.act(Connect(step.state.connection_id, endpoint, certificates.choose(step)))
    step.set_timer(Timer.ANSWER, step.timing.answer_within)


def subscribe(step: Step) -> None:
    """Subscribe before the hello, so that its answer cannot be missed."""
    step.update(phase=Phase.SUBSCRIBING)
    log(step, "connected", attempt=step.state.failures + 1)
    subscribe_to(step, lobby_topic(step.plan.thing))


def subscribe_to(step: Step, topic: str) -> None:
    step.act(Subscribe(step.state.connection_id, topic))
    step.set_timer(Timer.ANSWER, step.timing.answer_within)


def go_online(step: Step) -> None:
    """Handle the granted subscription: start to send hellos (lobby) or reports (target, standby). A device that was
    looking for a lobby has found one."""
    step.update(phase=Phase.ONLINE, online_since=step.now)
    step.cancel(Timer.ANSWER)
    log(step, "subscribed", topic=lobby_topic(step.plan.thing))
    if step.state.location is Location.TARGET:
        route = step.state.route
        log(step, "arrived_at_target", generation=route.generation if route else None)
    elif step.state.location is Location.STANDBY:
        log(step, "arrived_at_standby")
    else:
        step.update(looking=False)
    send_hello(step)


def send_hello(step: Step) -> None:
    """Send a hello in the lobby, a report elsewhere. The next one is scheduled when this one is acknowledged."""
    thing, connection_id = step.plan.thing, step.state.connection_id
    in_lobby = step.state.location is Location.LOBBY
    body: dict[str, object] = {"version": CLIENT_VERSION}
    if in_lobby and step.plan.show_codes:
        body[PRESENCE] = True
    if in_lobby and step.plan.renews:
        body[RENEW] = True
    if in_lobby and step.plan.changes_lobby:
        body[TRANSFER] = True
    step.act(Publish(connection_id, HELLO_TOPIC if in_lobby else f"app/{thing}", json.dumps(body).encode()))
    step.set_timer(Timer.ANSWER, step.timing.answer_within)


def on_acknowledged(step: Step) -> None:
    """Handle the acknowledgement of a hello or report: schedule the next one. Requests for a certificate are also
    acknowledged, but brokers acknowledge in order, and only a hello sets the timer."""
    if not step.is_set(Timer.ANSWER):
        return
    in_lobby = step.state.location is Location.LOBBY
    log(step, "hello_sent" if in_lobby else "alive_sent")
    step.cancel(Timer.ANSWER)
    if not step.is_set(Timer.SETTLED):
        step.set_timer(Timer.SETTLED, step.timing.settle_after)
    step.set_timer(Timer.HELLO, _next_hello_in(step) if in_lobby else jittered(step.timing.alive_every, step.uniform))
    if step.plan.exit_on_arrival and step.state.location is Location.TARGET:
        leave(step, None)


def _next_hello_in(step: Step) -> float:
    since = step.now if step.state.online_since is None else step.state.online_since
    return step.timing.hellos.wait(step.now - since, step.uniform)


def on_settled(step: Step) -> None:
    """Reset the failure counters, because the connection is stable."""
    step.update(failures=0, failure_streak=0, refusals=0, failing_since=None, hops=0)
    if step.state.location is Location.TARGET:
        step.update(fallbacks=0, standby_visits=0, looking=False)


def back_off(step: Step, seconds: float, *, reason: str = "retry") -> None:
    """Stay disconnected for this time, then connect."""
    step.update(phase=Phase.BACKING_OFF)
    step.log(
        "reconnecting",
        place=step.state.location.value,
        endpoint=str(_destination(step)),
        wait_s=round(seconds, 3),
        reason=reason,
    )
    step.set_timer(Timer.RETRY, seconds)


def leave(step: Step, to: Location | None) -> None:
    """Disconnect cleanly, to change to another location, or to stop (None)."""
    state = step.state
    step.cancel(Timer.HELLO, Timer.SETTLED, Timer.RETRY, Timer.RENEWAL, Timer.TRY_NEW)
    if state.phase is Phase.DISCONNECTING and state.next_location is None:
        return
    step.update(phase=Phase.DISCONNECTING, next_location=to)
    if state.phase is Phase.BACKING_OFF:
        on_disconnected(step)
    elif state.phase is not Phase.DISCONNECTING:
        step.act(Disconnect(state.connection_id))
        step.set_timer(Timer.ANSWER, step.timing.answer_within)


def on_disconnected(step: Step) -> None:
    """Stop, or connect to the next location. From the third change of location without a stable connection, the wait
    grows, so that brokers cannot make a device reconnect quickly forever."""
    step.cancel(Timer.ANSWER)
    to = step.state.next_location
    if to is None:
        _stop(step)
        return
    hops = step.state.hops + 1
    step.update(location=to, next_location=None, failures=0, refusals=0, failing_since=None, hops=hops)
    back_off(step, 0.0 if hops <= 2 else step.timing.retry.wait(hops - 2, step.uniform), reason="sent")


def _stop(step: Step) -> None:
    if step.is_set(Timer.STORAGE):
        update_storage(step)
    step.end_log_window()
    step.update(phase=Phase.STOPPED, deadlines={})
    ending = step.state.progress.ending or Exit()
    if ending.outcome is not Outcome.PROVISIONED:
        step.log("stopped")
    step.act(ending)


def update_storage(step: Step) -> None:
    """Write the current route to the storage or remove it, and write a new lobby that is not stored yet. The route of
    the earlier lobby is removed first. If power fails in between, the device asks the earlier lobby again.
    """
    step.cancel(Timer.STORAGE)
    step.update(storage_empty=False)
    if step.state.route is None:
        step.act(ForgetRoute())
    if step.state.adopted is not None and not step.state.lobby_stored:
        step.act(StoreLobby(step.state.adopted))
    if step.state.route is not None:
        step.act(StoreRoute(step.state.route))


def _destination(step: Step) -> Endpoint:
    state, lobbies = step.state, step.lobbies
    if state.location is Location.TARGET and state.route:
        return Endpoint(state.route.iotep, state.route.port or lobbies[0].port)
    if state.location is Location.STANDBY and state.route and state.route.standby:
        return Endpoint(state.route.standby.iotep, state.route.standby.port or lobbies[0].port)
    return lobbies[state.lobby_index]


def log(step: Step, event: str, **fields: object) -> None:
    step.log(event, place=step.state.location.value, endpoint=str(step.state.endpoint), **fields)
