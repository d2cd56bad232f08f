"""DynamoDB stream mappings as AWS Lambda runs them: partial batches, bisection, bounded retries, an on-failure queue.

MiniStack retries a failing batch for ever and reads no `batchItemFailures`. What to do after an invocation is a pure
function here; the poller around it works each mapping in a thread of its own, so that a slow function holds up no
other. The read position moves only after the outcome is known: a record is delivered at least once.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from infra.local.ministack.patch_points import Seam

_LAMBDA: Final = "ministack.services.lambda_svc"
_TABLES: Final = "ministack.services.dynamodb"
RETRY_SECONDS: Final = 1.0
log = logging.getLogger("local.streams")

POLL: Final = Seam(_LAMBDA, "_poll_dynamodb_streams", ())
MAPPINGS: Final = Seam(_LAMBDA, "_iter_all_esms", ())
FUNCTION: Final = Seam(_LAMBDA, "_get_func_record_for_qualifier", ("name", "qualifier"))
EXECUTE: Final = Seam(_LAMBDA, "_execute_function", ("func", "event"))
FILTER: Final = Seam(_LAMBDA, "_apply_filter_criteria", ("records", "esm"))
POSITIONS: Final = Seam(_LAMBDA, "_dynamodb_stream_positions")
FAILED: Final = Seam(
    _LAMBDA, "_send_ddb_stream_failure_record", ("esm", "func_rec", "batch", "stream_arn", "result", "condition")
)
IN_FLIGHT: Final = Seam(_LAMBDA, "_esm_inflight")
DISPATCH: Final = Seam(_LAMBDA, "_dispatch_esm_batch", ("esm_id", "fn", "args"))
TABLE: Final = Seam(_TABLES, "_tables")
START: Final = Seam(_TABLES, "stream_start_position", ("table_name", "account_id", "region"))
END: Final = Seam(_TABLES, "stream_end_position", ("table_name", "account_id", "region"))
SINCE: Final = Seam(_TABLES, "stream_records_since", ("table_name", "position", "limit", "account_id", "region"))
SCOPE: Final = Seam("ministack.core.responses", "request_scope", ("account_id", "region"))
SEAMS: Final = (
    *(POLL, MAPPINGS, FUNCTION, EXECUTE, FILTER, POSITIONS, FAILED, IN_FLIGHT, DISPATCH),
    *(TABLE, START, END, SINCE, SCOPE),
)


@dataclass(frozen=True)
class Rules:
    """What a mapping says about failures (AWS Lambda developer guide, "Configuring stream processing")."""

    batch_size: int = 100
    retries: int | None = None
    """None: until the record expires."""
    bisect: bool = False
    partial: bool = False
    max_age: int | None = None
    """Seconds."""


@dataclass(frozen=True)
class Progress:
    """Where a mapping stands: the next position, how often its batch has failed, and the size it was cut down to."""

    position: int
    attempts: int = 0
    window: int | None = None


@dataclass(frozen=True)
class Step:
    """What follows an invocation. `discard` is the condition by which the batch goes to the on-failure target."""

    progress: Progress
    discard: str | None = None
    wait: bool = False


def after(progress: Progress, rules: Rules, read: int, failed: bool, oldest_age: float) -> Step:
    """Decide what follows an invocation with `read` records of the stream, the oldest of them `oldest_age` seconds old.
    Splitting a batch does not count as a retry (developer guide, "Configuring stream processing")."""
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
    """Which record failed first: None for none, "" for all. A report of an unknown record counts as all."""
    if result.get("error") or result.get("throttle"):
        return ""
    body = result.get("body")
    reported = body.get("batchItemFailures") if partial and isinstance(body, dict) else None
    if not reported:
        return None
    named = {str(each.get("itemIdentifier")) if isinstance(each, dict) else "" for each in reported}
    if not named <= set(sequence):
        return ""
    return next(number for number in sequence if number in named)


def rules_of(mapping: dict[str, Any]) -> Rules:
    retries, age = mapping.get("MaximumRetryAttempts"), mapping.get("MaximumRecordAgeInSeconds")
    return Rules(
        batch_size=int(mapping.get("BatchSize") or 100),
        retries=None if retries is None or int(retries) < 0 else int(retries),
        bisect=str(mapping.get("BisectBatchOnFunctionError", False)).lower() == "true",
        partial="ReportBatchItemFailures" in (mapping.get("FunctionResponseTypes") or []),
        max_age=None if age is None or int(age) < 0 else int(age),
    )


def apply() -> None:
    """Put our poller in the place of MiniStack's."""
    POLL.wrap(lambda _original: Poller().poll)


class Poller:
    """Looks at every stream mapping, as MiniStack's polling thread asks for it."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}
        self._not_before: dict[str, float] = {}

    def poll(self) -> bool:
        """Start a batch for each mapping that has records and is idle. Never blocks on a function."""
        for account, region, mapping in MAPPINGS.found()():
            source = mapping.get("EventSourceArn", "")
            if ":dynamodb:" in source and "/stream/" in source and mapping.get("Enabled", True):
                with SCOPE.found()(account, region):
                    self._start(account, region, mapping, source)
        return False

    def _start(self, account: str, region: str, mapping: dict[str, Any], source: str) -> None:
        identity, table = mapping["UUID"], source.split("/")[1]
        if IN_FLIGHT.found().get(identity) or time.monotonic() < self._not_before.get(identity, 0):
            return
        stream = TABLE.found().get(table)
        function = FUNCTION.found()(mapping["FunctionName"], mapping.get("Qualifier"))[0]
        if not stream or stream.get("LatestStreamArn") != source or function is None:
            return
        if self._position(mapping, table) < END.found()(table):
            DISPATCH.found()(identity, self._work, account, region, mapping, function, table)

    def _position(self, mapping: dict[str, Any], table: str) -> int:
        positions, identity = POSITIONS.found(), mapping["UUID"]
        if identity not in positions:
            latest = mapping.get("StartingPosition", "LATEST") != "TRIM_HORIZON"
            positions[identity] = (END if latest else START).found()(table)
        return max(int(positions[identity]), int(START.found()(table)))

    def _work(self, account: str, region: str, mapping: dict[str, Any], function: Any, table: str) -> None:
        with SCOPE.found()(account, region):
            while mapping.get("Enabled", True) and self._batch(mapping, function, table):
                pass

    def _batch(self, mapping: dict[str, Any], function: Any, table: str) -> bool:
        """One invocation and its outcome. Whether to go on at once."""
        identity, rules, position = mapping["UUID"], rules_of(mapping), self._position(mapping, table)
        progress = self._progress.get(identity, Progress(position))
        progress = progress if progress.position == position else Progress(position)
        batch = SINCE.found()(table, position, progress.window or rules.batch_size)
        if not batch:
            return False
        kept = FILTER.found()(batch, mapping)
        if not kept:
            self._advance(identity, Progress(position + len(batch)))
            return True
        result = EXECUTE.found()(function, {"Records": kept})
        sequence = [each["dynamodb"]["SequenceNumber"] for each in kept]
        failed = first_failed(result, sequence, rules.partial)
        if failed:
            done = next(i for i, each in enumerate(batch) if each["dynamodb"]["SequenceNumber"] == failed)
            if done:
                progress, batch = Progress(position + done), batch[done:]
                kept = kept[sequence.index(failed) :]
        step = after(progress, rules, len(batch), failed is not None, _age(kept))
        if failed is not None:
            mapping["LastProcessingResult"] = "FAILED"
            log.warning("%s: %s\n%s", mapping["FunctionName"], result.get("body"), result.get("log", ""))
        if step.discard:
            FAILED.found()(mapping, function, kept, mapping["EventSourceArn"], result, step.discard)
        self._advance(identity, step.progress)
        if step.wait:
            self._not_before[identity] = time.monotonic() + RETRY_SECONDS
        return not step.wait

    def _advance(self, identity: str, progress: Progress) -> None:
        POSITIONS.found()[identity] = progress.position
        self._progress[identity] = progress


def _age(records: Sequence[dict[str, Any]]) -> float:
    now = time.time()
    return now - min(float(each["dynamodb"].get("ApproximateCreationDateTime", now)) for each in records)
