"""Lambda concurrency: the limit per account and Region, throttled events, and the counters."""

import contextvars
import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.ministack import concurrency
from infra.local.ministack.concurrency import LONGEST_WAIT, retrying
from infra.local.ministack.counters import Counters
from infra.local.strictness import CurrentStrictness, Strictness

THROTTLED = {"throttle": True, "error": True}


@pytest.fixture
def slots(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """MiniStack's runs in progress."""
    in_flight: dict[str, int] = {}
    monkeypatch.setattr("ministack.services.lambda_svc._inflight", in_flight)
    return in_flight


def _config(account: str, region: str = "us-east-1", name: str = "f") -> dict[str, str]:
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    return {"FunctionName": name, "FunctionArn": arn}


def test_the_limit_holds_per_account_and_region(slots: dict[str, int], tmp_path: Path) -> None:
    Strictness(lambda_concurrency=2).write(tmp_path)
    counters = Counters()

    def original(_func: Any, config: Any) -> tuple[str, None]:
        key = str(concurrency.KEY.resolve()(config))
        slots[key] = slots.get(key, 0) + 1
        return key, None

    acquire = concurrency._limiting(original, CurrentStrictness(tmp_path), counters)
    one, other, elsewhere = _config("100000000001"), _config("200000000002"), _config("100000000001", "eu-west-1")
    assert [acquire({}, each)[1] for each in (one, one, other, elsewhere)] == [None] * 4
    assert acquire({}, _config("100000000001", name="g")) == (None, "account")
    counted = json.loads(counters.to_json())["lambda"]
    assert counted["100000000001/us-east-1"]["g"]["throttled"] == 1


def test_without_a_limit_the_emulator_decides(slots: dict[str, int], tmp_path: Path) -> None:
    slots["100000000001:us-east-1:f"] = 5000
    acquire = concurrency._limiting(lambda _func, _config: ("key", None), CurrentStrictness(tmp_path), Counters())
    assert acquire({}, _config("100000000001")) == ("key", None)


def test_a_throttled_event_is_retried_with_growing_waits_until_it_runs() -> None:
    results: list[dict[str, Any]] = [*[THROTTLED] * 11, {"body": "done"}]
    waits: list[float] = []
    execute = retrying(lambda _func, _event: results.pop(0), waits.append)
    context = contextvars.copy_context()
    context.run(concurrency._is_event.set, True)
    assert context.run(execute, {}, {}) == {"body": "done"}
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, LONGEST_WAIT, LONGEST_WAIT]


def test_a_synchronous_caller_receives_the_throttle() -> None:
    assert retrying(lambda _func, _event: THROTTLED, lambda _seconds: None)({}, {}) == THROTTLED


def test_runs_are_counted_with_their_billed_milliseconds() -> None:
    counters = Counters()
    run = concurrency._counting(lambda *_arguments: {"error": True}, counters)
    run({}, _config("100000000001"), {}, "id", 0.0)
    run({}, _config("100000000001"), {}, "id", 0.0)
    counted = json.loads(counters.to_json())["lambda"]["100000000001/us-east-1"]["f"]
    assert (counted["runs"], counted["failed"], counted["throttled"]) == (2, 2, 0)
    assert counted["billed_ms"] >= 2
