"""The decisions after an invocation with a batch of stream records."""

from contextlib import nullcontext
from typing import Any

import pytest

from infra.local.ministack import streams
from infra.local.ministack.patch_points import PatchPoint
from infra.local.ministack.streams import Lane, Progress, Rules, Step, after, first_failed, lane_of, lanes_of, rules_of

AT = Progress(10)


@pytest.mark.parametrize(
    ("progress", "rules", "failed", "step"),
    [
        (AT, Rules(), False, Step(Progress(14))),
        (AT, Rules(), True, Step(Progress(10, 1), wait=True)),
        (Progress(10, 2), Rules(retries=2), True, Step(Progress(14), "RetryAttemptsExhausted")),
        (AT, Rules(retries=0), True, Step(Progress(14), "RetryAttemptsExhausted")),
        (AT, Rules(retries=0, bisect=True), True, Step(Progress(10, 0, 2), wait=True)),
        (Progress(10, 0, 4), Rules(retries=0, bisect=True), True, Step(Progress(10, 0, 2))),
        (AT, Rules(max_age=60), True, Step(Progress(14), "MaxRecordAgeExceeded")),
        (AT, Rules(max_age=600), True, Step(Progress(10, 1), wait=True)),
    ],
    ids=["success", "unlimited", "exhausted", "no-retry", "bisect", "bisect-again", "too-old", "young"],
)
def test_the_step_after_a_batch_of_four(progress: Progress, rules: Rules, failed: bool, step: Step) -> None:
    assert after(progress, rules, 4, failed, 100.0) == step


def test_a_single_record_is_not_bisected() -> None:
    assert after(AT, Rules(retries=0, bisect=True), 1, True, 0).discard == "RetryAttemptsExhausted"


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        ({"body": None}, None),
        ({"body": {"batchItemFailures": []}}, None),
        ({"body": {"batchItemFailures": [{"itemIdentifier": "3"}, {"itemIdentifier": "2"}]}}, "2"),
        ({"body": {"batchItemFailures": [{"itemIdentifier": "9"}]}}, ""),
        ({"body": {"batchItemFailures": [{"itemIdentifier": None}]}}, ""),
        ({"body": {"batchItemFailures": ["3"]}}, ""),
        ({"body": {"errorMessage": "x"}, "error": True}, ""),
    ],
    ids=["nothing", "none", "first-of-two", "unknown", "null", "no-object", "error"],
)
def test_the_first_failed_record_is_found_and_an_invalid_report_counts_as_all(
    result: dict[str, Any], failed: str | None
) -> None:
    assert first_failed(result, ["1", "2", "3"], partial=True) == failed


def test_a_mapping_without_partial_responses_ignores_reports() -> None:
    assert first_failed({"body": {"batchItemFailures": [{"itemIdentifier": "1"}]}}, ["1"], partial=False) is None


def test_a_mapping_is_read_with_cloudformations_types() -> None:
    mapping = {"BatchSize": "5", "MaximumRetryAttempts": -1, "BisectBatchOnFunctionError": "true"}
    mapping |= {"FunctionResponseTypes": ["ReportBatchItemFailures"], "MaximumRecordAgeInSeconds": -1}
    assert rules_of(mapping) == Rules(batch_size=5, bisect=True, partial=True)


def test_a_throttled_batch_uses_up_no_attempt() -> None:
    assert after(AT, Rules(retries=0, bisect=True), 4, True, 1.0, throttled=True) == Step(AT, wait=True)
    assert after(AT, Rules(max_age=60), 4, True, 100.0, throttled=True).discard == "MaxRecordAgeExceeded"


def _record(partition: str, sort: str) -> dict[str, Any]:
    return {"dynamodb": {"Keys": {"id": {"S": partition}, "at": {"S": sort}}}}


@pytest.mark.parametrize(
    ("factor", "lanes"), [({}, 4), ({"ParallelizationFactor": 1}, 4), ({"ParallelizationFactor": "4"}, 16)]
)
def test_a_mapping_has_its_parallelization_factor_of_lanes_for_each_shard(factor: dict[str, Any], lanes: int) -> None:
    assert lanes_of({"UUID": "m"} | factor, 4) == lanes


def test_records_of_one_partition_key_are_in_one_lane() -> None:
    assert len({lane_of(_record("a", str(at)), "id", 16) for at in range(50)}) == 1


def test_partition_keys_are_spread_over_all_lanes() -> None:
    assert {lane_of(_record(str(number), "x"), "id", 16) for number in range(500)} == set(range(16))


def test_a_record_is_in_exactly_one_lane() -> None:
    lanes = [Lane({"UUID": "m"}, "t", "id", number, 16) for number in range(16)]
    assert [sum(lane.holds(_record(str(number), "x")) for lane in lanes) for number in range(20)] == [1] * 20
    assert len({lane.name for lane in lanes}) == 16


def test_a_single_lane_has_the_position_of_the_mapping_and_every_record() -> None:
    lane = Lane({"UUID": "m"}, "t", "id", 0, 1)
    assert lane.name == "m"
    assert lane.holds(_record("a", "b"))


@pytest.mark.parametrize(("records", "started"), [(0, False), (3, True)])
def test_a_poll_returns_whether_there_was_work(monkeypatch: pytest.MonkeyPatch, records: int, started: bool) -> None:
    """MiniStack pauses after a poll without work, which would delay what the function sends to a queue."""
    dispatched: list[str] = []
    mapping = {"UUID": "m", "EventSourceArn": "arn:aws:dynamodb:r:1:table/t/stream/s", "FunctionName": "f"}
    answers: dict[PatchPoint, Any] = {
        streams.MAPPINGS: lambda: [("1", "r", mapping)],
        streams.SCOPE: lambda *_: nullcontext(),
        streams.TABLE: {"t": {"LatestStreamArn": mapping["EventSourceArn"], "pk_name": "pk"}},
        streams.FUNCTION: lambda *_: ({}, {}),
        streams.POSITIONS: {},
        streams.START: lambda _table: 0,
        streams.END: lambda _table: records,
        streams.IN_FLIGHT: {},
        streams.DISPATCH: lambda name, *_: dispatched.append(name),
    }
    monkeypatch.setattr(PatchPoint, "resolve", lambda self: answers[self])
    mapping["StartingPosition"] = "TRIM_HORIZON"
    assert streams.Poller(lambda: 1).poll() is started
    assert bool(dispatched) is started
