"""Limits concurrent Lambda runs per account and Region, retries throttled events, and counts runs.

Difference from AWS: the concurrency quota holds per account and Region (Lambda developer guide, "Lambda quotas": 1,000,
less for new accounts). A throttled asynchronous event returns to Lambda's queue and is retried for up to six hours,
independently of the retries after errors ("Invoking a Lambda function asynchronously"). MiniStack has one limit for all
accounts, and a throttled event uses up its retries.

Unnecessary when: MiniStack limits concurrency per account and Region and retries throttled events as AWS does.
"""

import contextvars
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from infra.local.ministack.counters import Counters
from infra.local.ministack.patch_points import PatchPoint
from infra.local.strictness import CurrentStrictness

_LAMBDA: Final = "ministack.services.lambda_svc"
ACQUIRE: Final = PatchPoint(_LAMBDA, "_acquire_execution_slot", ("func", "config"))
IN_FLIGHT: Final = PatchPoint(_LAMBDA, "_inflight")
KEY: Final = PatchPoint(_LAMBDA, "_inflight_key", ("config",))
RUN: Final = PatchPoint(_LAMBDA, "_execute_function_dispatch", ("func", "config", "event", "request_id", "started"))
EXECUTE: Final = PatchPoint(_LAMBDA, "_execute_function", ("func", "event"))
ASYNCHRONOUS: Final = PatchPoint(_LAMBDA, "invoke_async_with_retry", ("func", "event"))
PATCH_POINTS: Final = (ACQUIRE, IN_FLIGHT, KEY, RUN, EXECUTE, ASYNCHRONOUS)
FIRST_WAIT: Final = 1.0
"""Seconds before the first retry of a throttled event ("Invoking a Lambda function asynchronously")."""
LONGEST_WAIT: Final = 300.0
_is_event: contextvars.ContextVar[bool] = contextvars.ContextVar("is_event", default=False)
"""Whether the current invocation is asynchronous."""


def apply(current: CurrentStrictness, counters: Counters) -> None:
    """Limit, retry and count."""
    ACQUIRE.wrap(lambda original: _limiting(original, current, counters))
    RUN.wrap(lambda original: _counting(original, counters))
    EXECUTE.wrap(lambda original: retrying(original, time.sleep))
    ASYNCHRONOUS.wrap(_marking)


def _limiting(
    original: Callable[[Any, Any], Any], current: CurrentStrictness, counters: Counters
) -> Callable[[Any, Any], Any]:
    lock = threading.Lock()

    def acquire(func: Any, config: Any) -> Any:
        limit = current().lambda_concurrency
        account, region, name = KEY.resolve()(config).split(":", 2)
        with lock:
            slot, reason = (None, "account") if limit and _running(account, region) >= limit else original(func, config)
        if slot is None:
            counters.throttled_run(account, region, name)
        return slot, reason

    return acquire


def _running(account: str, region: str) -> int:
    return sum(count for key, count in list(IN_FLIGHT.resolve().items()) if key.startswith(f"{account}:{region}:"))


def _counting(original: Callable[..., Any], counters: Counters) -> Callable[..., Any]:
    def run(func: Any, config: Any, event: Any, request_id: str, started: float) -> Any:
        began = time.perf_counter()
        result = original(func, config, event, request_id, started)
        billed = math.ceil((time.perf_counter() - began) * 1000)
        account, region, name = KEY.resolve()(config).split(":", 2)
        counters.run(account, region, name, billed, failed=bool(isinstance(result, dict) and result.get("error")))
        return result

    return run


def retrying(original: Callable[[Any, Any], Any], sleep: Callable[[float], None]) -> Callable[[Any, Any], Any]:
    """Retry an asynchronous invocation while it is throttled. Other callers get the error."""

    def execute(func: Any, event: Any) -> Any:
        wait = FIRST_WAIT
        while (result := original(func, event)).get("throttle") and _is_event.get():
            sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)
        return result

    return execute


def _marking(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def invoke(func: Any, event: Any) -> None:
        token = _is_event.set(True)  # MiniStack copies the context to the thread that it starts
        try:
            original(func, event)
        finally:
            _is_event.reset(token)

    return invoke
