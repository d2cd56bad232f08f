"""Counts what AWS bills for one onboarding with the code of one revision, and prints it as a JSON object.

`onboarding_cost` runs this file with the code of two revisions, so it imports only what both have. Every Lambda's code
runs warm on moto. Write units are computed from the items and the index entries before and after each call (DynamoDB
developer guide, "Write request units", "Global secondary indexes", "Transactions"), because moto does not report them.
"""

import importlib
import io
import json
import logging
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from botocore.client import BaseClient
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from commissioner.lambdas.bell import Bell
from lobby import connections
from lobby.ledger.models import MODELS
from tests import aws
from tests.aws import Clock
from tests.bench.capacity import READ_UNIT, item_bytes
from tests.functional.commissioner.lobby_with_targets import A
from tests.functional.lobby.notary_fixture import NotaryFixture, inserted, items


def _first(*names: str) -> Any:
    """Import the first of these modules that exists, or return None: earlier revisions have other folders."""
    for name in names:
        with suppress(ModuleNotFoundError):
            return importlib.import_module(name)
    return None


domain_lanes: Any = _first("lobby.domain.lanes.lane", "lobby.domain.lanes")
lane_rows: Any = _first("lobby.ledger.lanes.lane_register", "lobby.ledger.lanes")
connected: Any = _first("lobby.ledger.connections.device_connections", "lobby.ledger.device_connections")
warm: Any = _first("tests.bench.warm_lambdas", "tests.bench.test_onboarding_calls")
"""The Lambdas; where the base revision has them."""
WRITE_UNIT: Final = 1024
_WRITES: Final = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")
_REGISTRY: Final = ("CreateThing", "AttachThingPrincipal", "UpdateThing", "DescribeThing", "AddThingToThingGroup")
"""Calls that AWS bills as operations of the registry ("AWS IoT Core additional metering details")."""
Item = dict[str, Any]
Written = list[tuple[str, Item | None]]


class Schema:
    """The keys of each table, and the keys and projected attributes of its indexes."""

    def __init__(self) -> None:
        schemas = {str(model.Meta.table_name): model._get_schema() for model in MODELS}
        self.keys = {name: _names(schema["key_schema"]) for name, schema in schemas.items()}
        self.indexes = {name: list(self._indexes(name, schema)) for name, schema in schemas.items()}

    def _indexes(self, table: str, schema: Any) -> Iterator[tuple[list[str], set[str]]]:
        for index in schema["global_secondary_indexes"]:
            keys = _names(index["key_schema"])
            projected = index["projection"].get("NonKeyAttributes") or ()
            yield keys, {*keys, *self.keys[table], *projected}

    def write_units(self, table: str, before: Item | None, after: Item | None, *, transactional: bool) -> int:
        """Return the units of a write of one item, with its indexes. A transaction writes each item twice, but not the
        indexes."""
        item = max(_units(before), _units(after), 1) * (2 if transactional else 1)
        return item + sum(_index_units(*index, before, after) for index in self.indexes[table])


def _names(schema: Any) -> list[str]:
    return [str(key["AttributeName"]) for key in schema]


def _units(item: Item | None) -> int:
    return math.ceil(item_bytes(item) / WRITE_UNIT) if item else 0


def _index_units(keys: list[str], projected: set[str], before: Item | None, after: Item | None) -> int:
    """Return the units of an index: a changed key is a deletion and a new entry."""
    old, new = (_entry(keys, projected, item) for item in (before, after))
    if old and new and [old[key] for key in keys] != [new[key] for key in keys]:
        return _units(old) + _units(new)
    return max(_units(old), _units(new)) if old != new else 0


def _entry(keys: list[str], projected: set[str], item: Item | None) -> Item | None:
    if item is None or not all(key in item for key in keys):
        return None
    return {name: value for name, value in item.items() if name in projected}


class Bill:
    """Counts for one step after the other, a second apart."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.schema, self.steps = Schema(), dict[str, Counter[str]]()
        self._now: Counter[str] = Counter()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the calls of every client."""
        original = BaseClient._make_api_call  # type: ignore[attr-defined]  # PynamoDB and boto3 both use it
        bill = self

        def make_api_call(client: BaseClient, operation: str, params: Item) -> Any:
            before, response = bill.items(operation, params), original(client, operation, params)
            bill.add(client.meta.service_model.service_name, operation, params, response, before)
            return response

        BaseClient._make_api_call = make_api_call  # type: ignore[attr-defined]
        try:
            yield
        finally:
            BaseClient._make_api_call = original  # type: ignore[attr-defined]

    def items(self, operation: str, params: Item) -> Written:
        """Return the items that a call writes, each with its table."""
        written = _written(operation, params) if operation in _WRITES else ()
        return [(table, stored(table, [key[name] for name in self.schema.keys[table]])) for table, key in written]

    def add(self, service: str, operation: str, params: Item, response: Any, before: Written) -> None:
        self._now["calls"] += 1
        transactional = operation == "TransactWriteItems"
        for (table, old), (_, new) in zip(before, self.items(operation, params), strict=True):
            self._now["write_units"] += self.schema.write_units(table, old, new, transactional=transactional)
        if operation in ("GetItem", "BatchGetItem", "Query"):
            self._now.update({"read_units": _read_units(operation, params, response)})
        self._now["puts"] += operation == "PutObject"
        self._now["registry"] += operation in _REGISTRY
        self._now["events"] += len(params["Entries"]) if operation == "PutEvents" else 0
        if service == "sqs":
            self._now["fifo_requests" if str(params.get("QueueUrl")).endswith(".fifo") else "queue_requests"] += 1

    def run(self, step: str, work: Callable[[], object], *, after: float = 1, **billed: int) -> None:
        """Count one run of a Lambda, `after` seconds, with its calls and log lines, and what AWS bills in addition."""
        self._clock.advance(seconds=after)
        self._now = Counter()
        with _logged() as log:
            work()
        lines = [line for line in log.getvalue().splitlines() if line.startswith("{")]
        self._now.update(runs=1, log_lines=len(lines), log_line_bytes=sum(len(line.encode()) for line in lines))
        self._now.update(billed)
        self.steps[step] = self.steps.get(step, Counter()) + self._now


@contextmanager
def _logged() -> Iterator[io.StringIO]:
    """Collect the log lines of the Lambdas."""
    log = io.StringIO()
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    handlers = [each for logger in loggers for each in logger.handlers if isinstance(each, logging.StreamHandler)]
    streams = [(handler, handler.setStream(log)) for handler in handlers]
    try:
        yield log
    finally:
        for handler, stream in streams:
            if stream is not None:
                handler.setStream(stream)


def _written(operation: str, params: Item) -> Iterator[tuple[str, Item]]:
    if operation == "BatchWriteItem":
        for table, requests in params["RequestItems"].items():
            yield from ((table, request["PutRequest"]["Item"]) for request in requests)
        return
    parts: Iterable[Item] = (
        [next(iter(each.values())) for each in params["TransactItems"]]
        if operation == "TransactWriteItems"
        else [params]
    )
    for part in parts:
        yield str(part["TableName"]), part.get("Key") or part["Item"]


def stored(table: str, key: list[Item]) -> Item | None:
    """Return the item with these values of its key."""
    rows: Any = dynamodb_backends[aws.LOBBY][aws.REGION].get_table(table)
    found = rows.get_item(*map(DynamoType, key))
    return dict(found.to_json()["Attributes"]) if found else None


def _read_units(operation: str, params: Item, response: Any) -> float:
    if operation == "Query":
        return max(1, math.ceil(sum(map(item_bytes, response["Items"])) / READ_UNIT)) * _rate(params)
    found, asked = [response["Item"]] if "Item" in response else [], params
    for table, rows in response.get("Responses", {}).items():
        found, asked = found + rows, params["RequestItems"][table]
    return (sum(math.ceil(item_bytes(item) / READ_UNIT) for item in found) or 1) * _rate(asked)


def _rate(asked: Item) -> float:
    return 1.0 if asked.get("ConsistentRead") else 0.5


def _clone_watch(ledger: Any) -> list[Any]:
    return [_first("tests.clone_watches").clone_watch(ledger)] if _first("lobby.clone_watch") else []


def onboard(bill: Bill, lambdas: Any, clock: Clock) -> None:
    """Run every Lambda of one onboarding, claimed while it waits. `messages` are MQTT packets and HTTP publishes that
    AWS bills; a message in a queue is three requests, of which the mapping makes two."""
    recorder = connections.ConnectionRecorder(lambdas.ledger, connected.Connections(), *_clone_watch(lambdas.ledger))
    aws.client("sqs").create_queue(QueueName="device-lobby-express.fifo", Attributes={"FifoQueue": "true"})
    bell = Bell(aws.client("sqs"), aws.ENVIRONMENT["LANES_QUEUE"], aws.ENVIRONMENT["EXPRESS_QUEUE"])
    start_workers = getattr(bell, "start_workers", None) or getattr(bell, "ring")  # noqa: B009  # earlier revisions
    notary, steps = NotaryFixture(lambdas.ledger, clock), lambdas.onboarding()
    lane, lanes = domain_lanes.lane_to(A), lane_rows.Lanes(clock)

    def lifecycle(kind: str) -> None:
        event = {"event": kind, "certid": warm.GOOD_ID, "devicename": warm.NAME, "session": "s", "version": 0}
        connections.handler(event | {"at": int(clock().timestamp() * 1000)}, None, recorder)

    def entries(first: int, last: int) -> list[Item]:
        return inserted([item for item in items(warm.GOOD_ID) if first <= int(item["seq"]["N"]) <= last])

    def anchor(first: int, last: int) -> None:
        assert notary.process(*entries(first, last)) == []

    def work() -> None:
        assert lanes.acquire(lane, "worker") is not None
        steps["commissioner"]()
        assert _returns_lease(lanes, lane)

    # The notary's mapping collects the two entries of an admission, and the three of a claim. Before, it did not.
    is_collected = getattr(_first("infra.parts.notary", "infra.notary"), "WINDOW", 0) > 0
    together = [(1, 2), (3, 5)] if is_collected else [(seq, seq) for seq in range(1, 6)]
    bill.run("admit (bouncer)", steps["bouncer"], rules=1, actions=1, queue_requests=3)
    bill.run("connect (connections)", lambda: lifecycle("connected"), rules=1, actions=1, messages=2)
    bill.run("first hello (receptionist)", steps["receptionist"], rules=1, actions=1)
    bill.run("claim (API)", steps["claim"], api_requests=1)
    bill.run("start the lane (bell)", lambda: start_workers([lambdas.lobby.record(warm.GOOD_ID)]), fifo_requests=2)
    bill.run("commission (commissioner)", work, messages=3)
    bill.run("disconnect (connections)", lambda: lifecycle("disconnected"), rules=1, actions=1)
    # A lookup is billed as an action and a DescribeThing call.
    lookup = int(_first("lobby.domain.targets.target_rules", "lobby.domain.target_rules") is not None)
    arrival = {"rules": 1, "actions": 1 + lookup, "registry": lookup, "messages": 2, "notifications": 1}
    bill.run("arrive (arrivals)", steps["arrivals"], queue_requests=3, **arrival)
    publish = publisher_of(lambdas, clock)
    for first, last in together:
        clock.advance(seconds=60)  # a device by itself finds nothing in the caches of the run before
        bill.run("anchor the history (notary)", lambda first=first, last=last: anchor(first, last))  # type: ignore[misc]
        if publish:
            # A rule of the bus sends the notice that the device waits to its topic.
            notified = {"notifications": 1} if first == 1 else {}
            bill.run("publish (publisher)", lambda first=first, last=last: publish(entries(first, last)), **notified)  # type: ignore[misc]


def _returns_lease(lanes: Any, lane: str) -> bool:
    if hasattr(lanes, "finish"):
        return bool(lanes.finish(lane, "worker", lane_rows.WorkerReport(9.0)))
    return bool(lanes.end(lane, "worker", 9.0, None, finished=True))


def publisher_of(lambdas: Any, clock: Clock) -> Callable[[list[Item]], None] | None:
    """Return the publisher of the entries in stream records, or None for code of an earlier version without events."""
    module = _first("lobby.publisher")
    if module is None:
        return None
    events = aws.client("events")
    events.create_event_bus(Name="device-lobby")
    notices = _first("infra.monitoring.notices", "infra.notices")
    for each in notices.Notice:
        pattern = json.dumps(notices.pattern_of(each))
        events.put_rule(Name=each.value, EventBusName="device-lobby", EventPattern=pattern)
    wanted = _first("lobby.aws.bus_rules").BusRules(events, "device-lobby").wanted
    bus = module.EventBus(events, "device-lobby", wanted, lambda _attempt: None)
    failures = module.Failures(lambda: aws.client("sqs"), aws.ENVIRONMENT["UNDELIVERED_QUEUE"])
    subscribers = module.Subscribers(
        module.RecentWebhooks(module.Webhooks(clock), clock),
        module.WebhookQueue(lambda: aws.client("sqs"), aws.ENVIRONMENT["WEBHOOKS_QUEUE"]),
    )
    publisher = module.Publisher(
        bus, subscribers, module.ActivityLog(), failures, lambdas.ledger, f"{aws.LOBBY}/{aws.REGION}", clock
    )

    def publish(records: list[Item]) -> None:
        assert publisher.process(records) == {"batchItemFailures": []}

    return publish


def count() -> dict[str, Any]:
    """Return the counts of each step of an onboarding, and their sums."""
    clock = Clock()
    with aws.aws() as calls:
        lambdas, bill = warm.Lambdas(calls, clock), Bill(clock)
        with bill.counting():
            onboard(bill, lambdas, clock)
    steps = {name: dict(counts) for name, counts in bill.steps.items()}
    return {"steps": steps, "total": dict(sum(bill.steps.values(), Counter()))}


if __name__ == "__main__":
    json.dump(count(), sys.stdout)
