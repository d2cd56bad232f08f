"""Where a device connects after a failure: the same broker again, the next lobby, the lobby, or the standby.

If its target stays unreachable, a device returns to the lobby. If the lobby is also unreachable, it uses the standby of
its route, or tries its target again if the route has no standby. In the standby, it looks for a lobby and for its
target after growing times: it makes one attempt at each, then goes back to the standby. So it leaves a working standby
only for seconds, and as soon as a lobby answers, the lobby decides.
"""

from device.machine import certificates, connection
from device.machine.events import Disconnect, Failure
from device.machine.state import Location, Phase, Step, Timer


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
        unanswered_since=None if refused else _unanswered_since(step),
    )
    event = failure.value if state.phase is Phase.CONNECTING else "connection_lost"
    connection.log(step, event, attempt=step.state.failures, failure=failure.value, detail=detail)
    step.cancel(Timer.ANSWER, Timer.HELLO, Timer.SETTLED, Timer.RENEWAL, Timer.TRY_NEW)
    certificates.doubt(step, failure, state.phase)
    step.act(Disconnect(state.connection_id))
    if state.looking:
        _look_further(step)
    elif state.location is Location.LOBBY:
        _fail_at_lobby(step, refused=refused)
    elif not _exhausted(step):
        connection.back_off(step, step.timing.retry.wait(step.state.failure_streak, step.uniform))
    elif state.location is Location.STANDBY:
        _try_next(step, Location.TARGET)
    else:
        _fall_back(step)


def leave_standby(step: Step) -> None:
    """Leave the standby, to check whether a lobby or the target answers again."""
    if step.state.location is Location.STANDBY and step.state.phase is not Phase.DISCONNECTING:
        step.log("leaving_standby", visits=step.state.standby_visits)
        step.update(looking=True, lobby_index=0)
        connection.leave(step, Location.LOBBY)


def _look_further(step: Step) -> None:
    """Try the next lobby, then the target, then go back to the standby."""
    state = step.state
    next_index = (state.lobby_index + 1) % len(step.lobbies)
    if state.location is Location.LOBBY and next_index:
        step.update(lobby_index=next_index, refusals=0)
    elif state.location is Location.LOBBY:
        step.update(location=Location.TARGET, lobby_index=0, failures=0, refusals=0, failing_since=None)
    else:
        _go_to_standby(step)
    connection.back_off(step, 0.0)


def _go_to_standby(step: Step) -> None:
    visits = step.state.standby_visits + 1
    step.update(location=Location.STANDBY, failures=0, refusals=0, failing_since=None, looking=False)
    step.update(standby_visits=visits)
    step.cancel(Timer.REVISIT)
    step.set_timer(Timer.LOOK, step.timing.standby.wait(visits, step.uniform))


def _try_next(step: Step, location: Location) -> None:
    """This location has failed for long enough: try another one."""
    step.cancel(Timer.LOOK)
    step.update(location=location, failures=0, refusals=0, failing_since=None)
    connection.back_off(step, step.timing.retry.wait(step.state.failure_streak, step.uniform))


def _fall_back(step: Step) -> None:
    """Go to the lobby, because the target has failed for long enough."""
    state, timing = step.state, step.timing
    step.update(
        location=Location.LOBBY,
        failures=0,
        refusals=0,
        failing_since=None,
        route_confirmed=False,
        fallbacks=state.fallbacks + 1,
    )
    revisit_in = timing.revisit.wait(step.state.fallbacks, step.uniform)
    connection.log(step, "fallback_to_lobby", attempts=state.failures, same_route_retry_in_s=round(revisit_in, 3))
    step.set_timer(Timer.REVISIT, revisit_in)
    connection.back_off(step, timing.retry.wait(1, step.uniform))


def _unanswered_since(step: Step) -> float:
    """Return since when no broker has answered at this location."""
    state = step.state
    if state.failing_since is None or state.unanswered_since is None:
        return step.now
    return state.unanswered_since


def _exhausted(step: Step) -> bool:
    """Return whether this location has not answered, or refused connections, for long enough to try another one."""
    state, timing = step.state, step.timing
    if state.failing_since is None:
        return False
    silent_for = 0.0 if state.unanswered_since is None else step.now - state.unanswered_since
    return (
        silent_for >= timing.fallback_seconds
        or step.now - state.failing_since >= timing.fallback_refused_seconds
        or state.failures >= timing.fallback_attempts
    )


def _fail_at_lobby(step: Step, *, refused: bool) -> None:
    """Back off. The wait grows with each round over all lobbies, or with each refusal of one of them. If the target has
    also failed, use the standby; if the route has none, try the target again."""
    state, timing, lobbies = step.state, step.timing, step.lobbies
    if state.route and _exhausted(step):
        if state.route.standby is not None and state.fallbacks:
            connection.log(step, "fallback_to_standby", attempts=state.failures)
            _go_to_standby(step)
            return connection.back_off(step, timing.retry.wait(1, step.uniform))
        if not step.is_set(Timer.REVISIT):
            return _try_next(step, Location.TARGET)
    if refused and state.refusals < timing.refusals_per_lobby:
        return connection.back_off(step, timing.retry.wait(state.failure_streak, step.uniform))
    next_index = (state.lobby_index + 1) % len(lobbies)
    step.update(lobby_index=next_index, refusals=0)
    same_round = next_index != 0 and not refused
    rounds = -(-state.failure_streak // len(lobbies))
    return connection.back_off(step, 0.0 if same_round else timing.retry.wait(rounds, step.uniform))
