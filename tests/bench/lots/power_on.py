"""The registrations of a lot that is switched on, in virtual time.

AWS IoT refuses the first connection of each device and publishes an event. The device tries again after the mean wait
of the reference client, and each attempt before its admission publishes another event. The bouncer's processes take the
messages in batches, as their mapping does, and each makes its share of the registrations per second.
"""

import heapq
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from device.machine.backoff import Backoff
from device.machine.plan import Timing
from infra.doors.registration import WORKERS, batch_size
from infra.settings import Settings
from lobby.aws.pacer import Pacer
from lobby.domain.pacing import Pace
from lobby.doors.registration_queue import RegistrationQueue
from lobby.names import Fingerprint
from tests.aws import Clock
from tests.bench import prices
from tests.bench.lots.lot_bill import LEDGER, LotBill
from tests.bench.onboarding_count import stored
from tests.functional.lobby.registration_door import RegistrationDoor

RATE: Final = Settings.registration_rate
STEP: Final = "admit (bouncer)"
_BUSY: Final = 10.0
_ACTIVATION: Final = 5 * prices.SECONDS_PER_CALL
"""From the row's transaction until the certificate is active."""
_NEVER: Final = float("inf")
_WAITS: Final = Backoff(Timing.retry_base, Timing.retry_cap)


@dataclass
class Unit:
    """A device. `attempts` are the connections that were refused."""

    certid: Fingerprint
    name: str
    event: dict[str, Any]
    attempts: int = 0
    admitted_at: float = _NEVER
    connected_at: float = _NEVER


@dataclass
class PowerOn:
    """The bouncer's queue and processes. `within`: seconds in which the devices are switched on."""

    bill: LotBill
    clock: Clock
    door: RegistrationDoor
    units: list[Unit]
    within: float
    _messages: list[tuple[float, str, dict[str, Any], Unit]] = field(default_factory=list)

    def run(self) -> None:
        """Let all devices connect until they are admitted."""
        attempts = [(self.within * number / len(self.units), number) for number in range(len(self.units))]
        heapq.heapify(attempts)
        workers = [(0.0, number, self._process()) for number in range(WORKERS)]
        while attempts or self._messages:
            attempt_at = attempts[0][0] if attempts else _NEVER
            work_at = max(workers[0][0], self._messages[0][0]) if self._messages else _NEVER
            if attempt_at <= work_at:
                at, number = heapq.heappop(attempts)
                if again_at := self._connect(self.units[number], at):
                    heapq.heappush(attempts, (again_at, number))
            else:
                _, number, process = heapq.heappop(workers)
                heapq.heappush(workers, (self._work(process, work_at), number, process))

    def _process(self) -> RegistrationQueue:
        """Return a process of the bouncer that has served devices before."""
        pace = Pace(RATE / WORKERS, max(1.0, RATE / WORKERS))
        pacer = Pacer(pace, lambda: self.bill.now, lambda seconds: self.clock.advance(seconds=seconds))
        queue = self.door.queue(pacer)
        queue._bouncer = self.door.bouncer
        return queue

    def _connect(self, unit: Unit, at: float) -> float | None:
        """Connect. Return when the device tries again if it is refused."""
        if unit.admitted_at <= at:
            unit.connected_at = at
            return None
        unit.attempts += 1
        self.bill.move_to(at)
        event = unit.event | {"timestamp": int(self.clock().timestamp() * 1000)}
        record = self.door.message(event)
        record["messageId"] = record["receiptHandle"] = f"{unit.name}-{unit.attempts}"
        heapq.heappush(self._messages, (at, record["messageId"], record, unit))
        # The first refused connection is not a message in the count of a single onboarding either.
        self.bill.charge(STEP, rules=1, actions=1, queue_requests=1, messages=int(unit.attempts > 1))
        return at + 0.75 * _WAITS.ceiling(unit.attempts)

    def _work(self, process: RegistrationQueue, at: float) -> float:
        """Process a batch and return when the run ends."""
        batch: list[tuple[float, str, dict[str, Any], Unit]] = []
        while self._messages and self._messages[0][0] <= at and len(batch) < batch_size(RATE):
            batch.append(heapq.heappop(self._messages))
        records = [record for _, _, record, _ in batch]
        stay: list[str] = []
        work = lambda: stay.extend(self.door.receive(*records, queue=process))  # noqa: E731
        ends = self.bill.run_at(at, STEP, work, queue_requests=2)
        for _, number, record, unit in batch:
            if number in stay:
                heapq.heappush(self._messages, (ends + _BUSY, number, record, unit))
            row = stored(LEDGER, [{"S": unit.certid}])
            if row is not None and unit.admitted_at == _NEVER:
                written_at = self.bill.seconds_at(datetime.fromisoformat(row["enteredat"]["S"]))
                unit.admitted_at = written_at + _ACTIVATION
        return ends
