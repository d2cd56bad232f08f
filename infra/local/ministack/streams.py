"""Runs event source mappings of DynamoDB streams with the error handling of AWS Lambda.

Difference from AWS: Lambda supports partial batch responses, bisection, limits for retries and record age, and an
on-failure destination (Lambda developer guide, "Process DynamoDB records with Lambda"). MiniStack retries a failing
batch without limit and ignores `batchItemFailures`.

The patch replaces MiniStack's poller. `after` is a pure function that decides what follows an invocation. The poller
runs each mapping in its own thread, so that a slow function does not delay another. It moves the read position only
after the outcome is known: a record is delivered at least once.

Unnecessary when: MiniStack supports `ReportBatchItemFailures`, `BisectBatchOnFunctionError`, `MaximumRetryAttempts`,
`MaximumRecordAgeInSeconds` and `DestinationConfig` for DynamoDB streams.
"""

import logging
import time
from collections.abc import Sequence
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
    """None: until the record expires."""
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
    """What follows an invocation. `discard` is the condition for which the batch goes to the on-failure destination."""

    progress: Progress
    discard: str | None = None
    wait: bool = False


def after(progress: Progress, rules: Rules, read: int, failed: bool, oldest_age: float) -> Step:
    """Return what follows an invocation with `read` records of the stream, the oldest `oldest_age` seconds old.
    Bisecting a batch does not count as a retry (Lambda developer guide, "Process DynamoDB records with Lambda")."""
    done = Progress(progress.position + read)
    if not failed:
        return Step(done)
    if rules.max_age is not None and oldest_age > rules.max_age:
        return Step(done, "MaxRecordAgeExceeded")
    if rules.bisect and read > 1:
        return Step(replace(progress, attempts=0, window=max(1, read // 2)), wait=progress.window is None)
    attempts = progress.attempts + 1
    if rules.retries is not None and attempts > rules.retries:
        return Step(done, "RetryAttemptsExhausted")
    return Step(replace(progress, attempts=attempts), wait=True)


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


def apply() -> None:
    """Replace MiniStack's poller."""
    POLL.wrap(lambda _original: Poller().poll)


class Poller:
    """Polls every stream mapping. MiniStack's polling thread calls `poll`."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}
        self._not_before: dict[str, float] = {}

    def poll(self) -> bool:
        """Start a batch for each idle mapping that has records. Does not wait for a function."""
        for account, region, mapping in MAPPINGS.resolve()():
            source = mapping.get("EventSourceArn", "")
            if ":dynamodb:" in source and "/stream/" in source and mapping.get("Enabled", True):
                with SCOPE.resolve()(account, region):
                    self._start(account, region, mapping, source)
        return False

    def _start(self, account: str, region: str, mapping: dict[str, Any], source: str) -> None:
        identity, table = mapping["UUID"], source.split("/")[1]
        if IN_FLIGHT.resolve().get(identity) or time.monotonic() < self._not_before.get(identity, 0):
            return
        stream = TABLE.resolve().get(table)
        function = FUNCTION.resolve()(mapping["FunctionName"], mapping.get("Qualifier"))[0]
        if not stream or stream.get("LatestStreamArn") != source or function is None:
            return
        if self._position(mapping, table) < END.resolve()(table):
            DISPATCH.resolve()(identity, self._work, account, region, mapping, function, table)

    def _position(self, mapping: dict[str, Any], table: str) -> int:
        positions, identity = POSITIONS.resolve(), mapping["UUID"]
        if identity not in positions:
            latest = mapping.get("StartingPosition", "LATEST") != "TRIM_HORIZON"
            positions[identity] = (END if latest else START).resolve()(table)
        return max(int(positions[identity]), int(START.resolve()(table)))

    def _work(self, account: str, region: str, mapping: dict[str, Any], function: Any, table: str) -> None:
        with SCOPE.resolve()(account, region):
            while mapping.get("Enabled", True) and self._batch(mapping, function, table):
                pass

    def _batch(self, mapping: dict[str, Any], function: Any, table: str) -> bool:
        """Run one invocation and apply its outcome. Return whether to continue immediately."""
        identity, rules, position = mapping["UUID"], rules_of(mapping), self._position(mapping, table)
        progress = self._progress.get(identity, Progress(position))
        progress = progress if progress.position == position else Progress(position)
        batch = SINCE.resolve()(table, position, progress.window or rules.batch_size)
        if not batch:
            return False
        matching = FILTER.resolve()(batch, mapping)
        if not matching:
            self._advance(identity, Progress(position + len(batch)))
            return True
        result = EXECUTE.resolve()(function, {"Records": matching})
        sequence = [each["dynamodb"]["SequenceNumber"] for each in matching]
        failed = first_failed(result, sequence, rules.partial)
        if failed:
            succeeded = next(i for i, each in enumerate(batch) if each["dynamodb"]["SequenceNumber"] == failed)
            if succeeded:
                progress, batch = Progress(position + succeeded), batch[succeeded:]
                matching = matching[sequence.index(failed) :]
        step = after(progress, rules, len(batch), failed is not None, _age(matching))
        if failed is not None:
            mapping["LastProcessingResult"] = "FAILED"
            log.warning("%s: %s\n%s", mapping["FunctionName"], result.get("body"), result.get("log", ""))
        if step.discard:
            SEND_FAILURE.resolve()(mapping, function, matching, mapping["EventSourceArn"], result, step.discard)
        self._advance(identity, step.progress)
        if step.wait:
            self._not_before[identity] = time.monotonic() + RETRY_SECONDS
        return not step.wait

    def _advance(self, identity: str, progress: Progress) -> None:
        POSITIONS.resolve()[identity] = progress.position
        self._progress[identity] = progress


def _age(records: Sequence[dict[str, Any]]) -> float:
    """Return the age of the oldest record in seconds."""
    now = time.time()
    return now - min(float(each["dynamodb"].get("ApproximateCreationDateTime", now)) for each in records)
