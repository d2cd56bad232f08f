"""Everything at once, in orders that hypothesis draws: people, Lambdas and devices, deliveries, kills, throttling.

Each step lets one actor go on for some calls, starts another, or has AWS deliver something: late, again, from before.
The model is asked after every step; at the end all faults are mended, an operator retries what shows a reason, and
everything has to come to rest.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lobby.domain.states import Event, State, allowed_events
from lobby.names import Fingerprint
from tests.aws import HOME
from tests.simulation.faults import beginnings, presses
from tests.simulation.faults.beginnings import ONE, TWO
from tests.simulation.faults.field import GUARDED, A, B, Field
from tests.simulation.faults.ground import Ground, deploy_policy
from tests.simulation.faults.layer import FaultLayer
from tests.simulation.races.truth import Untrue, check_moment, check_rest, check_told, row_of
from tests.simulation.races.turns import Actor
from tests.simulation.races.world import Errand, World

_AT_ONCE: Final = 4
_CALLS: Final = 8
_RARELY: Final = 5
_MENDS: Final = 3
_KILLS: Final = ("killed before", "killed after")
_FAULTS: Final = (*_KILLS, "unheard", "ThrottlingError", "TransactionConflict", "ProvisionedThroughputExceeded")
_STEPS: Final = (
    *["work_goes_on"] * 6,
    *["somebody_asks"] * 3,
    *["something_is_delivered"] * 3,
    *["a_device_acts"] * 2,
    "something_comes_again",
    "something_fails",
    "time_passes",
)
"""As often as they are here."""


def waiting_and_boxed(field: Field) -> None:
    """ONE waits in the lobby, TWO is in its box."""
    presses.register(field, GUARDED, "the place where somebody looks")
    deploy_policy(GUARDED)
    beginnings.waiting(field)
    beginnings.box(field, TWO)


class Crowd(RuleBasedStateMachine):
    """`layer` and `ground` are set by `crowd_in`."""

    layer: FaultLayer
    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self._held = ExitStack()
        self.world = World(self.layer, self.ground.at(waiting_and_boxed))
        self._held.enter_context(self.world.in_turns())
        self._true = True

    def _actor(self, number: int) -> Actor:
        return self.world.actors[number % len(self.world.actors)]

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """What is found untrue is told, and not whatever follows from it at the end."""
        try:
            yield
        except BaseException:
            self._true = False
            raise

    @rule(what=st.sampled_from(_STEPS), number=st.integers(0, 59), device=st.sampled_from([ONE, TWO]))
    def next_step(self, what: str, number: int, device: str) -> None:
        """One rule, as hypothesis leaves whole rules out of its examples: an order in which nobody goes on is none."""
        with self._watched():
            getattr(self, what)(number, device)

    def somebody_asks(self, number: int, device: str) -> None:
        """Mostly for what is possible just now."""
        certid = self.world.devices[device].certid
        row = row_of(certid)
        wishes = (*allowed_events(row.devstate if row else None), Event.CLAIM, Event.MOVE, Event.RELEASE)
        calm = [wish for wish in wishes if wish is not Event.REVOKE or number % _RARELY == 0]
        what = calm[number % len(calm)]
        if len(self.world.actors) < _AT_ONCE:
            where = (A, B, GUARDED)[number // 3 % 3] if what in (Event.CLAIM, Event.MOVE) else None
            guesses = what is Event.CONFIRM and number % 4 == 0
            self.world.press("mismatch" if guesses else what, certid, where)

    def work_goes_on(self, number: int, _device: str) -> None:
        """A call, or some; of whoever is at work, or of who comes now."""
        if not self.world.actors:
            self.something_is_delivered(number, "")
        for _ in range(1 + number % _CALLS):
            if self.world.actors:
                self.world.go(self._actor(number))
                check_moment(self.world.at_work())

    def something_is_delivered(self, number: int, _device: str) -> None:
        """Records of the stream, or an event."""
        lanes = [lane for lane in self.world.lanes.items() if lane[1].waiting and lane[1].busy is None]
        waiting: list[Any] = [*lanes, *self.world.errands]
        if not waiting or len(self.world.actors) >= _AT_ONCE:
            return
        chosen = waiting[number % len(waiting)]
        if isinstance(chosen, Errand):
            self.world.run(chosen)
        else:
            self.world.deliver(chosen[0], 1 + number % 3)

    def something_comes_again(self, number: int, device: str) -> None:
        """A batch of the stream, one record alone, an event."""
        certid, done = self.world.devices[device].certid, self.world.done
        lane = self.world.lanes[certid]
        if lane.position and lane.busy is None and number % 3:
            self.world.rewind(certid, number % 3)
        elif lane.position and lane.busy is None:
            self.world.stray(certid, number % lane.position)
        elif done:
            self.world.run(done[number % len(done)])

    def a_device_acts(self, number: int, device: str) -> None:
        found = self.world.devices[device]
        if not self.world.act(found) and found.place == HOME and number % 2:
            self.world.say_hello(found)

    def something_fails(self, number: int, _device: str) -> None:
        """A process dies, an answer is lost, a transaction is cancelled."""
        if not self.world.actors:
            return
        actor, what = self._actor(number // len(_FAULTS)), _FAULTS[number % len(_FAULTS)]
        if what == "unheard":
            self.world.lose(actor)
        elif what in _KILLS:
            self.world.kill(actor, after=what == _KILLS[1])
        elif "TransactWrite" in actor.at:
            self.world.cancel(actor, what)

    def time_passes(self, number: int, _device: str) -> None:
        """And now and then a target is closed, or opened again."""
        self.world.clock.advance(seconds=(2, 10, 200)[number % 3])
        if number % 4 == 0:
            self.world.closed ^= {(A, B)[number // 4 % 2]}

    @invariant()
    def what_must_hold_at_every_moment_does(self) -> None:
        with self._watched():
            check_moment(self.world.at_work())

    def teardown(self) -> None:
        try:
            if self._true:
                self._rest()
        finally:
            self._held.close()

    def _rest(self) -> None:
        """Mended, retried by an operator where the device shows that it must be, and at rest."""
        self.world.closed.clear()
        check: Callable[[], object] = lambda: check_moment(self.world.at_work())  # noqa: E731
        self.world.settle(check)
        for _ in range(_MENDS):
            stuck = [certid for certid in self.world.lanes if _help_for(certid)]
            if not stuck:
                break
            for certid in stuck:
                self.world.finish(self.world.press(_help_for(certid), Fingerprint(certid)))
            self.world.settle(check)
        check_rest(self.world.devices.values())
        check_told(self.world.wishes)


def _help_for(certid: str) -> str:
    """What somebody does for a device that shows that it needs it: none for one that does not."""
    row = row_of(certid)
    if row is None:
        raise Untrue(f"{certid} was powered, and has no row")
    if row.devstate is State.PROVING:
        return "confirm"
    return "retry" if row.devstate is State.FAILED or row.targets_to_clear else ""


@contextmanager
def crowd_in(layer: FaultLayer, ground: Ground) -> Iterator[type[Crowd]]:
    """The machine, in this AWS."""
    Crowd.layer, Crowd.ground = layer, ground
    try:
        yield Crowd
    finally:
        del Crowd.layer, Crowd.ground
