"""Connection handling: connect, subscribe, send hellos, back off, fall back, leave.

Each function works on one `Step`. The retry rules are here: a lobby that closes the connection is tried again soon,
because just-in-time registration closes the first one; after an unreachable lobby the next one is tried; and a device
whose target stays unreachable returns to the lobby.
"""

import json

from device import CLIENT_VERSION
from device.machine import certificates
from device.machine.backoff import jittered
from device.machine.events import (
    Connect,
    Disconnect,
    Exit,
    Failure,
    ForgetRoute,
    Outcome,
    Publish,
    StoreRoute,
    Subscribe,
)
from device.machine.plan import Endpoint
from device.machine.state import Location, Phase, Step, Timer
from lobby.wire import HELLO_TOPIC, PRESENCE, RENEW, lobby_topic


def connect(step: Step) -> None:
    """Open the next connection, to the device's current location."""
    endpoint = _destination(step)
    step.update(phase=Phase.CONNECTING, connection_id=step.state.connection_id + 1, endpoint=endpoint)
    _log(step, "connecting", attempt=step.state.failures + 1)
    step.act(Connect(step.state.connection_id, endpoint, certificates.choose(step)))
    step.set_timer(Timer.ANSWER, step.timing.answer_within)


def subscribe(step: Step) -> None:
    """Subscribe before the hello, so that its answer cannot be missed."""
    step.update(phase=Phase.SUBSCRIBING)
    _log(step, "connected", attempt=step.state.failures + 1)
    subscribe_to(step, lobby_topic(step.plan.thing))


def subscribe_to(step: Step, topic: str) -> None:
    step.act(Subscribe(step.state.connection_id, topic))
    step.set_timer(Timer.ANSWER, step.timing.answer_within)


def go_online(step: Step) -> None:
    """The subscription is granted: start to send hellos (lobby) or reports (target)."""
    step.update(phase=Phase.ONLINE, online_since=step.now)
    step.cancel(Timer.ANSWER)
    _log(step, "subscribed", topic=lobby_topic(step.plan.thing))
    if step.state.location is Location.TARGET:
        route = step.state.route
        _log(step, "arrived_at_target", generation=route.generation if route else None)
    send_hello(step)


def send_hello(step: Step) -> None:
    """Send a hello in the lobby, a report in the target. The next one is scheduled when this one is acknowledged."""
    thing, connection_id = step.plan.thing, step.state.connection_id
    in_lobby = step.state.location is Location.LOBBY
    body: dict[str, object] = {"version": CLIENT_VERSION}
    if in_lobby and step.plan.show_codes:
        body[PRESENCE] = True
    if in_lobby and step.plan.renews:
        body[RENEW] = True
    step.act(Publish(connection_id, HELLO_TOPIC if in_lobby else f"app/{thing}", json.dumps(body).encode()))
    step.set_timer(Timer.ANSWER, step.timing.answer_within)


def on_acknowledged(step: Step) -> None:
    """The broker has the hello or report: schedule the next one. Requests for a certificate are acknowledged, too;
    brokers acknowledge in order, and only a hello sets the time limit."""
    if not step.is_set(Timer.ANSWER):
        return
    in_lobby = step.state.location is Location.LOBBY
    _log(step, "hello_sent" if in_lobby else "alive_sent")
    step.cancel(Timer.ANSWER)
    if not step.is_set(Timer.SETTLED):
        step.set_timer(Timer.SETTLED, step.timing.settle_after)
    step.set_timer(Timer.HELLO, _next_hello_in(step) if in_lobby else jittered(step.timing.alive_every, step.uniform))
    if step.plan.exit_on_arrival and not in_lobby:
        leave(step, None)


def _next_hello_in(step: Step) -> float:
    since = step.now if step.state.online_since is None else step.state.online_since
    return step.timing.hellos.wait(step.now - since, step.uniform)


def on_settled(step: Step) -> None:
    """The connection is stable: reset the failure counters."""
    step.update(failures=0, failure_streak=0, refusals=0, failing_since=None, hops=0)
    if step.state.location is Location.TARGET:
        step.update(fallbacks=0)


def on_failure(step: Step, failure: Failure, detail: str) -> None:
    """Handle a failed or lost connection: decide where to connect next, and when."""
    state = step.state
    refused = failure is Failure.REFUSED
    step.update(
        phase=Phase.BACKING_OFF,
        failures=state.failures + 1,
        failure_streak=state.failure_streak + 1,
        refusals=state.refusals + 1 if refused else state.refusals,
        failing_since=step.now if state.failing_since is None else state.failing_since,
    )
    event = failure.value if state.phase is Phase.CONNECTING else "connection_lost"
    _log(step, event, attempt=step.state.failures, failure=failure.value, detail=detail)
    step.cancel(Timer.ANSWER, Timer.HELLO, Timer.SETTLED, Timer.RENEWAL, Timer.TRY_NEW)
    certificates.doubt(step, failure, state.phase)
    step.act(Disconnect(state.connection_id))
    if state.location is Location.TARGET:
        _fail_at_target(step)
    elif state.route and _exhausted(step) and not step.is_set(Timer.REVISIT):
        # The lobby is unreachable too: try the target again.
        step.update(location=Location.TARGET, failures=0, refusals=0, failing_since=None)
        back_off(step, step.timing.retry.wait(step.state.failure_streak, step.uniform))
    else:
        _fail_at_lobby(step, refused=refused)


def _fail_at_target(step: Step) -> None:
    state, timing = step.state, step.timing
    if not _exhausted(step):
        back_off(step, timing.retry.wait(state.failure_streak, step.uniform))
        return
    step.update(
        location=Location.LOBBY,
        failures=0,
        refusals=0,
        failing_since=None,
        route_confirmed=False,
        fallbacks=state.fallbacks + 1,
    )
    revisit_in = timing.revisit.wait(step.state.fallbacks, step.uniform)
    _log(step, "fallback_to_lobby", attempts=state.failures, same_route_retry_in_s=round(revisit_in, 3))
    step.set_timer(Timer.REVISIT, revisit_in)
    back_off(step, timing.retry.wait(1, step.uniform))


def _exhausted(step: Step) -> bool:
    """Return whether this location has failed often enough, or for long enough, to try the other one."""
    since = step.now if step.state.failing_since is None else step.state.failing_since
    return step.state.failures >= step.timing.fallback_attempts or step.now - since >= step.timing.fallback_seconds


def _fail_at_lobby(step: Step, *, refused: bool) -> None:
    """Back off. The wait grows with each round over all lobbies, or with each refusal of one of them."""
    state, timing, lobbies = step.state, step.timing, step.plan.lobbies
    if refused and state.refusals < timing.refusals_per_lobby:
        back_off(step, timing.retry.wait(state.failure_streak, step.uniform))
        return
    next_index = (state.lobby_index + 1) % len(lobbies)
    step.update(lobby_index=next_index, refusals=0)
    same_round = next_index != 0 and not refused
    rounds = -(-state.failure_streak // len(lobbies))
    back_off(step, 0.0 if same_round else timing.retry.wait(rounds, step.uniform))


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
    """Disconnect cleanly to change to another location, or to stop if it is None."""
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
    """Stop, or connect to the next location. The wait grows from the third change of location without a stable
    connection, so that brokers cannot make a device reconnect quickly without end."""
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
    """Write the current route to the storage, or remove it from there."""
    step.cancel(Timer.STORAGE)
    step.update(storage_empty=False)
    step.act(StoreRoute(step.state.route) if step.state.route else ForgetRoute())


def _destination(step: Step) -> Endpoint:
    state, plan = step.state, step.plan
    if state.location is Location.TARGET and state.route:
        return Endpoint(state.route.iotep, state.route.port or plan.lobbies[0].port)
    return plan.lobbies[state.lobby_index]


def _log(step: Step, event: str, **fields: object) -> None:
    step.log(event, place=step.state.location.value, endpoint=str(step.state.endpoint), **fields)
