"""AWS's deliveries to the Lambdas: events are delivered again if a Lambda fails, and users repeat requests. As `infra/`
deploys it, rules invoke the receptionist asynchronously, with two retries; `stream` delivers the ledger's stream;
`queue` delivers registrations to the bouncer, and arrivals; `lane_queues` delivers the messages of lanes and campaigns.
`undelivered` lists the events for which all retries failed. A retry is immediate or, if the cloud is slow, after all
other pending events.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tests.aws import Clock
from tests.functional.admin_api.api_on_moto import event_of
from tests.functional.admin_api.user_pool import token
from tests.simulation.faults.error_responses import response
from tests.simulation.faults.injector import FaultInjector
from tests.simulation.faults.lambdas import Crashed, Lambdas
from tests.simulation.faults.lane_queues import LaneQueues, Message
from tests.simulation.faults.queue import Queue
from tests.simulation.faults.recurring_work import CAMPAIGNS_URL
from tests.simulation.faults.stream import WRITES, Stream

_RULE_RETRIES: Final = (60, 120)
"""Seconds until each retry (Lambda developer guide, "Asynchronous invocation"), likewise below."""
_STREAM_RETRY, _REGISTRATION_RETRY, _ARRIVAL_RETRY, _USER_RETRY = 10, 5, 180, 30
_REGISTRATION_RECEIVES, _ARRIVAL_RECEIVES = 12, 5
_LANE_RECEIVES: Final = 100
"""Instead of a limit by time: a message of a lane that comes so often without a fault is repeated forever."""
_USER_ATTEMPTS: Final = 3
_TIMER: Final = 300
_DEVICE_ATTEMPTS, _DEVICE_RETRY = 3, 60
_NO_ANSWER: Final = "INTERNAL"


class Cloud:
    """`slow`: retries come late. `act` lets the devices act, and returns whether any did."""

    def __init__(self, injector: FaultInjector, clock: Clock, act: Callable[[], bool], *, slow: bool) -> None:
        self._clock, self._act, self._slow = clock, act, slow
        external_ids = iter(range(1, 100))
        self._lambdas = Lambdas(injector, clock, lambda: f"external-id-{next(external_ids)}")
        self.lanes = LaneQueues(clock)
        self._stream = Stream(self._lambdas, clock, lambda: self._wait(_STREAM_RETRY))
        self._registrations = self._queue("bouncer", _REGISTRATION_RETRY, _REGISTRATION_RECEIVES)
        self._arrivals = self._queue("arrivals", _ARRIVAL_RETRY, _ARRIVAL_RECEIVES)
        self._failed: list[str] = []
        self.waited = False
        """Whether anything was retried after a pause. Otherwise it is the same whether retries are late."""
        self.refusals: list[str] = []
        """The codes of refused requests, and of requests that never got a response."""
        injector.followers |= dict.fromkeys(WRITES, self._stream.observe)
        self.stubs = self.lanes.stubs(send_other=self._hand_over, hide_other=_accepted)

    def _queue(self, name: str, retry: int, receives: int) -> Queue:
        return Queue(name, self._lambdas, self._clock, lambda: self._wait(retry), receives)

    def _hand_over(self, request: AWSPreparedRequest) -> AWSResponse:
        """Accept a message for the on-failure queue. The bouncer is its only sender."""
        self._failed.append(f"bouncer: {request.body!r}")
        return _accepted(request)

    @property
    def undelivered(self) -> list[str]:
        """The events, messages and records that all retries failed for."""
        dead = [*self._registrations.dead, *self._arrivals.dead]
        return [*self._failed, *dead, *(str(record) for record in self._stream.failed_records)]

    def rule(self, name: str, event: dict[str, Any]) -> None:
        """Send an event to a Lambda through a rule."""
        for wait in (*_RULE_RETRIES, None):
            try:
                self._lambdas.invoke(name, event)
            except Crashed:
                if wait is None:
                    self._failed.append(f"{name}: {event}")
                    return
                self._wait(wait)
            else:
                return

    def timer(self, name: str, event: dict[str, Any], runs: int = 3) -> None:
        """Let a timer start a Lambda `runs` times: the next run does what a failed one did not."""
        for _ in range(runs):
            try:
                self._lambdas.invoke(name, event)
            except Crashed:
                self._wait(_TIMER)

    def register(self, event: dict[str, Any]) -> None:
        """Send a registration to the bouncer's queue, through its rule."""
        self._registrations.send(json.dumps(event))

    def provision(self, event: dict[str, Any]) -> bool:
        """Ask the hook of the door `claim`, again if it fails: the device repeats its request. Return whether it
        allows the provisioning."""
        for _ in range(_DEVICE_ATTEMPTS):
            try:
                return bool(self._lambdas.invoke("provisioning", event)["allowProvisioning"])
            except Crashed:
                self._wait(_DEVICE_RETRY)
        self._failed.append(f"provisioning: {event}")
        return False

    def send(self, body: dict[str, Any]) -> None:
        """Send a message to the arrivals' queue."""
        self._arrivals.send(json.dumps(body))

    def request(self, document: str, variables: dict[str, Any] | None = None, role: str = "operator") -> None:
        """Send a user's request to the API, again until there is a response."""
        event = event_of({"query": document, "variables": variables}, authorization=f"Bearer {token(role)}")
        for _ in range(_USER_ATTEMPTS):
            codes = self._codes(event)
            if _NO_ANSWER not in codes:
                break
            self._wait(_USER_RETRY)
        self.refusals += codes

    def settle(self) -> None:
        """Deliver everything until nothing is pending."""
        while (
            self._stream.deliver()
            or self._work()
            or self._registrations.deliver()
            or self._arrivals.deliver()
            or self._act()
            or self._wait_for_lanes()
        ):
            pass

    def _work(self) -> bool:
        """Deliver the first message of each lane and campaign; return whether there was any."""
        messages = self.lanes.visible()
        for message in messages:
            if message.receives >= _LANE_RECEIVES:
                self._failed.append(f"lane: {message.body}")
                self.lanes.messages.remove(message)
                continue
            event = self.lanes.receive(message)
            try:
                self.lanes.end(message, self._lambdas.invoke(_consumer_of(message), event))
            except Crashed:
                continue
        return bool(messages)

    def _wait_for_lanes(self) -> bool:
        """Let time pass until a hidden message is visible again; return whether there is any."""
        at = self.lanes.next_visible_at()
        if at is None:
            return False
        self._clock.time = max(self._clock.time, at)
        return True

    def _wait(self, seconds: int) -> None:
        self.waited = True
        self._clock.advance(seconds=seconds if self._slow else 1)
        if self._slow:
            self.settle()

    def _codes(self, event: dict[str, Any]) -> list[str]:
        """Return the codes of refusals, also of devices in a bulk request; `INTERNAL` if there was no response."""
        try:
            body = json.loads(self._lambdas.invoke("admin-api", event)["body"])
        except (Crashed, ValueError):
            return [_NO_ANSWER]
        codes = [error["extensions"]["code"] for error in body.get("errors", [])]
        bulk = ((body.get("data") or {}).get("claimDevices") or {}).get("results", [])
        return codes + [result["code"] for result in bulk if result["code"]]


def _consumer_of(message: Message) -> str:
    return "campaigns" if message.queue == CAMPAIGNS_URL else "commissioner"


def _accepted(request: AWSPreparedRequest) -> AWSResponse:
    return response(request, 200, {}, b"{}")
