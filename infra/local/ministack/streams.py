"""Runs event source mappings of DynamoDB streams with the error handling of AWS Lambda.

Difference from AWS: Lambda supports partial batch responses, bisection, limits for retries and record age, and an
on-failure destination (Lambda developer guide, "Process DynamoDB records with Lambda"). MiniStack retries a failing
batch without limit and ignores `batchItemFailures`.

The patch replaces MiniStack's poller. The pure function `after` decides the next step after an invocation. The poller
runs each mapping in its own thread, so that a slow function does not delay another. It moves the read position only
after the outcome is known: a record is delivered at least once. A mapping has lanes, which run in parallel:
`ParallelizationFactor` lanes for each shard, one by default. The records of one partition key are always in the same
lane. A throttled invocation is retried without using up an attempt. A batching window is ignored, so that tests do not
wait for it.

Unnecessary when: MiniStack supports `ReportBatchItemFailures`, `BisectBatchOnFunctionError`, `MaximumRetryAttempts`,
`MaximumRecordAgeInSeconds` and `DestinationConfig` for DynamoDB streams.
"""

import json
import logging
import threading
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_LAMBDA: Final = "ministack.services.lambda_svc"
_TABLES: Final = "ministack.services.dynamodb"
RETRY_SECONDS: Final = 1.0
log = logging.getLogger("local.streams")

POLL: Final = PatchPoint(_LAMBDA, "_poll_dynamodb_streams", ())
MAPPINGS: Final = PatchPoint(_LAMBDA, "_iter_all_esms", ())
FUNCTION: Final = PatchPoint(_LAMBDA, "_get_func_record_for_qualifier", ("name", "qualifier"))
EXECUTE: Final = PatchPoint(_LAMBDA, "_execute_function", ("func", "event"))
FILTER: Final = PatchPoint(_LAMBDA, "_apply_filter_criteria", ("records", "esm"))
POSITIONS: Final = PatchPoint(_LAMBDA, "_dynamodb_stream_positions")
SEND_FAILURE: Final = PatchPoint(
    _LAMBDA, "_send_ddb_stream_failure_record", ("esm", "func_rec", "batch", "stream_arn", "result", "condition")
)
IN_FLIGHT: Final = PatchPoint(_LAMBDA, "_esm_inflight")
DISPATCH: Final = PatchPoint(_LAMBDA, "_dispatch_esm_batch", ("esm_id", "fn", "args"))
TABLE: Final = PatchPoint(_TABLES, "_tables")
START: Final = PatchPoint(_TABLES, "stream_start_position", ("table_name", "account_id", "region"))
END: Final = PatchPoint(_TABLES, "stream_end_position", ("table_name", "account_id", "region"))
SINCE: Final = PatchPoint(_TABLES, "stream_records_since", ("table_name", "position", "limit", "account_id", "region"))
SCOPE: Final = PatchPoint("ministack.core.responses", "request_scope", ("account_id", "region"))
PATCH_POINTS: Final = (
    *(POLL, MAPPINGS, FUNCTION, EXECUTE, FILTER, POSITIONS, SEND_FAILURE, IN_FLIGHT, DISPATCH),
    *(TABLE, START, END, SINCE, SCOPE),
)


@dataclass(frozen=True)
class Rules:
    """The failure settings of a mapping (Lambda developer guide, "Process DynamoDB records with Lambda")."""

    batch_size: int = 100
    retries: int | None = None
    """None: retried until the record expires."""
    bisect: bool = False
    partial: bool = False
    """Whether the function reports the records that failed."""
    max_age: int | None = None
    """Seconds."""


@dataclass(frozen=True)
class Progress:
    """The state of a mapping: the next position, the failed attempts of its batch, and the size after bisection."""

    position: int
    attempts: int = 0
    window: int | None = None


@dataclass(frozen=True)
class Step:
    """The step after an invocation. `discard` is the condition for which the batch is sent to the on-failure
    destination."""

    progress: Progress
    discard: str | None = None
    wait: bool = False


def after(
    progress: Progress, rules: Rules, read: int, failed: bool, oldest_age: float, *, throttled: bool = False
) -> Step:
    """Return the step after an invocation with `read` records of the stream, the oldest `oldest_age` seconds old.
    Bisecting a batch does not count as a retry (Lambda developer guide, "Process DynamoDB records with Lambda")."""
    done = Progress(progress.position + read)
    if not failed:
        return Step(done)
    if rules.max_age is not None and oldest_age > rules.max_age:
        return Step(done, "MaxRecordAgeExceeded")
    if throttled:
        return Step(progress, wait=True)
    if rules.bisect and read > 1:
        return Step(replace(progress, attempts=0, window=max(1, read // 2)), wait=progress.window is None)
    attempts = progress.attempts + 1
    if rules.retries is not None and attempts > rules.retries:
        return Step(done, "RetryAttemptsExhausted")
    return Step(replace(progress, attempts=attempts), wait=True)


@dataclass(frozen=True)
class Lane:
    """One of the `lanes` of a mapping, with the records of some partition keys."""

    mapping: dict[str, Any]
    table: str
    partition_key: str
    number: int
    lanes: int

    @property
    def name(self) -> str:
        """The key of its position and progress. With one lane it is the mapping's."""
        identity = str(self.mapping["UUID"])
        return identity if self.lanes == 1 else f"{identity}#{self.number}"

    def holds(self, record: dict[str, Any]) -> bool:
        """Return whether the record is in this lane."""
        return self.lanes == 1 or lane_of(record, self.partition_key, self.lanes) == self.number


def lane_of(record: dict[str, Any], partition_key: str, lanes: int) -> int:
    """Return the lane of a record. It depends only on the partition key."""
    key = json.dumps(record["dynamodb"]["Keys"].get(partition_key), sort_keys=True)
    return zlib.crc32(key.encode()) % lanes


def first_failed(result: dict[str, Any], sequence: Sequence[str], partial: bool) -> str | None:
    """Return the sequence number of the first failed record: None if none failed, "" if all did. A report with an
    unknown record counts as a failure of all."""
    if result.get("error") or result.get("throttle"):
        return ""
    body = result.get("body")
    reported = body.get("batchItemFailures") if partial and isinstance(body, dict) else None
    if not reported:
        return None
    failed = {str(each.get("itemIdentifier")) if isinstance(each, dict) else "" for each in reported}
    if not failed <= set(sequence):
        return ""
    return next(number for number in sequence if number in failed)


def rules_of(mapping: dict[str, Any]) -> Rules:
    """Return the failure settings of an event source mapping."""
    retries, age = mapping.get("MaximumRetryAttempts"), mapping.get("MaximumRecordAgeInSeconds")
    return Rules(
        batch_size=int(mapping.get("BatchSize") or 100),
        retries=None if retries is None or int(retries) < 0 else int(retries),
        bisect=str(mapping.get("BisectBatchOnFunctionError", False)).lower() == "true",
        partial="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
        max_age=None if age is None or int(age) < 0 else int(age),
    )


def lanes_of(mapping: dict[str, Any], shards: int) -> int:
    """Return how many batches a mapping processes at a time (Lambda developer guide, "Processing DynamoDB records with
    Lambda": `ParallelizationFactor` batches of each shard)."""
    return shards * int(mapping.get("ParallelizationFactor") or 1)


def apply(shards: Callable[[], int]) -> None:
    """Replace MiniStack's poller. `shards` returns the number of shards of a stream."""
    POLL.wrap(lambda _original: Poller(shards).poll)


class Poller:
    """Polls every stream mapping. MiniStack's polling thread calls `poll`."""

    def __init__(self, shards: Callable[[], int]) -> None:
        self._shards = shards
        self._progress: dict[str, Progress] = {}
        self._not_before: dict[str, float] = {}
        self._advancing = threading.Lock()

    def poll(self) -> bool:
        """Start a batch for each idle lane that has records. Return whether there is one: MiniStack then polls its
        queues again immediately, otherwise after a pause. Does not wait for the functions."""
        started = False
        for account, region, mapping in MAPPINGS.resolve()():
            source = mapping.get("EventSourceArn", "")
            if ":dynamodb:" in source and "/stream/" in source and mapping.get("Enabled", True):
                with SCOPE.resolve()(account, region):
                    started = self._start(account, region, mapping, source) or started
        return started

    def _start(self, account: str, region: str, mapping: dict[str, Any], source: str) -> bool:
        table, started = source.split("/")[1], False
        stream = TABLE.resolve().get(table)
        function = FUNCTION.resolve()(mapping["FunctionName"], mapping.get("Qualifier"))[0]
        if not stream or stream.get("LatestStreamArn") != source or function is None:
            return False
        lanes, end = lanes_of(mapping, self._shards()), END.resolve()(table)
        for number in range(lanes):
            lane = Lane(mapping, table, stream["pk_name"], number, lanes)
            busy = IN_FLIGHT.resolve().get(lane.name) or time.monotonic() < self._not_before.get(lane.name, 0)
            if not busy and self._position(lane) < end:
                DISPATCH.resolve()(lane.name, self._work, account, region, lane, function)
                started = True
        return started

    def _position(self, lane: Lane) -> int:
        """Return the next position of a lane. The mapping's own position is the position of its slowest lane."""
        positions, identity = POSITIONS.resolve(), lane.mapping["UUID"]
        if identity not in positions:
            latest = lane.mapping.get("StartingPosition", "LATEST") != "TRIM_HORIZON"
            positions[identity] = (END if latest else START).resolve()(lane.table)
        own = positions.get(lane.name, 0)
        return max(int(own), int(positions[identity]), int(START.resolve()(lane.table)))

    def _work(self, account: str, region: str, lane: Lane, function: Any) -> None:
        with SCOPE.resolve()(account, region):
            while self._is_current(lane) and self._batch(lane, function):
                pass

    def _is_current(self, lane: Lane) -> bool:
        """Return whether the mapping is enabled and still has as many lanes."""
        return lane.mapping.get("Enabled", True) and lanes_of(lane.mapping, self._shards()) == lane.lanes

    def _batch(self, lane: Lane, function: Any) -> bool:
        """Run one invocation and apply its outcome. Return whether to continue immediately."""
        mapping, rules, position = lane.mapping, rules_of(lane.mapping), self._position(lane)
        progress = self._progress.get(lane.name, Progress(position))
        progress = progress if progress.position == position else Progress(position)
        batch = SINCE.resolve()(lane.table, position, progress.window or rules.batch_size)
        if not batch:
            return False
        matching = FILTER.resolve()([record for record in batch if lane.holds(record)], mapping)
        if not matching:
            self._advance(lane, Progress(position + len(batch)))
            return True
        result = EXECUTE.resolve()(function, {"Records": matching})
        sequence = [each["dynamodb"]["SequenceNumber"] for each in matching]
        failed = first_failed(result, sequence, rules.partial)
        if failed:
            succeeded = next(i for i, each in enumerate(batch) if each["dynamodb"]["SequenceNumber"] == failed)
            if succeeded:
                progress, batch = Progress(position + succeeded), batch[succeeded:]
                matching = matching[sequence.index(failed) :]
        throttled = bool(result.get("throttle"))
        step = after(progress, rules, len(batch), failed is not None, _age(matching), throttled=throttled)
        if failed is not None:
            mapping["LastProcessingResult"] = "FAILED"
            log.warning("%s: %s\n%s", mapping["FunctionName"], result.get("body"), result.get("log", ""))
        if step.discard:
            SEND_FAILURE.resolve()(mapping, function, matching, mapping["EventSourceArn"], result, step.discard)
        self._advance(lane, step.progress)
        if step.wait:
            self._not_before[lane.name] = time.monotonic() + RETRY_SECONDS
        return not step.wait

    def _advance(self, lane: Lane, progress: Progress) -> None:
        positions = POSITIONS.resolve()
        with self._advancing:
            positions[lane.name] = progress.position
            self._progress[lane.name] = progress
            others = (replace(lane, number=number) for number in range(lane.lanes) if number != lane.number)
            positions[lane.mapping["UUID"]] = min([progress.position, *map(self._position, others)])


def _age(records: Sequence[dict[str, Any]]) -> float:
    """Return the age of the oldest record in seconds."""
    now = time.time()
    return now - min(float(each["dynamodb"].get("ApproximateCreationDateTime", now)) for each in records)
