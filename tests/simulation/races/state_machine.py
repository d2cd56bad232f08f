"""All actors together, in orders that hypothesis draws: users, Lambdas and devices, deliveries, kills, throttling.

Each step continues an actor for some calls, starts another one, or makes a delivery: late, again, or of an earlier
record. The model is checked after every step. At the end all faults are over, an operator retries the devices that show
a reason, and everything must settle.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lobby.domain.states import Event, allowed_events
from tests.aws import HOME
from tests.simulation.faults import api_requests, initial_states
from tests.simulation.faults.devices import GUARDED, A, B, Fleet
from tests.simulation.faults.initial_states import ONE, TWO
from tests.simulation.faults.injector import FaultInjector
from tests.simulation.faults.lane_queues import Message
from tests.simulation.faults.setup import ScenarioSetup, deploy_policy
from tests.simulation.races.deliveries import Invocation
from tests.simulation.races.model import check_always, row_of
from tests.simulation.races.scheduler import Actor
from tests.simulation.races.settling import settle
from tests.simulation.races.simulation import Simulation

_MAX_ACTORS: Final = 4
_MAX_CALLS: Final = 8
_REVOKE_ONE_IN: Final = 5
_MAX_REPAIRS: Final = 3
_KILLS: Final = ("killed before", "killed after")
_LOST_RESPONSE: Final = "response lost"
_FAULTS: Final = (
    *_KILLS,
    _LOST_RESPONSE,
    "ThrottlingError",
    "TransactionConflict",
    "ProvisionedThroughputExceeded",
)
_STEPS: Final = (
    *["continue_an_actor"] * 6,
    *["send_a_request"] * 3,
    *["make_a_delivery"] * 3,
    *["let_a_device_act"] * 2,
    "repeat_a_delivery",
    "inject_a_fault",
    "let_time_pass",
)
"""Each step is as frequent as it is listed."""


def one_waiting_two_unconnected(fleet: Fleet) -> None:
    """ONE waits in the lobby, TWO has never connected."""
    api_requests.register(fleet, GUARDED, "target with presence codes")
    deploy_policy(GUARDED)
    initial_states.waiting(fleet)
    initial_states.add_device(fleet, TWO)


class LobbyStateMachine(RuleBasedStateMachine):
    """`injector` and `setup` are set by `state_machine_in`."""

    injector: FaultInjector
    setup: ScenarioSetup

    def __init__(self) -> None:
        super().__init__()
        self._exit_stack = ExitStack()
        self.simulation = Simulation(self.injector, self.setup.at(one_waiting_two_unconnected))
        self._exit_stack.enter_context(self.simulation.scheduled())
        self._valid = True

    def _actor(self, number: int) -> Actor:
        return self.simulation.actors[number % len(self.simulation.actors)]

    @contextmanager
    def _reporting_first_violation(self) -> Iterator[None]:
        """Report the first violation, and not its consequences in the teardown."""
        try:
            yield
        except BaseException:
            self._valid = False
            raise

    @rule(what=st.sampled_from(_STEPS), number=st.integers(0, 59), device=st.sampled_from([ONE, TWO]))
    def next_step(self, what: str, number: int, device: str) -> None:
        """Make one of the steps. This is a single rule, because hypothesis omits whole rules from some examples, and an
        example in which no actor continues tests nothing."""
        with self._reporting_first_violation():
            getattr(self, what)(number, device)

    def send_a_request(self, number: int, device: str) -> None:
        """Send a request, mostly one that the device's state allows."""
        certid = self.simulation.devices[device].certid
        row = row_of(certid)
        allowed = (*allowed_events(row.devstate if row else None), Event.CLAIM, Event.MOVE, Event.RELEASE)
        events = [event for event in allowed if event is not Event.REVOKE or number % _REVOKE_ONE_IN == 0]
        event = events[number % len(events)]
        if len(self.simulation.actors) < _MAX_ACTORS:
            target = (A, B, GUARDED)[number // 3 % 3] if event in (Event.CLAIM, Event.MOVE) else None
            wrong_code = event is Event.CONFIRM and number % 4 == 0
            self.simulation.request("mismatch" if wrong_code else event, certid, target)

    def continue_an_actor(self, number: int, _device: str) -> None:
        """Continue for one or several calls, with a new actor if there is none."""
        if not self.simulation.actors:
            self.make_a_delivery(number, "")
        for _ in range(1 + number % _MAX_CALLS):
            if self.simulation.actors:
                self.simulation.step(self._actor(number))
                check_always()

    def make_a_delivery(self, number: int, _device: str) -> None:
        """Deliver records of the stream, a message of a lane, or an event."""
        streams = [each for each in self.simulation.streams.items() if each[1].waiting and not each[1].running]
        waiting: list[Any] = [*streams, *self.simulation.workable(), *self.simulation.pending]
        if not waiting or len(self.simulation.actors) >= _MAX_ACTORS:
            return
        chosen = waiting[number % len(waiting)]
        if isinstance(chosen, Invocation):
            self.simulation.invoke(chosen)
        elif isinstance(chosen, Message):
            self.simulation.work(chosen)
        else:
            self.simulation.deliver(chosen[0], 1 + number % 3)

    def repeat_a_delivery(self, number: int, device: str) -> None:
        """Repeat a batch of the stream, a message of a lane (also one in progress), or an event."""
        certid, done = self.simulation.devices[device].certid, self.simulation.done
        stream = self.simulation.streams[certid]
        if stream.position and number % 3 and not stream.running:
            self.simulation.rewind(certid, number % 3)
        elif (messages := [*self.simulation.in_flight, *self.simulation.lanes.deleted]) and number % 3 == 0:
            if len(self.simulation.actors) < _MAX_ACTORS:
                self.simulation.work_again(sorted(messages, key=lambda each: each.number)[number // 3 % len(messages)])
        elif done:
            self.simulation.invoke(done[number % len(done)])

    def let_a_device_act(self, number: int, device: str) -> None:
        simulated = self.simulation.devices[device]
        if not self.simulation.device_actions.act(simulated) and simulated.connected_to == HOME and number % 2:
            self.simulation.device_actions.say_hello(simulated)

    def inject_a_fault(self, number: int, _device: str) -> None:
        """Kill a process, lose a response, or cancel a transaction."""
        if not self.simulation.actors:
            return
        actor, fault = self._actor(number // len(_FAULTS)), _FAULTS[number % len(_FAULTS)]
        if fault == _LOST_RESPONSE:
            self.simulation.lose_response(actor)
        elif fault in _KILLS:
            self.simulation.kill(actor, after=fault == _KILLS[1])
        elif "TransactWrite" in actor.next_call:
            self.simulation.cancel(actor, fault)

    def let_time_pass(self, number: int, _device: str) -> None:
        """Advance the clock. Sometimes also close a target, or open it again."""
        self.simulation.clock.advance(seconds=(2, 10, 200)[number % 3])
        if number % 4 == 0:
            self.simulation.closed ^= {(A, B)[number // 4 % 2]}

    @invariant()
    def the_model_holds(self) -> None:
        with self._reporting_first_violation():
            check_always()

    def teardown(self) -> None:
        try:
            if self._valid:
                settle(self.simulation, _MAX_REPAIRS)
        finally:
            self._exit_stack.close()


@contextmanager
def state_machine_in(injector: FaultInjector, setup: ScenarioSetup) -> Iterator[type[LobbyStateMachine]]:
    """Provide the state machine for this AWS."""
    LobbyStateMachine.injector, LobbyStateMachine.setup = injector, setup
    try:
        yield LobbyStateMachine
    finally:
        del LobbyStateMachine.injector, LobbyStateMachine.setup
