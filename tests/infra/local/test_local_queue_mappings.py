"""Event source mappings of queues: partial failures, malformed reports, and parallel message groups."""

from typing import Any

import pytest

from infra.local.ministack import queue_mappings
from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.queue_mappings import (
    FIFO_CONCURRENCY,
    _by_group,
    _while_a_process_is_free,
    failed_messages,
)

SENT = ("a", "b", "c")


def _report(*ids: object) -> dict[str, Any]:
    return {"body": {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}}


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        ({"body": None}, set()),
        ({"body": "done"}, set()),
        (_report(), set()),
        (_report("b"), {"b"}),
        ({"body": '{"batchItemFailures": [{"itemIdentifier": "c"}]}'}, {"c"}),
        (_report(""), set(SENT)),
        (_report(None), set(SENT)),
        (_report("a", "unknown"), set(SENT)),
        ({"body": {"batchItemFailures": ["a"]}}, set(SENT)),
        ({"body": {"batchItemFailures": "a"}}, set(SENT)),
        ({"error": True, "body": {"errorMessage": "x"}}, set(SENT)),
        ({"error": True, "throttle": True}, set(SENT)),
    ],
    ids=lambda value: str(sorted(value)) if isinstance(value, set) else str(value),  # the same in every process
)
def test_only_messages_that_succeeded_are_deleted(result: dict[str, Any], failed: set[str]) -> None:
    assert failed_messages(result, SENT, partial=True) == failed


def test_without_partial_reports_the_report_is_ignored() -> None:
    assert failed_messages(_report("a"), SENT, partial=False) == set()


def _original(esm: Any, _function: Any, _config: Any, queue: Any = None) -> int:
    return 1 if (queue or {}).get("is_fifo") else int(esm.get("ScalingConfig", {}).get("MaximumConcurrency", 5))


@pytest.mark.parametrize(
    ("mapping", "fifo", "concurrent"),
    [
        ({"BatchSize": 1}, True, FIFO_CONCURRENCY),
        ({"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 40}}, True, 40),
        ({"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 2}}, True, 2),
        ({"BatchSize": 10}, True, 1),
        ({}, True, 1),
        ({"BatchSize": 1}, False, 5),
    ],
    ids=str,
)
def test_message_groups_run_in_parallel_one_message_at_a_time(
    mapping: dict[str, Any], fifo: bool, concurrent: int
) -> None:
    assert _by_group(_original)(mapping, {}, {}, {"is_fifo": fifo}) == concurrent


@pytest.mark.parametrize(
    ("running", "dispatched", "limit", "concurrent"),
    [
        (0, {}, 16, 4),
        (15, {"notary": 8, "publisher": 7}, 16, 4),
        (16, {"notary": 8, "publisher": 7}, 16, 0),
        (3, {"notary": 12, "publisher": 4}, 16, 0),
        (50, {}, 0, 4),
    ],
)
def test_messages_stay_in_their_queue_until_a_process_is_free(
    monkeypatch: pytest.MonkeyPatch, running: int, dispatched: dict[str, int], limit: int, concurrent: int
) -> None:
    """Otherwise a burst of another function's runs hides the messages of a queue for its visibility timeout."""
    answers: dict[PatchPoint, Any] = {
        queue_mappings.RUNNING: lambda: (running, {}),
        queue_mappings.DISPATCHED: dispatched,
        queue_mappings.PROCESSES: limit,
    }
    monkeypatch.setattr(PatchPoint, "resolve", lambda self: answers[self])
    mapping = {"ScalingConfig": {"MaximumConcurrency": 4}}
    assert _while_a_process_is_free(_original)(mapping, {}, {}) == concurrent
