"""Runs the event source mappings of SQS queues as AWS Lambda does.

Differences from AWS (Lambda developer guide, "Using Lambda with Amazon SQS"):
- The message groups of a FIFO queue are processed in parallel, each in order. MiniStack processes one batch at a time.
  With `BatchSize` 1, a batch never spans groups, and SQS itself keeps only one message of a group in flight.
- Pollers wait for messages all the time. All mappings share MiniStack's single poller. When it is triggered and finds
  no message, which is frequent while others work, it pauses for 50 ms. Here the pause is `PAUSE_SECONDS`.
- A report of failed messages with an empty or unknown id fails the whole batch. MiniStack deletes the whole batch.
- A message waits in its queue until a process is free. MiniStack receives it first, and then throttles the run at its
  limit of processes. The message then stays hidden for the visibility timeout of the queue.

Standard queues, `MaximumConcurrency` and partial batch failures work in MiniStack as on AWS.

Unnecessary when: MiniStack splits FIFO batches by message group, checks the ids in a report, receives messages only
while it can start a run, and triggers its poller only for sources that have a mapping.
"""

import importlib
import json
import logging
import time
from collections.abc import Callable, Collection
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_LAMBDA: Final = "ministack.services.lambda_svc"
log = logging.getLogger("local.queue_mappings")

CONCURRENCY: Final = PatchPoint(_LAMBDA, "_sqs_esm_concurrency", ("esm", "func_rec", "config", "queue"))
BATCH: Final = PatchPoint(_LAMBDA, "_run_sqs_batch", ("esm", "func_rec", "event", "batch", "queue_url", "queue_name"))
EXECUTE: Final = PatchPoint(_LAMBDA, "_execute_function", ("func", "event"))
BACKOFF: Final = PatchPoint(_LAMBDA, "_esm_backoff_until")
DELETE: Final = PatchPoint("ministack.services.sqs", "_delete_messages_for_esm", ("queue_url", "receipt_handles"))
PAUSE: Final = PatchPoint(_LAMBDA, "_ESM_IDLE_WAKE_GAP_SECONDS")
RUNNING: Final = PatchPoint(_LAMBDA, "executions_in_flight", ())
DISPATCHED: Final = PatchPoint(_LAMBDA, "_esm_inflight")
PROCESSES: Final = PatchPoint(_LAMBDA, "_ACCOUNT_CONCURRENCY_CAP")
PATCH_POINTS: Final = (CONCURRENCY, BATCH, EXECUTE, BACKOFF, DELETE, PAUSE, RUNNING, DISPATCHED, PROCESSES)
PAUSE_SECONDS: Final = 0.01
FIFO_CONCURRENCY: Final = 10
"""Message groups in parallel for a mapping without `MaximumConcurrency`."""
BACKOFF_SECONDS: Final = 1.0
_REPORT: Final = "ReportBatchItemFailures"


def apply() -> None:
    """Process message groups in parallel, wait for a free process, check reports, and shorten the pause."""
    CONCURRENCY.wrap(_by_group)
    CONCURRENCY.wrap(_while_a_process_is_free)
    BATCH.wrap(lambda _original: run_batch)
    setattr(importlib.import_module(PAUSE.module), PAUSE.name, PAUSE_SECONDS)


def _by_group(original: Callable[..., int]) -> Callable[..., int]:
    def concurrency(esm: Any, func_rec: Any, config: Any, queue: Any = None) -> int:
        if (queue or {}).get("is_fifo") and int(esm.get("BatchSize") or 10) == 1:
            limit = original(esm, func_rec, config, None)
            return limit if (esm.get("ScalingConfig") or {}).get("MaximumConcurrency") else max(limit, FIFO_CONCURRENCY)
        return original(esm, func_rec, config, queue)

    return concurrency


def _while_a_process_is_free(original: Callable[..., int]) -> Callable[..., int]:
    def concurrency(esm: Any, func_rec: Any, config: Any, queue: Any = None) -> int:
        return original(esm, func_rec, config, queue) if _has_free_process() else 0

    return concurrency


def _has_free_process() -> bool:
    """Return whether a run can start. A batch that was received a moment ago may not be running yet."""
    limit, running = int(PROCESSES.resolve()), int(RUNNING.resolve()()[0])
    return limit <= 0 or max(running, sum(list(DISPATCHED.resolve().values()))) < limit


def run_batch(esm: Any, func_rec: Any, event: Any, batch: Any, queue_url: str, queue_name: str) -> None:
    """Invoke the function with a batch and delete the messages that it has processed. The others become visible again
    after the queue's visibility timeout, or the one that the function has set."""
    result = EXECUTE.resolve()(func_rec, event)
    sent = {record["messageId"] for record in event["Records"]}
    failed = failed_messages(result, sent, _REPORT in (esm.get("FunctionResponseTypes") or []))
    if result.get("log"):
        log.info("%s: %s", esm["FunctionName"], result["log"])
    if failed:
        counts = f"{len(failed)} of {len(batch)} messages of {queue_name} failed"
        log.warning("%s: %s: %s", esm["FunctionName"], counts, result.get("body"))
    if failed == sent:
        esm["LastProcessingResult"] = "FAILED"
        BACKOFF.resolve()[esm["UUID"]] = time.time() + BACKOFF_SECONDS
    else:
        esm["LastProcessingResult"] = f"OK - {len(batch) - len(failed)} records"
        BACKOFF.resolve().pop(esm["UUID"], None)
    # A message that the filter excluded is in the batch but was not sent: it is deleted.
    DELETE.resolve()(queue_url, {each["receipt_handle"] for each in batch if each["id"] not in failed})


def failed_messages(result: dict[str, Any], sent: Collection[str], partial: bool) -> set[str]:
    """Return the ids of the messages that failed. A malformed report counts as a failure of all."""
    if result.get("error") or result.get("throttle"):
        return set(sent)
    body = result.get("body")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            body = None
    reported = body.get("batchItemFailures") if partial and isinstance(body, dict) else None
    if not reported:
        return set()
    if not isinstance(reported, list):
        return set(sent)
    failed = {str(each.get("itemIdentifier")) if isinstance(each, dict) else "" for each in reported}
    return failed if failed <= set(sent) else set(sent)
