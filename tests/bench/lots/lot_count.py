"""Counts what AWS bills for a lot of devices that are onboarded together, in virtual time.

The devices are switched on within a second. Either users claim them as a list while they wait, as `lobbyctl` sends it,
or the rule of an enrolment claims each one with its admission. One worker of the lane commissions them at the default
rate. Every Lambda's code runs on moto, warm, with the batches of the deployed event source mappings.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import count as numbers
from typing import Any, Final, cast

import pytest

from admin_api.cli.bulk.claims import CHUNK
from admin_api.graphql.bulk_claims import claim_devices
from admin_api.graphql.context import Context
from admin_api.graphql.limits import RequestQuota
from commissioner.lambdas.bell import Bell
from commissioner.lambdas.lane import MessageHandler, Queues
from commissioner.lanes.messages import WorkerEnvironment
from commissioner.lanes.worker import POLL_INTERVAL
from infra.parts import events, notary
from infra.parts.event_sources import ROWS_BATCH
from lobby import connections
from lobby import notary as notary_lambda
from lobby.domain.enrolments.allocation import Allocation, Share
from lobby.domain.enrolments.enrolment import Door, Enrolment, Match
from lobby.domain.hellos import Report
from lobby.ledger.connections.device_connections import Connections
from lobby.ledger.enrolments.enrolment_register import Enrolments
from lobby.ledger.targets.target_registry import RecentTargets, Targets
from lobby.names import EnrolmentName, Fingerprint
from tests import aws, sns_messages
from tests import certificates as make
from tests.aws import Clock
from tests.bench import onboarding_count as single
from tests.bench import warm_lambdas as warm
from tests.bench.lots.lot_bill import LotBill
from tests.bench.lots.power_on import PowerOn, Unit
from tests.bench.lots.streams import SHARDS, StreamRecord, collected, polled, shard_of
from tests.bench.lots.virtual_lane import VirtualQueue, VirtualThreads, waiting_in
from tests.clone_watches import clone_watch
from tests.functional.commissioner.lane_environment import environment_with
from tests.functional.commissioner.lobby_with_targets import PROFILES, A, wall_clock
from tests.functional.lobby.notary_fixture import TABLE, NotaryFixture, record
from tests.functional.lobby.registration_door import CA

UNTIL_CLAIMED: Final = 120.0
"""Seconds from the last hello to the list. The notary has anchored the admissions by then."""
UNTIL_HELLO: Final = 0.1
"""Seconds from the connection to the hello."""
UNTIL_AWAY: Final = 1.0
UNTIL_ARRIVED: Final = 3.0
"""Seconds from the route to the disconnection, and to the report of the target."""


class Lot:
    """The devices of a lot, and the Lambdas."""

    def __init__(self, calls: aws.Calls, clock: Clock, devices: int, *, by_rule: bool, within: float) -> None:
        self.by_rule, self.within, self.clock, self.calls = by_rule, within, clock, calls
        self.lambdas = warm.Lambdas(calls, clock)
        self.ledger, self.lobby = self.lambdas.ledger, self.lambdas.lobby
        with calls.uncounted():
            if by_rule:
                rule = Enrolment(
                    EnrolmentName("lot"),
                    Door.REGISTRATION,
                    Match(ca=Fingerprint(self.lambdas.door.ca_id)),
                    "user:ann",
                    "2026-11-01T00:00:00.000Z",
                    allocation=Allocation((Share(A),)),
                )
                Enrolments(clock).create(rule)
                clock.advance(hours=1)  # the bouncer reads the enrolments again
            self.units = [self._unit(number) for number in range(devices)]
            self.notary = NotaryFixture(self.ledger, clock)
            self.publish = single.publisher_of(self.lambdas, clock)
        self.recorder = connections.ConnectionRecorder(self.ledger, Connections(), clone_watch(self.ledger))
        self.bill = LotBill(clock)

    def _unit(self, number: int) -> Unit:
        name = f"unit-{number}"
        pem = make.pem_of(make.device(CA, name, number=100 + number, serial=9000 + number))
        return Unit(make.fingerprint_of(pem), name, self.lambdas.door.first_connection(pem))

    def run(self) -> None:
        PowerOn(self.bill, self.clock, self.lambdas.door, self.units, self.within).run()
        if self.by_rule:
            self._commission()
            self._enter()
        else:
            self._enter()
            self._claim()
            self._commission()
        self._arrive()
        self._process_history()

    def _enter(self) -> None:
        """Let each device connect and say hello. A device that a rule has claimed gets its route now."""
        route = {"messages": 3} if self.by_rule else {}
        for unit in sorted(self.units, key=lambda each: each.connected_at):
            self._lifecycle(unit, "connected", unit.connected_at, "connect (connections)", messages=2)
            answer = partial(self.lambdas.receptionist.answer, unit.certid, unit.name, Report())
            at = unit.connected_at + UNTIL_HELLO
            self.bill.run_at(at, "first hello (receptionist)", answer, rules=1, actions=1, **route)

    def _lifecycle(self, unit: Unit, kind: str, at: float, step: str, **billed: int) -> None:
        self.bill.move_to(at)
        event = {"event": kind, "certid": unit.certid, "devicename": unit.name, "session": "s", "version": 0}
        event["at"] = int(self.clock().timestamp() * 1000)
        self.bill.run_at(
            at, step, partial(connections.handler, event, None, self.recorder), rules=1, actions=1, **billed
        )

    def _claim(self) -> None:
        """Claim the list, with the parts that `lobbyctl` sends."""
        at = max(unit.connected_at for unit in self.units) + UNTIL_CLAIMED
        for start in range(0, len(self.units), CHUNK):
            part = [unit.certid for unit in self.units[start : start + CHUNK]]
            at = self.bill.run_at(at, "claim (API)", partial(self._claim_part, part), api_requests=1)

    def _claim_part(self, part: list[Fingerprint]) -> None:
        context = Context(warm.OPERATOR, self.lambdas.services, "lot", RequestQuota(lambda: 0.0))
        results = claim_devices(context, part, A, None, None).results
        assert all(each.ok for each in results), results
        self.lambdas.services.connections.statuses(part)  # `lobbyctl` shows who is online

    def _commission(self) -> None:
        """Start the lane's workers and let them work, until no message is left."""
        queue = VirtualQueue(self.bill)
        self._start_lane(queue)
        handler = MessageHandler(self._worker_environment(), Queues(cast(Any, queue), "lanes.fifo", "express.fifo"))
        step = "commission (commissioner)"

        def handle(at: float, event: dict[str, Any]) -> tuple[float, bool]:
            failed: list[Any] = []

            def work() -> None:
                failed.extend(handler.process(event)["batchItemFailures"])

            ends = self.bill.run_at(at, step, work, fifo_requests=1)
            self.bill.charge(step, fifo_requests=int(not failed))
            return ends, not failed

        queue.deliver(handle)
        # A device that is not connected yet gets the route with its first hello.
        self.bill.charge(step, messages=(1 if self.by_rule else 3) * len(self.units))

    def _start_lane(self, queue: VirtualQueue) -> None:
        """Run the bell, in one process for each shard."""

        def now() -> float:
            return self.clock().timestamp()

        bells = [Bell(cast(Any, queue), "lanes.fifo", "express.fifo", now) for _ in range(SHARDS)]
        claims = [StreamRecord(at, certid, self.lobby.record(Fingerprint(certid))) for at, certid in self.bill.claims]
        for at, batch in sorted(polled(claims, ROWS_BATCH), key=lambda each: each[0]):
            bell = bells[shard_of(batch[0].certid)]
            self.bill.run_at(at, "start the lane (bell)", partial(bell.start_workers, [each.content for each in batch]))

    def _worker_environment(self) -> WorkerEnvironment:
        names, targets = numbers(1), RecentTargets(Targets.read_only(), self.clock)
        environment = environment_with(
            self.ledger,
            targets,
            self.clock,
            PROFILES,
            sessions_clock=wall_clock,
            holders=lambda: f"worker {next(names)}",
        )
        return replace(
            environment,
            executor=lambda: VirtualThreads(self.bill),
            wait=waiting_in(self.bill, self.clock),
            poll_interval=POLL_INTERVAL,
        )

    def _arrive(self) -> None:
        """Let each device go to its target. The target's reports come one by one, as the lane commissions them."""
        routed = {
            entry["certid"]["S"]: self._at(entry) for entry in self._entries() if entry["event"]["S"] == "commission"
        }
        assert {unit.certid for unit in self.units} <= set(routed)
        billed = {"rules": 1, "actions": 2, "registry": 1, "messages": 2, "notifications": 1, "queue_requests": 3}
        for unit in sorted(self.units, key=lambda each: routed[each.certid]):
            at = max(routed[unit.certid], unit.connected_at)
            self._lifecycle(unit, "disconnected", at + UNTIL_AWAY, "disconnect (connections)")
            self.bill.move_to(at + UNTIL_ARRIVED)
            report = sns_messages.report(unit.certid, self.clock().timestamp() * 1000 - 500, warm.TOPIC)
            self.bill.run_at(at + UNTIL_ARRIVED, "arrive (arrivals)", partial(self._record_arrival, report), **billed)

    def _record_arrival(self, report: dict[str, Any]) -> None:
        assert self.lambdas.arrivals.process(report) == "arrived"

    def _process_history(self) -> None:
        """Anchor and publish the entries."""
        own = {unit.certid for unit in self.units}
        entries = [
            StreamRecord(self._at(item), item["certid"]["S"], record(item, number=number))
            for number, item in enumerate(self._entries(), 1)
            if item["certid"]["S"] in own
        ]
        with pytest.MonkeyPatch.context() as patched:  # moto is not made for threads
            parallel = notary_lambda.PARALLEL
            patched.setattr(notary_lambda, "PARALLEL", 1)
            for at, batch in collected(entries, notary.BATCH_SIZE, notary.WINDOW):
                work = partial(self._anchor, batch)
                self.bill.run_at(at, "anchor the history (notary)", work, parallel=parallel)
        assert self.publish is not None
        for at, batch in collected(entries, events.BATCH_SIZE, events.WINDOW):
            work = partial(self.publish, [each.content for each in batch])
            self.bill.run_at(at, "publish (publisher)", work)
        # A rule of the bus sends the notice that a device waits to its topic.
        published = self.bill.steps["publish (publisher)"]
        self.bill.charge("publish (publisher)", notifications=published["events"])

    def _anchor(self, batch: Iterable[StreamRecord]) -> None:
        assert self.notary.process(*(each.content for each in batch)) == []

    def _at(self, entry: dict[str, Any]) -> float:
        return self.bill.seconds_at(datetime.fromisoformat(entry["at"]["S"]))

    @staticmethod
    def _entries() -> list[dict[str, Any]]:
        return sorted(aws.items(TABLE), key=lambda item: (item["certid"]["S"], int(item["seq"]["N"])))


def count(devices: int, *, by_rule: bool, within: float) -> dict[str, Any]:
    """Return the counts of each step of a lot's onboardings, their sums, and the mean number of refused connections of
    a device. `within`: seconds in which the devices are switched on."""
    with aws.aws() as calls:
        lot = Lot(calls, Clock(), devices, by_rule=by_rule, within=within)
        with lot.bill.counting():
            lot.run()
    steps = {name: dict(counts) for name, counts in lot.bill.steps.items()}
    refused = sum(unit.attempts for unit in lot.units) / devices
    total = dict(sum(lot.bill.steps.values(), Counter()))
    return {"devices": devices, "refused_connections": refused, "steps": steps, "total": total}


if __name__ == "__main__":
    json.dump(count(int(sys.argv[1]), by_rule=sys.argv[2] == "rule", within=float(sys.argv[3])), sys.stdout)
