"""A lobby in which many actors work at the same time: users, Lambdas and devices, each of which can stop at any call.

Deliveries have only AWS's documented guarantees: the stream delivers a device's records in order and to one bell at a
time, but may repeat earlier ones; a lane has one message in flight, which is delivered again if its worker is killed;
rules and the queue deliver at least once, late and in any order. In addition, `work_again` repeats a lane's message
that another worker is processing or has completed, and a Lambda can be killed at any call.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.iam.models import get_account_id_from

from lobby.ledger.store import Ledger
from lobby.names import Fingerprint, Target
from tests import aws
from tests.aws import REGION
from tests.simulation.faults.devices import Fleet, SimulatedDevice, deliver_message
from tests.simulation.faults.injector import FaultInjector
from tests.simulation.faults.lambdas import Handler, Lambdas
from tests.simulation.faults.lane_queues import LaneQueues
from tests.simulation.faults.lane_queues import Message as LaneMessage
from tests.simulation.faults.other_lobby import names_of_actors
from tests.simulation.faults.stream import WRITES, images, needs_commissioner, record_of
from tests.simulation.races.deliveries import DeviceRecords, Invocation, number_of
from tests.simulation.races.device_actions import DeviceActions
from tests.simulation.races.model_device import ModelViolation
from tests.simulation.races.scheduler import Actor, scheduling
from tests.simulation.races.user_requests import UserRequest

_MAX_ROUNDS: Final = 400
"""A simulation that needs more rounds to settle never settles."""


class Simulation:
    """Continues from a lobby of `ScenarioSetup`, with its devices."""

    def __init__(self, injector: FaultInjector, fleet: Fleet) -> None:
        self.devices: dict[str, SimulatedDevice] = fleet.devices
        self.clock = fleet.clock
        self.actors: list[Actor] = []
        self.pending: list[Invocation] = []
        self.done: list[Invocation] = []
        self.streams: dict[str, DeviceRecords] = {device.certid: DeviceRecords() for device in self.devices.values()}
        self.requests: list[UserRequest] = []
        self.closed: set[Target] = set()
        """Targets that refuse everything."""
        self._when_ended: dict[Actor, Callable[[], None]] = {}
        self._idle: dict[str, list[Handler]] = {}
        self._lambdas = Lambdas(injector, self.clock, lambda: "external-id")
        self.lanes = LaneQueues(self.clock)
        self.in_flight: set[LaneMessage] = set()
        self._images = images()
        self._numbers = iter(range(1, 100_000))
        self.device_actions = DeviceActions(self.clock, fleet.ca_id, self.pending, self._numbers)
        injector.begin({})
        accepted = fleet.cloud.stubs["sqs.ChangeMessageVisibility"]
        injector.stubs = injector.stubs | self.lanes.stubs(send_other=accepted, hide_other=accepted)
        injector.followers = dict.fromkeys(WRITES, self._observe)
        injector.observers = {"iot-data-plane.Publish": self._deliver_message}

    @contextmanager
    def scheduled(self) -> Iterator[None]:
        """Schedule the actors that are started inside. Actors that have not ended at the end are killed."""
        with scheduling(self._rejection), names_of_actors():
            try:
                yield
            finally:
                for actor in self.actors:
                    actor.kill(after=False)

    # Starting actors.

    def request(self, event: str, certid: Fingerprint, target: Target | None = None) -> Actor:
        """Start a user's request."""
        request = UserRequest(f"user:{len(self.requests) + 1}", event, certid, target)
        self.requests.append(request)

        def perform() -> None:
            request.perform(Ledger(REGION, self.clock, pause=lambda _attempt: None))

        actor = Actor(f"{request.by} {event}", perform)
        return self._watch(actor, lambda: self._raise_error(actor))

    def invoke(self, invocation: Invocation) -> Actor:
        """Invoke a Lambda. The event is delivered again if the Lambda fails or is killed."""
        if invocation in self.pending:
            self.pending.remove(invocation)
        handler = self._handler(invocation.function)
        actor = Actor(f"{invocation.function} {invocation.certid[:4]}", lambda: handler(invocation.event))
        return self._watch(actor, lambda: self._invoked(actor, invocation, handler))

    def _invoked(self, actor: Actor, invocation: Invocation, handler: Handler) -> None:
        failed = isinstance(actor.result, dict) and actor.result.get("batchItemFailures")
        if actor.killed or actor.error or failed:
            self.pending.append(invocation)
        else:
            self.done.append(invocation)
        if not actor.killed:
            self._idle.setdefault(invocation.function, []).append(handler)

    def deliver(self, certid: str, many: int = 10) -> Actor:
        """Deliver the device's next records to the bell."""
        stream = self.streams[certid]
        first, batch = stream.position, stream.records[stream.position : stream.position + many]
        handler = self._handler("bell")
        actor = Actor(f"bell {number_of(batch[0])[-4:]}+{len(batch)}", lambda: handler({"Records": batch}))
        stream.running.append(actor)

        def ended() -> None:
            stream.running.remove(actor)
            if not actor.killed:
                self._idle.setdefault("bell", []).append(handler)
            if not actor.killed and actor.error is None and stream.position == first:
                stream.position += len(batch)

        return self._watch(actor, ended)

    def work(self, message: LaneMessage) -> Actor:
        """Deliver a lane's message to a worker."""
        return self._start_worker(message, self.lanes.receive(message))

    def work_again(self, message: LaneMessage) -> Actor:
        """Deliver a message that another worker is processing, or that is already completed."""
        return self._start_worker(message, message.event)

    def _start_worker(self, message: LaneMessage, event: dict[str, Any]) -> Actor:
        handler = self._handler("commissioner")
        actor = Actor(f"commissioner {message.group} {message.number}", lambda: handler(event))
        self.in_flight.add(message)

        def ended() -> None:
            self.in_flight.discard(message)
            if not actor.killed:
                self._idle.setdefault("commissioner", []).append(handler)
                self._raise_error(actor)
                self.lanes.end(message, actor.result)

        return self._watch(actor, ended)

    def workable(self) -> list[LaneMessage]:
        """Return the messages that SQS can deliver now."""
        return [message for message in self.lanes.visible() if message not in self.in_flight]

    def start_work(self, certid: str) -> Actor:
        """Let the bell process the device's records; return a worker with the first message."""
        while self.streams[certid].waiting:
            self.finish(self.deliver(certid))
        return self.work(self.workable()[0])

    def finish_work(self, certid: str) -> None:
        """Let the bell and the workers process all work for the device."""
        while True:
            while self.streams[certid].waiting:
                self.finish(self.deliver(certid))
            messages = self.workable()
            if not messages:
                return
            for message in messages:
                self.finish(self.work(message))

    def rewind(self, certid: str, many: int) -> None:
        """Deliver the stream again from an earlier record, as after another device's failure or a lost response."""
        stream = self.streams[certid]
        stream.position = max(0, stream.position - many)

    # Continuing actors.

    def step(self, actor: Actor) -> None:
        actor.step()
        self._finish_if_ended(actor)

    def kill(self, actor: Actor, *, after: bool) -> None:
        actor.kill(after=after)
        self._finish_if_ended(actor)

    def cancel(self, actor: Actor, code: str) -> None:
        """Let DynamoDB cancel the transaction that is the actor's next call."""
        response: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": code},
            "CancellationReasons": [{"Code": "None"}, {"Code": code}],
        }
        actor.reject(ClientError(response, "TransactWriteItems"))
        self._finish_if_ended(actor)

    def lose_response(self, actor: Actor) -> None:
        """Lose the response to the actor's next call, at every attempt of botocore."""
        actor.lose_response(ReadTimeoutError(endpoint_url="https://somewhere"))
        self._finish_if_ended(actor)

    def finish(self, actor: Actor) -> None:
        while not actor.ended:
            self.step(actor)

    @staticmethod
    def _raise_error(actor: Actor) -> None:
        if actor.error is not None:
            raise ModelViolation(f"{actor.name} raised {actor.error!r}") from actor.error

    def _watch(self, actor: Actor, ended: Callable[[], None]) -> Actor:
        self.actors.append(actor)
        self._when_ended[actor] = ended
        self._finish_if_ended(actor)
        return actor

    def _finish_if_ended(self, actor: Actor) -> None:
        if actor.ended:
            self.actors.remove(actor)
            self._when_ended.pop(actor)()

    def _handler(self, function: str) -> Handler:
        idle = self._idle.get(function)
        return idle.pop() if idle else self._lambdas.start(function)

    def close(self, target: Target) -> Actor:
        """Start an actor that closes the target."""

        def work() -> None:
            aws.client("sts").get_caller_identity()
            self.closed.add(target)

        return self.start(f"{target} closes", work)

    def start(self, name: str, work: Callable[[], object]) -> Actor:
        """Start an actor outside this lobby. Its errors are raised."""
        actor = Actor(name, work)
        return self._watch(actor, lambda: self._raise_error(actor))

    # What AWS does after a call.

    def _observe(self) -> None:
        before, self._images = self._images, images()
        for certid, image in self._images.items():
            if image != before.get(certid) and needs_commissioner(image):
                record = record_of(next(self._numbers), certid, image, self.clock())
                self.streams[certid].records.append(record)

    def _deliver_message(self, request: AWSPreparedRequest) -> None:
        deliver_message(self.devices.values(), request)

    def _rejection(self, client: BaseClient, operation: str, params: dict[str, Any]) -> Exception | None:
        """Return the error of a closed target, which denies every call."""
        if not self.closed:
            return None
        account = get_account_id_from(client._request_signer._credentials.access_key)  # type: ignore[attr-defined]
        if operation == "AssumeRole":
            account = params["RoleArn"].split(":")[4]
        if account not in {target.account for target in self.closed}:
            return None
        code = "AccessDenied" if operation == "AssumeRole" else "AccessDeniedException"
        return ClientError({"Error": {"Code": code, "Message": "closed"}}, operation)

    # Settling.

    def settle(self, check: Callable[[], object] = lambda: None) -> None:
        """Let actors finish, deliver everything and let the devices act until nothing is left. Call `check` after each
        call that writes."""
        for _ in range(_MAX_ROUNDS):
            if not self._round(check):
                return
        raise ModelViolation(f"got {[actor.name for actor in self.actors]}, {self.pending}, want nothing left to do")

    def _round(self, check: Callable[[], object]) -> bool:
        for actor in list(self.actors):
            self._finish_checked(actor, check)
        waiting = [certid for certid, stream in self.streams.items() if stream.waiting and not stream.running]
        for certid in waiting:
            self._finish_checked(self.deliver(certid), check)
        messages = self.workable()
        for message in messages:
            self._finish_checked(self.work(message), check)
        pending = list(self.pending)
        for invocation in pending:
            self._finish_checked(self.invoke(invocation), check)
        self.clock.advance(seconds=1)
        acted = [self.device_actions.act(device) for device in self.devices.values()]
        if waiting or messages or pending or any(acted) or self.actors:
            return True
        hidden_until = self.lanes.next_visible_at()
        if hidden_until is not None:
            self.clock.time = max(self.clock.time, hidden_until)
        return hidden_until is not None

    def _finish_checked(self, actor: Actor, check: Callable[[], object]) -> None:
        while not actor.ended:
            reads = actor.reads
            self.step(actor)
            if not reads:
                check()
