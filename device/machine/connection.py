"""The ways from place to place: connecting, subscribing, speaking, failing, falling back, leaving.

Each function works out a part of one turn. Rules of patience live here: a lobby that hangs up is asked again soon
(just-in-time registration does that on the first connect), one that is not there gives way to the next, and a target
that stays unreachable sends the device back to the lobby.
"""

import json

from device import CLIENT_VERSION
from device.machine.backoff import around
from device.machine.events import Close, Exit, Forget, Open, Publish, Store, Subscribe, Trouble
from device.machine.plan import Endpoint
from device.machine.state import Phase, Place, Timer, Turn
from lobby.wire import HELLO_TOPIC, PRESENCE, lobby_topic


def connect(turn: Turn) -> None:
    """Open the next link, to wherever the device now belongs."""
    endpoint = _destination(turn)
    turn.change(phase=Phase.CONNECTING, link=turn.state.link + 1, endpoint=endpoint)
    _note(turn, "connecting", attempt=turn.state.failures + 1)
    turn.do(Open(turn.state.link, endpoint))
    turn.remind(Timer.ANSWER, turn.timing.answer_within)


def subscribe(turn: Turn) -> None:
    """Listen before speaking, so that the answer to the hello cannot be missed."""
    turn.change(phase=Phase.SUBSCRIBING)
    _note(turn, "connected", attempt=turn.state.failures + 1)
    turn.do(Subscribe(turn.state.link, lobby_topic(turn.plan.thing)))
    turn.remind(Timer.ANSWER, turn.timing.answer_within)


def arrive(turn: Turn) -> None:
    """Subscribed: in the lobby the wait begins, in the target the work."""
    turn.change(phase=Phase.SERVING)
    turn.cancel(Timer.ANSWER)
    _note(turn, "subscribed", topic=lobby_topic(turn.plan.thing))
    if turn.state.place is Place.TARGET:
        route = turn.state.route
        _note(turn, "arrived_at_target", generation=route.generation if route else None)
    speak(turn)


def speak(turn: Turn) -> None:
    """A hello in the lobby, a sign of life in the target. The next one follows the broker's acknowledgement."""
    thing, link = turn.plan.thing, turn.state.link
    in_lobby = turn.state.place is Place.LOBBY
    body: dict[str, object] = {"version": CLIENT_VERSION}
    if in_lobby and turn.plan.show_codes:
        body[PRESENCE] = True
    turn.do(Publish(link, HELLO_TOPIC if in_lobby else f"app/{thing}", json.dumps(body).encode()))
    turn.remind(Timer.ANSWER, turn.timing.answer_within)


def acknowledged(turn: Turn) -> None:
    """The broker has our word: speak again after the usual while."""
    in_lobby = turn.state.place is Place.LOBBY
    _note(turn, "hello_sent" if in_lobby else "alive_sent")
    turn.cancel(Timer.ANSWER)
    if not turn.pending(Timer.SETTLED):
        turn.remind(Timer.SETTLED, turn.timing.settle_after)
    turn.remind(Timer.BEAT, around(turn.timing.hello_every if in_lobby else turn.timing.alive_every, turn.draw))
    if turn.plan.exit_on_arrival and not in_lobby:
        depart(turn, None)


def settle(turn: Turn) -> None:
    """The connection has held: what went wrong before is forgotten."""
    turn.change(failures=0, streak=0, refusals=0, troubled_since=None, hops=0)
    if turn.state.place is Place.TARGET:
        turn.change(fallbacks=0)


def fail(turn: Turn, trouble: Trouble, detail: str) -> None:
    """The link did not come about, or is lost: decide where to try next, and when."""
    state = turn.state
    refused = trouble is Trouble.REFUSED
    turn.change(
        phase=Phase.RESTING,
        failures=state.failures + 1,
        streak=state.streak + 1,
        refusals=state.refusals + 1 if refused else state.refusals,
        troubled_since=turn.now if state.troubled_since is None else state.troubled_since,
    )
    event = trouble.value if state.phase is Phase.CONNECTING else "connection_lost"
    _note(turn, event, attempt=turn.state.failures, trouble=trouble.value, detail=detail)
    turn.cancel(Timer.ANSWER, Timer.BEAT, Timer.SETTLED)
    turn.do(Close(state.link))
    if state.place is Place.TARGET:
        _fail_at_target(turn)
    elif state.route and _exhausted(turn) and not turn.pending(Timer.REVISIT):
        # The lobby does not answer either: look at the target again.
        turn.change(place=Place.TARGET, failures=0, refusals=0, troubled_since=None)
        rest(turn, turn.timing.retry.wait(turn.state.streak, turn.draw))
    else:
        _fail_at_lobby(turn, refused=refused)


def _fail_at_target(turn: Turn) -> None:
    state, timing = turn.state, turn.timing
    if not _exhausted(turn):
        rest(turn, timing.retry.wait(state.streak, turn.draw))
        return
    turn.change(
        place=Place.LOBBY, failures=0, refusals=0, troubled_since=None, confirmed=False, fallbacks=state.fallbacks + 1
    )
    patience = timing.revisit.wait(turn.state.fallbacks, turn.draw)
    _note(turn, "fallback_to_lobby", attempts=state.failures, same_route_again_in_s=round(patience, 3))
    turn.remind(Timer.REVISIT, patience)
    rest(turn, timing.retry.wait(1, turn.draw))


def _exhausted(turn: Turn) -> bool:
    """Whether this place has failed often enough, or long enough, to try the other."""
    since = turn.now if turn.state.troubled_since is None else turn.state.troubled_since
    return turn.state.failures >= turn.timing.fallback_attempts or turn.now - since >= turn.timing.fallback_seconds


def _fail_at_lobby(turn: Turn, *, refused: bool) -> None:
    """Backoff grows with each round of the lobbies, or with each refusal of one of them."""
    state, timing, lobbies = turn.state, turn.timing, turn.plan.lobbies
    if refused and state.refusals < timing.refusals_per_lobby:
        rest(turn, timing.retry.wait(state.streak, turn.draw))
        return
    following = (state.lobby + 1) % len(lobbies)
    turn.change(lobby=following, refusals=0)
    same_round = following != 0 and not refused
    rest(turn, 0.0 if same_round else timing.retry.wait(-(-state.streak // len(lobbies)), turn.draw))


def rest(turn: Turn, seconds: float, *, reason: str = "retry") -> None:
    """No link for a while; then to wherever the device belongs."""
    turn.change(phase=Phase.RESTING)
    turn.note(
        "reconnecting",
        place=turn.state.place.value,
        endpoint=str(_destination(turn)),
        wait_s=round(seconds, 3),
        reason=reason,
    )
    turn.remind(Timer.RETRY, seconds)


def depart(turn: Turn, to: Place | None) -> None:
    """Leave cleanly for another place, or for good."""
    state = turn.state
    turn.cancel(Timer.BEAT, Timer.SETTLED, Timer.RETRY)
    if state.phase is Phase.LEAVING and state.next_place is None:
        return
    turn.change(phase=Phase.LEAVING, next_place=to)
    if state.phase is Phase.RESTING:
        departed(turn)
    elif state.phase is not Phase.LEAVING:
        turn.do(Close(state.link))
        turn.remind(Timer.ANSWER, turn.timing.answer_within)


def departed(turn: Turn) -> None:
    """The old link is gone. Who is sent to and fro without ever staying waits longer each time."""
    turn.cancel(Timer.ANSWER)
    to = turn.state.next_place
    if to is None:
        if turn.pending(Timer.STORAGE):
            keep(turn)
        turn.tell_rest()
        turn.change(phase=Phase.ENDED, deadlines={})
        turn.note("stopped")
        turn.do(Exit())
        return
    hops = turn.state.hops + 1
    turn.change(place=to, next_place=None, failures=0, refusals=0, troubled_since=None, hops=hops)
    rest(turn, 0.0 if hops <= 2 else turn.timing.retry.wait(hops - 2, turn.draw), reason="sent")


def keep(turn: Turn) -> None:
    """The storage shall hold what the device now holds true."""
    turn.cancel(Timer.STORAGE)
    turn.change(bare=False)
    turn.do(Store(turn.state.route) if turn.state.route else Forget())


def _destination(turn: Turn) -> Endpoint:
    state, plan = turn.state, turn.plan
    if state.place is Place.TARGET and state.route:
        return Endpoint(state.route.iotep, state.route.port or plan.lobbies[0].port)
    return plan.lobbies[state.lobby]


def _note(turn: Turn, event: str, **fields: object) -> None:
    turn.note(event, place=turn.state.place.value, endpoint=str(turn.state.endpoint), **fields)
